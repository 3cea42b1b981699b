//! Spikes that nothing can be learned from: a message, or a stated behavior.

use burn::{
    module::Param,
    nn::LinearConfig,
    optim::SgdConfig,
    tensor::{Device, Tensor},
};
use burn_hebbian::{
    nn::Synapses,
    optim::Updates,
    prelude::*,
    rules::{
        Bounds, Competition, Dependence, Growth, Homeostasis, Jump, Pairs, RankOrder, Rates, Reduction, Span,
        Timing, Trace,
    },
    spikes::{
        SpikeError, Train,
        encode::{FirstSpikeEncoder, at_times, bernoulli, latencies, poisson},
        first_spike::{FirstSpikes, fire, winners},
        neuron::{LifConfig, Refractory, Reset},
        stdp,
    },
};
use burn_hebbian_tests::values::{bits, vec};
use libtest_mimic::Trial;

use crate::on_flex;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        on_flex("spikes_input::configurations_are_refused", configurations_are_refused),
        on_flex("spikes_input::stages_that_a_rule_of_spikes_leaves_out_are_refused", stages_are_refused),
        on_flex("spikes_input::neurons_are_refused_with_their_values", neurons_are_refused),
        on_flex("spikes_input::rates_and_times_outside_of_their_window", rates_and_times),
        on_flex("spikes_input::trains_that_do_not_fit", trains_that_do_not_fit),
        on_flex("spikes_input::traces_of_winners_are_refused", traces_of_winners),
        on_flex("spikes_input::a_forward_pass_teaches_no_rule_of_spikes", forward_is_refused),
        on_flex("spikes_input::images_without_a_spike_and_without_a_winner", nothing_to_see),
        on_flex("spikes_input::signals_of_other_images_are_refused", signals_of_other_images),
        on_flex("spikes_input::unobserved_layers_learn_nothing", unobserved),
    ]
}

fn layer(rule: Rule, device: &Device) -> HebbianLinear {
    let mut linear = LinearConfig::new(3, 2).with_bias(false).init(device);
    linear.weight = Param::from_tensor(Tensor::full([3, 2], 0.5, device));
    Local::new(linear).with_rule(rule)
}

fn refused(rule: Rule, device: &Device) -> String {
    let linear = LinearConfig::new(3, 2).with_bias(false).init(device);
    let refused = Local::new(linear).try_with_rule(rule).err();
    refused.map(|error| error.to_string()).unwrap_or_default()
}

fn configurations_are_refused(device: &Device) {
    let refused = |rule| refused(rule, device);
    let pairs = |pairs| Rule::stdp(1.0, 1.0, 0.1, 0.1).with_timing(Timing::Pairs(pairs));
    let base = || Pairs::new(2.0, 2.0, 0.1, 0.1);
    let positive = "must be positive and finite, got 0";
    assert_eq!(
        refused(Rule::stdp(0.0, 2.0, 0.1, 0.1)),
        format!("time constant of the input's trace: {positive}")
    );
    assert_eq!(
        refused(Rule::stdp(2.0, 0.0, 0.1, 0.1)),
        format!("time constant of the neurons' trace: {positive}")
    );
    let fast = pairs(base().with_traces(Trace::linear(0.5), Trace::linear(2.0)));
    assert_eq!(refused(fast), "time constant of the input's trace: must be finite and at least 1, got 0.5");
    assert_eq!(refused(Rule::stdp(2.0, 2.0, f64::NAN, 0.1)), "rate of potentiation: must be finite, got NaN");
    let soft = |min, max| pairs(base().with_dependence(Dependence::Soft { min, max, exponent: 1.0 }));
    let bounds = "bounds of weights: the least must be below the largest, got 1 and 0.5";
    assert_eq!(refused(soft(1.0, 0.5)), bounds);
    let hard = Rule::stdp(2.0, 2.0, 0.1, 0.1).with_bounds(Bounds::Hard { min: 1.0, max: 0.5 });
    assert_eq!(refused(hard), bounds);
    let ranked = |rule| Rule::rank_order_stdp(0.1, -0.1).with_timing(Timing::RankOrder(rule));
    let rates = Rates { plus: 0.1, minus: -0.1 };
    assert_eq!(
        refused(ranked(RankOrder::new(rates).with_per_neuron(vec![rates; 5]))),
        "rates of each neuron: expected 2 pairs for as many neurons, got 5"
    );
    let growing = |every, max| ranked(RankOrder::new(rates).with_growth(Growth { every, max }));
    assert_eq!(refused(growing(0, 0.15)), format!("images between two doublings: {positive}"));
    assert_eq!(refused(growing(5, 0.0)), format!("largest rate of early inputs: {positive}"));
    assert_eq!(refused(growing(5, 0.15)), "");
}

