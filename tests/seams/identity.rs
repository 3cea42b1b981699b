//! Identity is the layer, not its id.

use std::thread;

use burn::{
    module::{Module, ModuleMapper, Param, ParamGroup},
    nn::{
        BatchNorm, BatchNormConfig, Linear, LinearConfig,
        conv::{Conv2d, Conv2dConfig},
    },
    optim::{AdamConfig, GradientsParams, SgdConfig},
    tensor::{Device, Tensor},
};
use burn_hebbian::{
    nn::SyncBatchNorm,
    optim::{Entry, PlanError, Rest, UpdateError, fresh_ids},
    prelude::*,
};
use burn_hebbian_tests::{
    net::{Net, NormNet, PlainNet},
    values::{bits, tensor, vec},
};
use libtest_mimic::Trial;

use crate::{device, images, kind, loss};

pub(crate) fn trials() -> Vec<Trial> {
    let tests: [(_, fn()); _] = [
        ("cloned_layers_are_refused_with_both_paths", cloned_layers),
        ("two_towers_of_one_record", two_towers),
        ("binding_a_clone_leaves_the_others", clones_are_independent),
        ("an_average_beside_the_model_teaches_nothing", averages),
        ("a_copy_for_validation_is_refused", valid_copies),
        ("layers_on_other_threads_teach", threads),
        ("another_models_updates_are_refused", other_updates),
        ("another_model_is_refused", other_model),
        ("a_record_loaded_between_two_steps_is_followed", loaded_record),
        ("one_plan_for_two_models", two_models),
        ("frozen_layers_do_not_learn", frozen_layers),
        ("frozen_groups_do_not_learn", frozen_groups),
        ("what_was_frozen_when_bound_thaws_into_the_plan", thawed_layers),
        ("a_pattern_for_frozen_layers_is_refused", frozen_pattern),
        ("what_the_plan_freezes_keeps_its_statistics", frozen_norms),
    ];
    kind("identity", tests)
}

fn net() -> Net {
    Net::from(PlainNet::new(&device()))
}

fn swta() -> Plan {
    Plan::new().local("conv2", Rule::swta()).frozen("conv1")
}

fn weights(net: &Net) -> [Vec<f64>; 3] {
    [vec(net.conv1.weight.val()), vec(net.conv2.layer().weight.val()), vec(net.fc.layer().weight.val())]
}

fn step(optim: &mut LocalOptimizer, net: Net, seed: u64) -> Net {
    let (loss, seen) = optim.observe(&net, Signals::none(), |net| loss(net.forward(images(seed)))).unwrap();
    let updates = seen.backward(loss).unwrap();
    optim.step(0.1, net, updates).unwrap()
}

#[derive(Module, Debug)]
struct Stack {
    layers: Vec<Local<Linear>>,
}

fn cloned_layers() {
    let layer = || Local::new(LinearConfig::new(4, 4).init(&device())).with_rule(Rule::swta());
    let stack = Stack { layers: vec![layer(); 3] };
    let refused = Plan::new().init(stack, SgdConfig::new()).map(drop).unwrap_err();
    let (first, second) = ("layers.0.weight".to_string(), "layers.1.weight".to_string());
    assert_eq!(refused, PlanError::Tied { first, second });
    let stack = Stack { layers: vec![layer(), layer(), layer()] };
    drop(Plan::new().init(stack, SgdConfig::new()).unwrap());
}

#[derive(Module, Debug)]
struct Towers {
    left: Net,
    right: Net,
}

fn two_towers() {
    let record = || net().into_record();
    let one = record();
    let bytes = one.into_bytes().unwrap();
    let load = || net().load_record(burn::store::ModuleRecord::from_bytes(bytes.clone()).unwrap());
    let plan = Plan::new().local("left.conv2|right.conv2", Rule::swta()).with_rest(Rest::Frozen);
    let refused = plan.init(Towers { left: load(), right: load() }, SgdConfig::new()).map(drop).unwrap_err();
    assert!(
        matches!(&refused, PlanError::Tied { first, second } if first.starts_with("left.") && second.starts_with("right.")),
        "{refused}"
    );
    let towers = Towers { left: load(), right: fresh_ids(load()) };
    let (towers, mut optim) = plan.init(towers, SgdConfig::new()).unwrap();
    let before = [&towers.left, &towers.right].map(|tower| weights(tower)[1].clone());
    assert_eq!(before[0], before[1]);
    let forward = |towers: &Towers| (towers.left.forward(images(1)), towers.right.forward(images(2)));
    let (_, seen) = optim.observe(&towers, Signals::none(), forward).unwrap();
    let towers = optim.step(0.1, towers, seen.local_only()).unwrap();
    let after = [&towers.left, &towers.right].map(|tower| weights(tower)[1].clone());
    assert!(after[0] != before[0] && after[1] != before[1] && after[0] != after[1]);
}

