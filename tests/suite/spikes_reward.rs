//! Eligibility traces: beside a layer, and as the momentum of a plan's optimizer, which checkpoints and resumes.

use burn::{
    module::Param,
    nn::LinearConfig,
    optim::{SgdConfig, momentum::MomentumConfig},
    tensor::{Device, Tensor},
};
use burn_hebbian::{
    optim::{
        Entry,
        checkpoint::{Checkpoints, Progress, Training},
    },
    prelude::*,
    rules::{Pairs, Timing},
    spikes::{
        Train,
        encode::bernoulli,
        stdp::{Eligibility, Traces, learn_step},
    },
};
use burn_hebbian_tests::values::{assert_close, bits, tensor, vec};
use libtest_mimic::Trial;

use crate::on_flex;

pub(crate) fn trials() -> Vec<Trial> {
    vec![on_flex("spikes_reward::eligibility_is_momentum_and_resumes", eligibility_is_momentum)]
}

const STEPS: usize = 8;
const TAU: f64 = 3.0;
const REWARDS: [f64; STEPS] = [0.5, -1.0, 0.0, 0.25, 1.0, -0.5, 0.0, 0.75];

fn pairs() -> Pairs {
    Pairs::new(5.0, 8.0, 0.02, 0.015)
}

fn layer(device: &Device) -> HebbianLinear {
    let mut linear = LinearConfig::new(6, 4).with_bias(false).init(device);
    linear.weight = Param::from_tensor(tensor::<2>(1, [6, 4], device).mul_scalar(0.1).add_scalar(0.5));
    let [plus, minus] = [pairs().plus, pairs().minus];
    Local::new(linear).with_rule(Rule::stdp(1.0, 1.0, plus, minus).with_timing(Timing::Pairs(pairs())))
}

fn trains(device: &Device) -> [Train<2>; 2] {
    let train = |seed, width| bernoulli(tensor::<2>(seed, [3, width], device).abs(), STEPS, seed).unwrap();
    [train(5, 6), train(6, 4)]
}

/// SGD whose velocity is τ times the trace: `v ← e^(−1/τ) v + Δ`.
fn start(layer: HebbianLinear, epochs: usize) -> Training<HebbianLinear> {
    let momentum = MomentumConfig::new().with_momentum((-1.0 / TAU).exp()).with_dampening(0.0);
    let entry = Entry::local(".*", LocalTraining::of_the_layer());
    let plan = Plan::new().with(entry.by(SgdConfig::new().with_momentum(Some(momentum))));
    let (model, optim) = plan.init(layer, SgdConfig::new()).unwrap();
    Training { progress: Progress { seed: 0, epochs }, model, optim }
}

/// Steps up to so many: each learns from one step of the trains, at a rate that is the reward of the next.
fn rewarded(mut training: Training<HebbianLinear>, steps: usize, device: &Device) -> Training<HebbianLinear> {
    let [pre, post] = trains(device);
    let mut traces = Traces::zeros(&pre.at(0), &post.at(0));
    for step in 0..steps {
        // traces of spikes belong to the stimulus: whoever goes on has them
        let Training { progress, model, mut optim } = training;
        let learn = |layer: &HebbianLinear| {
            learn_step(layer, &pairs(), traces.clone(), pre.at(step), post.at(step), 0.0)
        };
        let (next, seen) = optim.observe(&model, Signals::none(), learn).unwrap();
        traces = next;
        let reward = REWARDS.get(step + 1).copied().unwrap_or(0.0);
        let model = match step < progress.epochs {
            true => model,
            false => optim.step(reward / TAU, model, seen.local_only()).unwrap(),
        };
        let epochs = progress.epochs.max(step + 1);
        training = Training { progress: Progress { epochs, ..progress }, model, optim };
    }
    training
}

fn eligibility_is_momentum(device: &Device) {
    // beside the layer: what additive STDP would do does not depend on its weights
    let [pre, post] = trains(device);
    let mut weight: Tensor<2> = layer(device).layer().weight.val();
    let mut eligibility = Eligibility::new(TAU, &weight).unwrap();
    let mut traces = Traces::zeros(&pre.at(0), &post.at(0));
    for (step, reward) in REWARDS.into_iter().enumerate() {
        let (bound, plan) = Plan::new().bind(layer(device)).unwrap();
        let learn = |layer: &HebbianLinear| {
            learn_step(layer, &pairs(), traces.clone(), pre.at(step), post.at(step), 0.0)
        };
        let (next, seen) = plan.observe(&bound, Signals::none(), learn).unwrap();
        let (bound, grads) = plan.finish(bound, seen.local_only()).unwrap();
        let delta = grads.get::<2>(bound.layer().weight.id).unwrap().neg();
        let (update, after) = eligibility.step(delta, reward);
        (traces, eligibility) = (next, after);
        weight = weight + update;
    }
    let expected = vec(weight);
    let fresh = || start(layer(device), 0);
    let whole = rewarded(fresh(), STEPS, device);
    assert_ne!(expected, vec(layer(device).layer().weight.val()));
    assert_close("momentum", &vec(whole.model.layer().weight.val()), &expected, 1e-6);
    // saved and resumed in the middle, traces of eligibility included
    let folder = tempfile::tempdir().unwrap();
    let checkpoints = Checkpoints::new(folder.path());
    let half = rewarded(fresh(), 4, device);
    checkpoints.save(&half).unwrap();
    let resumed = checkpoints.resume(fresh()).unwrap();
    assert_eq!(bits(&rewarded(resumed, STEPS, device).model), bits(&whole.model));
    let forgotten = rewarded(start(half.model, 4), STEPS, device);
    assert_ne!(bits(&forgotten.model), bits(&whole.model));
}
