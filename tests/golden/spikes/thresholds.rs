//! Adaptive thresholds.

use burn::tensor::Tensor;
use burn_hebbian::spikes::neuron::{AdaptiveLif, LifConfig, one_spike};

use super::{
    case::Case,
    neurons::{bindsnet, init},
};

pub(super) fn adaptive(case: &Case) -> Result<(), String> {
    let dt = case.number("dt")?;
    let config = LifConfig::new((-dt / case.number("tc_decay")?).exp()).with_rest(case.number("v_rest")?);
    let lif = init(bindsnet(case, config, "thresh")?)?;
    let decay = (-dt / case.number("tc_theta")?).exp();
    let neuron =
        AdaptiveLif::new(lif, case.number("theta_plus")?, decay).map_err(|error| error.to_string())?;
    let (learns, resets) = (case.flag("learning")?, case.integers("reset_at")?);
    let inputs = case.train::<2>("x")?;
    let (mut state, mut theta) = (neuron.lif().init_state(&inputs.at(0)), case.tensor::<1>("theta0")?);
    let (mut crossed, mut thetas, mut potentials, mut refractory) = (vec![], vec![], vec![], vec![]);
    for t in 0..inputs.steps() {
        if resets.contains(&t) {
            state = neuron.lif().init_state(&inputs.at(t));
        }
        let adapted = neuron.step(inputs.at(t), state, theta, learns);
        (state, theta) = (adapted.state, adapted.theta);
        crossed.push(adapted.spikes);
        thetas.push(theta.clone());
        potentials.push(state.potential.clone());
        refractory.extend(state.refractory.clone());
    }
    case.compare_stacked("crossed", crossed.clone())?;
    case.compare_stacked("theta", thetas)?;
    case.compare_stacked("v", potentials)?;
    case.compare_stacked("refractory", refractory)?;
    let spikes = match case.flag("one_spike")? {
        true => crossed.iter().cloned().map(one_spike).collect(),
        false => crossed.clone(),
    };
    match case.has("spikes") {
        true => case.compare_stacked("spikes", spikes),
        false => crossed.into_iter().zip(spikes).try_for_each(|(crossed, drawn)| check_draw(crossed, drawn)),
    }
}

/// A draw is one of those that crossed, where any did.
fn check_draw(crossed: Tensor<2>, drawn: Tensor<2>) -> Result<(), String> {
    let [crossed, drawn] = [crossed, drawn].map(|spikes| {
        let width = spikes.dims()[1];
        let values: Vec<f32> = spikes.into_data().iter().collect();
        values.chunks(width).map(<[f32]>::to_vec).collect::<Vec<_>>()
    });
    for (crossed, drawn) in crossed.iter().zip(&drawn) {
        let any = crossed.contains(&1.0);
        let subset = crossed.iter().zip(drawn).all(|(crossed, drawn)| drawn <= crossed);
        let count = drawn.iter().filter(|spike| **spike == 1.0).count();
        if !subset || count != usize::from(any) {
            return Err(format!("a draw of {drawn:?} from {crossed:?}"));
        }
    }
    Ok(())
}
