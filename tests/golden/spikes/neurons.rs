//! Trajectories of neurons.

use burn::tensor::Tensor;
use burn_hebbian::spikes::neuron::{Comparison, Lif, LifConfig, LifState, Refractory, Reset, ResetAt};

use super::case::Case;

pub(super) fn snntorch(case: &Case) -> Result<(), String> {
    let reset = match case.text("reset")? {
        "subtract" => Reset::Subtract,
        "zero" => Reset::To(0.0),
        "none" => Reset::None,
        other => return Err(format!("hyper.reset: {other}")),
    };
    let reset_at = if case.flag("reset_delay")? { ResetAt::NextStep } else { ResetAt::Carried };
    let decay = if case.has("beta") { 1.0 } else { case.number("beta")? };
    let config =
        LifConfig::new(decay).with_threshold(case.number("theta")?).with_reset(reset).with_reset_at(reset_at);
    let mut neuron = init(config)?;
    if case.has("beta") {
        neuron = neuron.with_decays(case.tensor("beta")?);
    }
    trajectory(case, &neuron)
}

pub(super) fn spikingjelly_lif(case: &Case) -> Result<(), String> {
    let tau = case.number("tau")?;
    let gain = if case.flag("decay_input")? { tau.recip() } else { 1.0 };
    trajectory(case, &init(spikingjelly(case, LifConfig::new(1.0 - tau.recip()).with_gain(gain))?)?)
}

pub(super) fn spikingjelly_if(case: &Case) -> Result<(), String> {
    trajectory(case, &init(spikingjelly(case, LifConfig::perfect())?)?)
}

fn spikingjelly(case: &Case, config: LifConfig) -> Result<LifConfig, String> {
    let reset = case.number_or_null("v_reset")?;
    Ok(config
        .with_threshold(case.number("theta")?)
        .with_rest(reset.unwrap_or(0.0))
        .with_reset(reset.map_or(Reset::Subtract, Reset::To))
        .with_comparison(Comparison::From))
}

pub(super) fn norse_lif(case: &Case) -> Result<(), String> {
    trajectory(case, &init(norse(case)?)?)
}

pub(super) fn norse_lif_refrac(case: &Case) -> Result<(), String> {
    let refractory = Refractory::Freeze { steps: case.number("rho_reset")? };
    trajectory(case, &init(norse(case)?.with_refractory(refractory))?)
}

fn norse(case: &Case) -> Result<LifConfig, String> {
    let dt = case.number("dt")?;
    let gain = dt / case.number("tau_mem")?;
    Ok(LifConfig::new(1.0 - gain)
        .with_gain(gain)
        .with_rest(case.number("v_leak")?)
        .with_threshold(case.number("theta")?)
        .with_reset(Reset::To(case.number("v_reset")?))
        .with_current_decay(Some(1.0 - dt / case.number("tau_syn")?)))
}

pub(super) fn norse_iaf(case: &Case) -> Result<(), String> {
    let config = LifConfig::perfect()
        .with_threshold(case.number("theta")?)
        .with_reset(Reset::To(case.number("v_reset")?));
    trajectory(case, &init(config)?)
}

pub(super) fn bindsnet_lif(case: &Case) -> Result<(), String> {
    let decay = (-case.number("dt")? / case.number("tc_decay")?).exp();
    let config = LifConfig::new(decay).with_rest(case.number("v_rest")?);
    trajectory(case, &init(bindsnet(case, config, "theta")?)?)
}

pub(super) fn bindsnet_if(case: &Case) -> Result<(), String> {
    let config = LifConfig::perfect().with_rest(case.number("v_reset")?);
    trajectory(case, &init(bindsnet(case, config, "theta")?)?)
}

/// Threshold, reset and refractory time as BindsNET has them.
pub(super) fn bindsnet(case: &Case, config: LifConfig, threshold: &str) -> Result<LifConfig, String> {
    let (duration, step) = (case.number("refrac")?, case.number("dt")?);
    Ok(config
        .with_threshold(case.number(threshold)?)
        .with_reset(Reset::To(case.number("v_reset")?))
        .with_comparison(Comparison::From)
        .with_refractory(Refractory::BlockInput { duration, step }))
}

pub(super) fn init(config: LifConfig) -> Result<Lif, String> {
    config.init().map_err(|error| error.to_string())
}

/// What neurons do step by step, and over whole trains.
fn trajectory(case: &Case, neuron: &Lif) -> Result<(), String> {
    let inputs = case.train::<2>("x")?;
    let mut state = neuron.init_state(&inputs.at(0));
    let (mut charged, mut spikes, mut states) = (Vec::new(), Vec::new(), Vec::new());
    for t in 0..inputs.steps() {
        charged.push(neuron.charge(inputs.at(t), &state));
        let (fired, next) = neuron.step(inputs.at(t), state);
        spikes.push(fired);
        states.push(next.clone());
        state = next;
    }
    case.compare_stacked("spikes", spikes)?;
    case.compare_stacked("v", of(&states, |state| Some(&state.potential)))?;
    case.compare_if_there("h", charged)?;
    case.compare_if_there("i", of(&states, |state| state.current.as_ref()))?;
    for name in ["rho", "refractory"] {
        case.compare_if_there(name, of(&states, |state| state.refractory.as_ref()))?;
    }
    let recorded = neuron.record(&inputs, None);
    case.compare("spikes", recorded.spikes.values().into_data())?;
    case.compare("v", recorded.potentials.values().into_data())?;
    case.compare("spikes", neuron.run(&inputs, None).0.values().into_data())
}

fn of(states: &[LifState<2>], part: fn(&LifState<2>) -> Option<&Tensor<2>>) -> Vec<Tensor<2>> {
    states.iter().filter_map(|state| part(state).cloned()).collect()
}
