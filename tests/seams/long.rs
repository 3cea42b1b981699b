//! Long runs and little data.

use burn::{
    nn::{Linear, LinearConfig},
    optim::SgdConfig,
    tensor::{Device, Tensor},
};
use burn_hebbian::{
    prelude::*,
    rules::{Lateral, Neighborhood},
};
use burn_hebbian_tests::values::{tensor, vec};
use libtest_mimic::Trial;

use crate::kind;

pub(crate) fn trials() -> Vec<Trial> {
    let tests: [(_, fn()); _] = [
        ("a_map_outlives_its_radius", map_outlives_its_radius),
        ("rows_one_at_a_time_keep_the_variance", one_row_at_a_time),
        ("blank_batches_leave_state_alone", blank_batches),
    ];
    kind("long", tests)
}

fn layer(rule: Rule, d_input: usize, neurons: usize) -> Local<Linear> {
    Local::new(LinearConfig::new(d_input, neurons).with_bias(false).init(&Device::flex())).with_rule(rule)
}

fn step(optim: &mut LocalOptimizer, layer: Local<Linear>, x: Tensor<2>, rate: f64) -> Local<Linear> {
    let (_, seen) = optim.observe(&layer, Signals::none(), |layer| layer.forward(x)).unwrap();
    optim.step(rate, layer, seen.local_only()).unwrap()
}

/// The radius falls by a factor a step: after some hundred steps no float holds it.
fn map_outlives_its_radius() {
    let rule = |tau: f64| {
        let neighborhood = Neighborhood::Gaussian;
        Rule::som([4, 2]).with_lateral(Lateral::Map { size: vec![4, 2], neighborhood, sigma: Some(1.5), tau })
    };
    let x = |step: u64| tensor::<2>(step % 20, [3, 2], &Device::flex());
    let (mut map, mut optim) = Plan::new().init(layer(rule(0.5), 2, 8), SgdConfig::new()).unwrap();
    for number in 0..2_000 {
        map = step(&mut optim, map, x(number), 0.05);
    }
    // by then a winner learns alone, as in hard winner-take-all
    let before = map.clone();
    let after = step(&mut optim, map, x(3), 0.05);
    let alone = before.clone().with_rule(Rule::hard_wta());
    let (alone, mut by_winners) = Plan::new().init(alone, SgdConfig::new()).unwrap();
    let alone = step(&mut by_winners, alone, x(3), 0.05);
    let of = |layer: &Local<Linear>| vec(layer.layer().weight.val());
    assert_ne!(of(&after), of(&before));
    burn_hebbian_tests::values::assert_close("map", &of(&after), &of(&alone), 1e-6);
}

fn one_row_at_a_time() {
    let (mut layer, mut optim) =
        Plan::new().init(layer(Rule::hpca_adaptive(), 4, 3), SgdConfig::new()).unwrap();
    for number in 0..400 {
        let x = tensor::<2>(number, [1, 4], &Device::flex()).mul_scalar(1.7);
        layer = step(&mut optim, layer, x, 1e-6);
    }
    let state = vec(layer.rule_state().unwrap());
    assert!(state[3..6].iter().all(|variance| (1e-2..10.0).contains(variance)), "{state:?}");
}

fn blank_batches() {
    for rule in [Rule::bcm(), Rule::hpca_adaptive(), Rule::foldiak(0.2), Rule::swta()] {
        let shown = format!("{rule:?}");
        let (mut layer, mut optim) = Plan::new().init(layer(rule, 4, 3), SgdConfig::new()).unwrap();
        layer = step(&mut optim, layer, tensor::<2>(1, [5, 4], &Device::flex()), 0.01);
        let before = layer.rule_state().map(vec);
        for _ in 0..20 {
            layer = step(&mut optim, layer, Tensor::zeros([5, 4], &Device::flex()), 0.01);
        }
        assert_eq!(layer.rule_state().map(vec), before, "{shown}");
        assert!(vec(layer.layer().weight.val()).iter().all(|weight| weight.is_finite()), "{shown}");
    }
}