fn stages_are_refused(device: &Device) {
    let refused = |rule| refused(rule, device);
    let stdp = || Rule::stdp(2.0, 2.0, 0.1, 0.1);
    let competing = stdp().with_competition(Competition::KWinners { k: 1, losers: 0.0 });
    assert!(refused(competing).starts_with("rules of spikes have no similarity, activation, competition"));
    assert!(refused(stdp().with_reduction(Reduction::Mean)).contains("reduction `sum`"));
    let scaling = stdp().with_homeostasis(Homeostasis::Scaling { target: 1.0, rate: 1.0 });
    assert!(refused(scaling).contains("`threshold` alone"));
    let threshold = Homeostasis::Threshold { increase: 0.1, decay: 0.9 };
    assert!(refused(Rule::oja().with_homeostasis(threshold)).contains("are for rules of spikes"));
    assert_eq!(refused(stdp().with_homeostasis(threshold)), "");
}

fn neurons_are_refused(_: &Device) {
    let refused = |config: LifConfig| config.init().err().map(|error| error.to_string()).unwrap_or_default();
    let zero = LifConfig::new(0.9).with_threshold(0.0);
    assert_eq!(refused(zero), "threshold above rest: must be positive and finite, got 0");
    let high = LifConfig::new(0.9).with_reset(Reset::To(2.0));
    assert_eq!(refused(high), "threshold above reset: must be positive and finite, got -1");
    let below = LifConfig::new(0.9).with_rest(-65.0).with_threshold(-52.0);
    assert_eq!(
        refused(below.clone()),
        "threshold that a spike takes off: must be positive and finite, got -52"
    );
    assert_eq!(refused(below.with_reset(Reset::To(-60.0))), "");
    assert_eq!(refused(LifConfig::new(f64::NAN)), "neuron decay: must be finite, got NaN");
    let never = LifConfig::new(0.9).with_refractory(Refractory::Freeze { steps: -1.0 });
    assert_eq!(refused(never), "refractory steps: must be in 0..=inf, got -1");
    let first = |threshold, k| FirstSpikes::new(threshold, k).err().map(|error| error.to_string());
    assert_eq!(first(-1.0, 1).as_deref(), Some("threshold of first spikes: must be in 0..=inf, got -1"));
    assert_eq!(first(1.0, 0).as_deref(), Some("winners of an image: must be at least 1, got 0"));
    // at 0 the first input makes a neuron spike
    assert_eq!(first(0.0, 1), None);
}