fn clones_are_independent() {
    let fresh = net();
    let _hebbian = swta().init(fresh.clone(), SgdConfig::new()).unwrap();
    let grads = GradientsParams::from_grads(loss(fresh.forward(images(1))).backward(), &fresh);
    assert!(grads.get::<4>(fresh.conv2.layer().weight.id).is_some());
    let (control, mut optim) = Plan::new().init(fresh, SgdConfig::new()).unwrap();
    let before = weights(&control);
    let control = step(&mut optim, control, 1);
    assert!(weights(&control).iter().zip(&before).all(|(now, before)| now != before));
}

/// `0.9 average + 0.1 model`, as exponential moving averages and target networks are made.
struct Average(Net);

impl ModuleMapper for Average {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let _ = &self.0;
        param.map(|weight| weight.mul_scalar(0.9).detach())
    }
}

fn averages() {
    let plan = swta().frozen("fc");
    let (net, optim) = plan.init(net(), SgdConfig::new()).unwrap();
    let average = net.clone().map(&mut Average(net.clone()));
    let id = net.conv2.layer().weight.id;
    let sums = |beside: bool| {
        let (_, seen) = optim
            .observe(&net, Signals::none(), |net| {
                if beside {
                    drop((
                        average.forward(images(7)),
                        net.clone().forward(images(8)),
                        average.valid().forward(images(9).inner()),
                    ));
                }
                net.forward(images(1))
            })
            .unwrap();
        vec(seen.local_only().into_grads().get::<4>(id).unwrap())
    };
    assert_eq!(sums(true), sums(false));
}

fn valid_copies() {
    let (net, optim) = swta().init(net(), SgdConfig::new()).unwrap();
    let valid = net.valid();
    let observed = optim.observe(&valid, Signals::none(), |net| net.forward(images(1).inner()));
    assert_eq!(observed.map(drop).unwrap_err(), UpdateError::NothingLearns);
    let bound = swta().init(valid, SgdConfig::new()).map(drop).unwrap_err();
    assert!(matches!(bound, PlanError::Frozen { .. }), "{bound}");
    assert!(optim.observe(&net, Signals::none(), |net| net.forward(images(1))).is_ok());
}

/// Half of the images on each of two threads, the layers of one copy.
fn threads() {
    let plan = swta().frozen("fc");
    let (net, optim) = plan.init(net(), SgdConfig::new()).unwrap();
    let parts = || images(1).split_with_sizes(vec![2, 2], 0);
    let on_threads = |net: &Net| {
        thread::scope(|scope| {
            parts().into_iter().for_each(|part| drop(scope.spawn(|| net.forward(part))));
        });
    };
    let id = net.conv2.layer().weight.id;
    let (_, seen) = optim.observe(&net, Signals::none(), on_threads).unwrap();
    let parallel = vec(seen.local_only().into_grads().get::<4>(id).unwrap());
    let in_turn = |net: &Net| parts().into_iter().for_each(|part| drop(net.forward(part)));
    let (_, seen) = optim.observe(&net, Signals::none(), in_turn).unwrap();
    let in_turn = vec(seen.local_only().into_grads().get::<4>(id).unwrap());
    burn_hebbian_tests::values::assert_close("sums", &parallel, &in_turn, 1e-6);
}