fn rates_and_times(device: &Device) {
    let x = |value: f32| Tensor::<2>::from_data([[0.5, value]], device);
    let message = |result: Result<Train<2>, SpikeError>| result.unwrap_err().to_string();
    assert_eq!(message(bernoulli(x(-0.25), 3, 0)), "spike probability: must be in 0..=1, got -0.25");
    assert_eq!(message(bernoulli(x(f32::NAN), 3, 0)), "spike probability: must be in 0..=1, got NaN");
    assert_eq!(message(bernoulli(x(0.5), 0, 0)), "steps: must be at least 1, got 0");
    assert_eq!(message(poisson(x(1.5), 3, 10.0, 0.001, 0)), "intensity of a rate: must be in 0..=1, got 1.5");
    assert_eq!(
        message(poisson(x(0.5), 3, -10.0, 0.001, 0)),
        "largest rate: must be positive and finite, got -10"
    );
    let window = "spike times: must be in 0..4, or infinite for no spike, got";
    assert_eq!(message(at_times(x(4.0), 4)), format!("{window} 4"));
    assert_eq!(message(at_times(x(-1.0), 4)), format!("{window} -1"));
    assert_eq!(message(at_times(x(f32::NAN), 4)), format!("{window} NaN"));
    assert_eq!(vec(at_times(x(f32::INFINITY), 2).unwrap().values()), [0.0, 0.0, 1.0, 0.0]);
    assert!(FirstSpikeEncoder::on_off(0).is_err());
}

fn trains_that_do_not_fit(device: &Device) {
    let values = Tensor::<2>::zeros([7, 3], device);
    let message = Train::new(values.clone(), 3).unwrap_err().to_string();
    assert_eq!(message, "train: 7 images are no whole number of trains of 3 steps");
    assert!(Train::new(values.clone(), 0).is_err());
    assert!(Train::new(Tensor::<2>::zeros([0, 3], device), 1).is_err());
    let (ours, theirs) =
        (Train::new(values.clone(), 7).unwrap(), Train::new(Tensor::<2>::zeros([6, 2], device), 3).unwrap());
    let layer = layer(Rule::stdp(2.0, 2.0, 0.1, 0.1), device);
    let pairs = Pairs::new(2.0, 2.0, 0.1, 0.1);
    let message = stdp::learn(&layer, &ours, &theirs).unwrap_err().to_string();
    assert_eq!(message, "trains: 7 steps of 1 images do not go with 3 steps of 2");
    let message = taught(&layer, Signals::none(), |layer| {
        layer.learn_from(values.clone(), Tensor::zeros([7, 2], device), Span::trains(2));
    });
    assert!(message.contains("trains of 2 steps: 7 images are no whole number of them"), "{message}");
    let set = Trace::exponential(2.0).with_jump(Jump::Set);
    let rule = Rule::stdp(2.0, 2.0, 0.1, 0.1).with_timing(Timing::Pairs(pairs.with_traces(set, set)));
    let message = taught(&self::layer(rule, device), Signals::none(), |layer| {
        layer.learn_from(values.clone(), Tensor::zeros([7, 2], device), Span::trains(7));
    });
    assert!(message.contains("a trace that spikes set cannot be folded"), "{message}");
}

fn traces_of_winners(device: &Device) {
    let layer = layer(Rule::rank_order_stdp(0.1, -0.1), device);
    let message = taught(&layer, Signals::none(), |layer| {
        layer.learn_from(Tensor::zeros([4, 3], device), Tensor::zeros([4, 2], device), Span::depression(2));
    });
    assert!(message.contains("rank-order STDP learns from winners, not from traces"), "{message}");
}

/// The message of a pass that is refused; nothing where it is not.
fn taught<R>(layer: &HebbianLinear, signals: Signals, teach: impl FnOnce(&HebbianLinear) -> R) -> String {
    let (bound, optim) = Plan::new().init(layer.clone(), SgdConfig::new()).unwrap();
    match optim.observe(&bound, signals, teach) {
        Ok((_, seen)) => {
            drop::<Updates>(seen.local_only());
            String::new()
        }
        Err(error) => error.to_string(),
    }
}

fn forward_is_refused(device: &Device) {
    for rule in [Rule::stdp(2.0, 2.0, 0.1, 0.1), Rule::rank_order_stdp(0.1, -0.1)] {
        let message = taught(&layer(rule, device), Signals::none(), |layer| {
            layer.forward(Tensor::<2>::ones([4, 3], device))
        });
        assert!(message.contains("this rule learns from spikes"), "{message}");
    }
}