fn other_updates() {
    let (mine, mut optim) = swta().init(net(), SgdConfig::new()).unwrap();
    let (other, others) = swta().init(net(), SgdConfig::new()).unwrap();
    let (_, seen) = others.observe(&other, Signals::none(), |net| net.forward(images(1))).unwrap();
    let before = bits(&mine);
    let refused = optim.step(0.1, mine, seen.local_only()).unwrap_err();
    assert!(matches!(refused.error(), UpdateError::Foreign { .. }), "{refused}");
    assert_eq!(bits(&refused.into_model()), before);
    // the same layers, bound once more
    let (rebound, mut again) = swta().init(other.clone(), SgdConfig::new()).unwrap();
    let (_, seen) = others.observe(&other, Signals::none(), |net| net.forward(images(1))).unwrap();
    let refused = again.step(0.1, rebound, seen.local_only()).unwrap_err();
    assert!(matches!(refused.error(), UpdateError::Foreign { .. }), "{refused}");
    // and updates of one's own for another model
    let (mine, mut optim) = swta().init(net(), SgdConfig::new()).unwrap();
    let (_, seen) = optim.observe(&mine, Signals::none(), |net| net.forward(images(1))).unwrap();
    let refused = optim.step(0.1, other, seen.local_only()).unwrap_err();
    assert!(matches!(refused.error(), UpdateError::Foreign { .. }), "{refused}");
}

fn other_model() {
    let (mine, optim) = swta().init(net(), SgdConfig::new()).unwrap();
    let observe = |net: &Net| optim.observe(net, Signals::none(), |net| net.forward(images(1))).map(drop);
    assert!(matches!(observe(&net()).unwrap_err(), UpdateError::NotBound { layer } if layer == "conv2"));
    let (other, _) = swta().init(net(), SgdConfig::new()).unwrap();
    assert!(matches!(observe(&other).unwrap_err(), UpdateError::NotBound { layer } if layer == "conv2"));
    let mut exchanged = mine.clone();
    exchanged.conv2 = net().conv2;
    assert!(matches!(observe(&exchanged).unwrap_err(), UpdateError::NotBound { layer } if layer == "conv2"));
    observe(&mine).unwrap();
}

fn loaded_record() {
    let (net, mut optim) = swta().init(net(), SgdConfig::new()).unwrap();
    let net = step(&mut optim, net, 1);
    let other = self::net();
    let expected = weights(&other);
    let net = net.load_record(other.into_record());
    assert_eq!(weights(&net), expected);
    let net = step(&mut optim, net, 2);
    let moved: Vec<bool> = weights(&net).iter().zip(&expected).map(|(now, before)| now != before).collect();
    assert_eq!(moved, [false, true, true]);
}

fn two_models() {
    let plan = swta();
    let (one, mut optim_one) = plan.init(net(), SgdConfig::new()).unwrap();
    let (two, mut optim_two) = plan.init(net(), SgdConfig::new()).unwrap();
    let before = [weights(&one), weights(&two)];
    let (one, two) = (step(&mut optim_one, one, 1), step(&mut optim_two, two, 2));
    let (one, two) = (step(&mut optim_one, one, 3), step(&mut optim_two, two, 4));
    assert!(weights(&one)[1] != before[0][1] && weights(&two)[1] != before[1][1]);
}

/// Layers that carry rules, one of them frozen in the model; and thawed again.
fn frozen_layers() {
    let mut net = net();
    net.conv2 = net.conv2.with_rule(Rule::bcm());
    net.fc = net.fc.with_rule(Rule::swta());
    let (mut net, mut optim) = Plan::new().frozen("conv1").init(net, SgdConfig::new()).unwrap();
    net.conv2 = net.conv2.freeze();
    let (before, state) = (weights(&net), net.conv2.rule_state().map(vec));
    let (_, seen) = optim.observe(&net, Signals::none(), |net| net.forward(images(1))).unwrap();
    let mut net = optim.step(0.1, net, seen.local_only()).unwrap();
    let moved: Vec<bool> = weights(&net).iter().zip(&before).map(|(now, before)| now != before).collect();
    assert_eq!((moved, net.conv2.rule_state().map(vec)), (vec![false, false, true], state));
    net.conv2 = net.conv2.unfreeze();
    let (_, seen) = optim.observe(&net, Signals::none(), |net| net.forward(images(1))).unwrap();
    let net = optim.step(0.1, net, seen.local_only()).unwrap();
    assert_ne!(weights(&net)[1], before[1]);
}