/// Silent images and thresholds that nobody reaches: no winner, no update, nothing that is not a number.
fn nothing_to_see(device: &Device) {
    let encoder = FirstSpikeEncoder::on_off(5).unwrap();
    let wave = encoder.encode(Tensor::zeros([2, 1, 9, 9], device)).unwrap();
    assert!(vec(wave.values()).iter().all(|spike| *spike == 0.0));
    let wave = latencies(Tensor::<2>::from_data([[0.0, 0.0, 0.0], [0.5, 0.0, 0.2]], device), 4).unwrap();
    let layer = layer(Rule::rank_order_stdp(0.1, -0.1), device);
    let before = bits(&layer);
    let (mut bound, mut optim) = Plan::new().init(layer, SgdConfig::new()).unwrap();
    let neurons = FirstSpikes::new(100.0, 2).unwrap();
    let (learned, seen) =
        optim.observe(&bound, Signals::none(), |layer| neurons.learn(layer, &wave)).unwrap();
    bound = optim.step(1.0, bound, seen.local_only()).unwrap();
    assert!(vec(learned.unwrap().winners.neurons.float()).iter().all(|winner| *winner == -1.0));
    assert_eq!(bits(&bound), before);
    // threshold 0: the second image has winners, the silent one has none
    let neurons = FirstSpikes::new(0.0, 2).unwrap();
    let (learned, seen) =
        optim.observe(&bound, Signals::none(), |layer| neurons.learn(layer, &wave)).unwrap();
    bound = optim.step(1.0, bound, seen.local_only()).unwrap();
    // equal potentials: the first neuron survives point-wise inhibition
    assert_eq!(vec(learned.unwrap().winners.neurons.float()), [-1.0, -1.0, 0.0, -1.0]);
    assert_ne!(bits(&bound), before);
    let other = Train::new(Tensor::<2>::zeros([4, 2], device), 4).unwrap();
    let potentials = wave.map(|wave| bound.currents(wave));
    assert!(winners(&potentials, &fire(&other, 1.0), None, 1, 0).is_err());
}

fn signals_of_other_images(device: &Device) {
    let layer = layer(Rule::stdp(2.0, 2.0, 0.1, 0.1), device);
    let pass = |rows: usize| {
        let signals = Signals::none().with_third_factor(Tensor::ones([rows, 1], device));
        taught(&layer, signals, |layer| {
            layer.learn_from(Tensor::zeros([12, 3], device), Tensor::zeros([12, 2], device), Span::trains(4));
        })
    };
    for right in [1, 3, 12] {
        assert_eq!(pass(right), "", "{right} rows");
    }
    for wrong in [2, 4, 6, 24] {
        let message = pass(wrong);
        assert!(message.contains(&format!("third factor: {wrong} rows for 12 images")), "{message}");
    }
}

fn unobserved(device: &Device) {
    let layer = layer(Rule::stdp(2.0, 2.0, 0.1, 0.1), device);
    let before = bits(&layer);
    layer.learn_from(Tensor::ones([4, 3], device), Tensor::ones([4, 2], device), Span::trains(4));
    assert_eq!(bits(&layer), before);
    // observed, but never taught: the step names the layer
    let (bound, mut optim) = Plan::new().init(layer, SgdConfig::new()).unwrap();
    let currents = |layer: &HebbianLinear| layer.currents(Tensor::ones([4, 3], device));
    let (_, seen) = optim.observe(&bound, Signals::none(), currents).unwrap();
    let refused = optim.step(1.0, bound, seen.local_only()).unwrap_err().to_string();
    let expected = "layer `weight` waits for spikes, and no observed pass handed it any";
    assert!(refused.starts_with(expected) && refused.contains("learn_from"), "{refused}");
}