/// The order of binding and freezing makes no difference: optimizers, rates and room for states are for what may thaw.
fn thawed_layers() {
    // conv2 by its own rule, whose gradients end there
    let plan = Plan::new().with(Entry::backprop("conv1|fc").by(SgdConfig::new()).at_rate(0.2).optional());
    let mut net = net();
    net.conv2 = net.conv2.with_rule(Rule::bcm());
    let whole = plan.init(net.clone(), AdamConfig::new()).unwrap();
    for group in ["conv2", "fc", "conv2.weight"] {
        let frozen = net.clone().freeze_group(ParamGroup::from_predicate(group));
        let (net, optim) = plan.init(frozen, AdamConfig::new()).unwrap();
        let thawed = (net.unfreeze_group(ParamGroup::from_predicate(group)), optim);
        let [whole, thawed] = [whole.clone(), thawed].map(|(mut net, mut optim)| {
            for seed in 1..4 {
                net = step(&mut optim, net, seed);
            }
            (weights(&net), net.conv2.rule_state().map(vec))
        });
        assert_eq!(whole, thawed, "{group}");
    }
}

fn frozen_groups() {
    for group in ["conv2", "conv2.weight", "conv2.training"] {
        for device in [device(), Device::flex()] {
            let mut net = Net::from(PlainNet::new(&device));
            net.conv2 = net.conv2.with_rule(Rule::swta());
            net.fc = net.fc.with_rule(Rule::swta());
            let (net, mut optim) = Plan::new().frozen("conv1").init(net, SgdConfig::new()).unwrap();
            let net = net.freeze_group(ParamGroup::from_predicate(group));
            let before = weights(&net);
            let x = tensor::<4>(1, [4, 2, 6, 5], &device);
            let (_, seen) = optim.observe(&net, Signals::none(), |net| net.forward(x)).unwrap();
            let net = optim.step(0.1, net, seen.local_only()).unwrap();
            let moved: Vec<bool> =
                weights(&net).iter().zip(&before).map(|(now, before)| now != before).collect();
            assert_eq!(moved, [false, false, true], "{group} on {device:?}");
        }
    }
}

fn frozen_pattern() {
    let mut net = net();
    net.conv2 = net.conv2.freeze();
    for plan in [swta(), Plan::new().backprop("conv2"), Plan::new().backprop("conv2.weight")] {
        let refused = plan.init(net.clone(), SgdConfig::new()).map(drop).unwrap_err();
        assert!(matches!(&refused, PlanError::Frozen { path, .. } if path.starts_with("conv2")), "{refused}");
    }
    drop(Plan::new().backprop(".*").init(net, SgdConfig::new()).unwrap());
}

#[derive(Module, Debug)]
struct Block {
    conv: Local<Conv2d>,
    norm: BatchNorm,
    sync: SyncBatchNorm,
}

/// A block with norms of both kinds, frozen by the plan, under a layer that learns.
#[derive(Module, Debug)]
struct Blocks {
    below: Block,
    above: Block,
}

impl Blocks {
    fn new() -> Self {
        let norm = || BatchNormConfig::new(3).init(&device());
        let block = |channels| Block {
            conv: Local::new(Conv2dConfig::new([channels, 3], [2, 2]).init(&device()))
                .with_rule(Rule::swta()),
            norm: norm(),
            sync: SyncBatchNorm::new(norm()),
        };
        Self { below: block(2), above: block(3) }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        [&self.below, &self.above]
            .into_iter()
            .fold(x, |x, block| block.sync.forward(block.norm.forward(block.conv.forward(x))))
    }
}

fn statistics(block: &Block) -> Vec<Vec<f64>> {
    let of = |norm: &BatchNorm| [vec(norm.running_mean.value_sync()), vec(norm.running_var.value_sync())];
    [of(&block.norm), of(block.sync.norm())].concat()
}

fn frozen_norms() {
    let plan = Plan::new().frozen("below").with(Entry::backprop("above.norm|above.sync").optional());
    let (net, mut optim) = plan.init(Blocks::new(), SgdConfig::new()).unwrap();
    let [below, above] = [statistics(&net.below), statistics(&net.above)];
    let (_, seen) = optim.observe(&net, Signals::none(), |net| net.forward(images(1))).unwrap();
    let net = optim.step(0.1, net, seen.local_only()).unwrap();
    assert_eq!(statistics(&net.below), below);
    assert!(statistics(&net.above).iter().zip(&above).all(|(now, before)| now != before));
    let _ = NormNet::new(&device());
}
