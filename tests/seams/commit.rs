//! A pass reports, a step commits.

use burn::{
    module::{Module, ModuleMapper, Param},
    nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig},
    optim::{AdamConfig, SgdConfig},
    tensor::{DType, Device, Tensor},
};
use burn_hebbian::{
    nn::SyncBatchNorm,
    optim::{Entry, Refused, Rest, UpdateError},
    prelude::*,
};
use burn_hebbian_tests::{
    net::{Net, NormNet, PlainNet},
    values::{assert_close, bits, tensor, vec},
};
use libtest_mimic::Trial;

use crate::{device, images, kind, loss};

pub(crate) fn trials() -> Vec<Trial> {
    let tests: [(_, fn()); _] = [
        ("a_nan_batch_leaves_everything_as_it_was", nan_batch),
        ("infinity_in_a_gradient_of_backprop_is_refused", infinite_gradient),
        ("a_refused_step_leaves_optimizer_and_rates", refused_optimizer),
        ("a_rehearsal_moves_nothing", rehearsal),
        ("an_evaluation_moves_nothing", evaluation),
        ("what_is_dropped_moves_nothing", dropped),
        ("micro_batches_move_statistics_once", micro_batches),
        ("a_norm_of_burns_moves_as_burn_moves_it", norm_of_burns),
        ("the_stream_of_abstention_moves_in_a_step", random_stream),
        ("teachers_of_wrong_shape_are_refused", teachers),
        ("a_rate_that_is_no_number_is_refused", rates),
        ("one_row_leaves_a_norm_alone", one_row),
        ("a_norm_in_half_precision", half_precision),
    ];
    kind("commit", tests)
}

/// Norms of both kinds, a rule with state, and backprop.
#[derive(Module, Debug)]
struct Mixed {
    net: NormNet,
    norm: BatchNorm,
    code: Local<Linear>,
    head: Linear,
}

impl Mixed {
    fn new() -> Self {
        Self {
            net: NormNet::new(&device()),
            norm: BatchNormConfig::new(3).init(&device()),
            code: Local::new(LinearConfig::new(3, 4).init(&device())).with_rule(Rule::bcm()),
            head: LinearConfig::new(4, 3).init(&device()),
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<2> {
        self.head.forward(self.code.forward(self.norm.forward(self.net.forward(x))))
    }

    /// All of it, running statistics as an evaluation would see them.
    fn bits(&self) -> Vec<u64> {
        let running =
            |norm: &BatchNorm| [vec(norm.running_mean.value_sync()), vec(norm.running_var.value_sync())];
        let norms = [&self.norm, self.net.norm1.norm(), self.net.norm2.norm()].map(running).concat().concat();
        let mut all = bits(self);
        all.extend(norms.into_iter().map(f64::to_bits));
        all
    }
}

fn plan() -> Plan {
    let below = LocalTraining::new(Rule::swta()).passing_gradients();
    Plan::new().local("net.conv2", below).local("code", LocalTraining::of_the_layer().passing_gradients())
}

fn step(optim: &mut LocalOptimizer, mixed: Mixed, x: Tensor<4>) -> Result<Mixed, Refused<Mixed>> {
    let (loss, seen) = optim.observe(&mixed, Signals::none(), |mixed| loss(mixed.forward(x))).unwrap();
    let updates = seen.backward(loss).unwrap();
    optim.step(0.05, mixed, updates)
}

fn nan_batch() {
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let (mixed, mut optim) = plan().init(Mixed::new(), AdamConfig::new()).unwrap();
        let mixed = step(&mut optim, mixed, images(1)).unwrap();
        let before = mixed.bits();
        let refused = step(&mut optim, mixed, images(2) * bad).unwrap_err();
        assert!(matches!(refused.error(), UpdateError::NotFinite { .. }), "{refused}");
        let mixed = refused.into_model();
        assert_eq!(mixed.bits(), before, "{bad}");
        let scores = vec(mixed.valid().forward(images(3).inner()));
        assert!(scores.iter().all(|score| score.is_finite()));
        step(&mut optim, mixed, images(4)).unwrap();
    }
}

/// The local layers are fine.
fn infinite_gradient() {
    let net = Net::from(PlainNet::new(&device()));
    let (net, mut optim) =
        Plan::new().local("conv2", Rule::swta()).frozen("conv1").init(net, SgdConfig::new()).unwrap();
    let before = bits(&net);
    let forward = |net: &Net| loss(net.forward(images(1))).mul_scalar(f32::INFINITY);
    let (loss, seen) = optim.observe(&net, Signals::none(), forward).unwrap();
    let updates = seen.backward(loss).unwrap();
    let refused = optim.step(0.1, net, updates).unwrap_err();
    assert!(refused.to_string().contains("`fc."), "{refused}");
    assert_eq!(bits(&refused.into_model()), before);
}

/// With the same batches, a training that met a bad one in between is the same training.
fn refused_optimizer() {
    use burn::lr_scheduler::exponential::ExponentialLrSchedulerConfig;
    let falling = ExponentialLrSchedulerConfig::new(0.1, 0.5);
    let plan = plan().with(
        Entry::local("net.conv2", LocalTraining::new(Rule::swta()).passing_gradients()).at_rate(falling),
    );
    let start = Mixed::new();
    let run = |start: Mixed, bad: bool| {
        let (mut mixed, mut optim) = plan.init(start, AdamConfig::new()).unwrap();
        for seed in 0..4 {
            if bad {
                mixed = step(&mut optim, mixed, images(9) * f32::NAN).unwrap_err().into_model();
            }
            mixed = step(&mut optim, mixed, images(seed)).unwrap();
        }
        mixed.bits()
    };
    // a fork has running statistics of its own: clones share them
    let twin = start.valid().train();
    assert_eq!(run(twin, false), run(start, true));
}

fn rehearsal() {
    let (mixed, optim) = plan().init(Mixed::new(), AdamConfig::new()).unwrap();
    let before = mixed.bits();
    let report = optim.rehearse(&mixed, Signals::none(), |mixed| mixed.forward(images(1))).unwrap();
    assert!(report.unreached.is_empty());
    assert_eq!(mixed.bits(), before);
}

/// Norms of this library, in training mode: nobody said `valid`.
fn evaluation() {
    let net = NormNet::new(&device());
    let (net, optim) = Plan::new().local("conv2", Rule::swta()).init(net, AdamConfig::new()).unwrap();
    let all = |net: &NormNet| {
        let norms = [net.norm1.norm(), net.norm2.norm()];
        let running = norms
            .map(|norm| [vec(norm.running_mean.value_sync()), vec(norm.running_var.value_sync())].concat());
        (bits(net), running)
    };
    let before = all(&net);
    drop(net.forward(images(1)));
    drop(net.clone().forward(images(2)));
    drop(net.valid().forward(images(3).inner()));
    let evaluate = |copy: &NormNet| drop((copy.clone().forward(images(4)), net.forward(images(5))));
    drop(optim.observe(&net, Signals::none(), evaluate).unwrap());
    assert_eq!(all(&net), before);
}

fn dropped() {
    let (mixed, mut optim) = plan().init(Mixed::new(), AdamConfig::new()).unwrap();
    let mixed = step(&mut optim, mixed, images(1)).unwrap();
    let before = mixed.bits();
    let (loss, seen) =
        optim.observe(&mixed, Signals::none(), |mixed| loss(mixed.forward(images(2)))).unwrap();
    drop(seen.backward(loss).unwrap());
    let (_, seen) = optim.observe(&mixed, Signals::none(), |mixed| mixed.forward(images(3))).unwrap();
    drop(seen);
    assert_eq!(mixed.bits(), before);
}

/// By the mean of what the passes ask for, each of which sees them as the last step left them.
fn micro_batches() {
    let once = |seed: u64| {
        let (mixed, mut optim) = plan().init(Mixed::new(), SgdConfig::new()).unwrap();
        statistics(&step(&mut optim, mixed, images(seed)).unwrap())
    };
    let (mixed, mut optim) = plan().init(Mixed::new(), SgdConfig::new()).unwrap();
    let observe = |mixed: &Mixed, seed: u64| {
        let forward = |mixed: &Mixed| loss(mixed.forward(images(seed)));
        let (loss, seen) = optim.observe(mixed, Signals::none(), forward).unwrap();
        seen.backward(loss).unwrap()
    };
    let both = observe(&mixed, 1).merge(observe(&mixed, 2)).unwrap();
    let both = statistics(&optim.step(0.05, mixed, both).unwrap());
    let mean: Vec<f64> = once(1).iter().zip(once(2)).map(|(one, two)| (one + two) / 2.0).collect();
    // the norm of Burn's stands behind layers drawn at random: compare those of the fixed net
    assert_close("statistics", &both, &mean, 1e-5);
}

/// Of the norms whose inputs do not depend on what is drawn.
fn statistics(mixed: &Mixed) -> Vec<f64> {
    let norm = mixed.net.norm1.norm();
    [vec(norm.running_mean.value_sync()), vec(norm.running_var.value_sync())].concat()
}

#[derive(Module, Debug)]
struct OneNorm {
    norm: BatchNorm,
    code: Local<Linear>,
}

/// Over three steps, beside a norm that no optimizer knows of.
fn norm_of_burns() {
    let code = Local::new(LinearConfig::new(3, 2).init(&device())).with_rule(Rule::swta());
    let net = OneNorm { norm: BatchNormConfig::new(3).init(&device()), code };
    let free = BatchNormConfig::new(3).init(&device());
    let plan = Plan::new().with(Entry::backprop("norm").optional());
    let (mut net, mut optim) = plan.init(net, SgdConfig::new()).unwrap();
    let of =
        |norm: &BatchNorm| [vec(norm.running_mean.value_sync()), vec(norm.running_var.value_sync())].concat();
    for seed in 0..3 {
        let x = || tensor::<2>(seed, [6, 3], &device());
        let before = of(&net.norm);
        let forward = |net: &OneNorm| net.code.forward(net.norm.forward(x()));
        let (_, seen) = optim.observe(&net, Signals::none(), forward).unwrap();
        assert_eq!(of(&net.norm), before, "a pass moves nothing");
        net = optim.step(0.0, net, seen.local_only()).unwrap();
        drop(free.forward(x()));
        assert_close("statistics", &of(&net.norm), &of(&free), 1e-6);
    }
}

fn random_stream() {
    let layer = |device: &Device| {
        let mut linear = LinearConfig::new(3, 4).with_bias(false).init(device);
        linear.weight = Param::from_tensor(tensor(5, [3, 4], device));
        Local::new(linear).with_rule(Rule::abstaining_wta(3))
    };
    let device = Device::flex();
    let x = |seed| tensor::<2>(seed, [6, 3], &device);
    let run = |looks: usize| {
        let (mut layer, mut optim) = Plan::new().init(layer(&device), SgdConfig::new()).unwrap();
        for step in 0..5 {
            for look in 0..looks {
                drop(optim.observe(&layer, Signals::none(), |layer| layer.forward(x(look as u64))).unwrap());
            }
            let (_, seen) = optim.observe(&layer, Signals::none(), |layer| layer.forward(x(step))).unwrap();
            layer = optim.step(0.1, layer, seen.local_only()).unwrap();
        }
        bits(&layer)
    };
    assert_eq!(run(0), run(3));
}

/// Before the pass where it can be known, and never by a panic.
fn teachers() {
    let net = Net::from(PlainNet::new(&device()));
    let plan = Plan::new().local("fc", Rule::teacher()).with_rest(Rest::Frozen);
    let (net, optim) = plan.init(net, SgdConfig::new()).unwrap();
    let teacher = |rows, columns| Signals::none().with_teacher(Tensor::ones([rows, columns], &device()));
    let factor =
        |rows, columns| teacher(4, 3).with_third_factor_for("fc", Tensor::ones([rows, columns], &device()));
    let bad = [
        Signals::none(),
        teacher(4, 5),
        teacher(3, 3),
        teacher(0, 3),
        factor(3, 3),
        factor(4, 2),
        factor(0, 1),
    ];
    for signals in bad {
        let shown = format!("{signals:?}");
        let refused = optim.observe(&net, signals, |net| net.forward(images(1))).map(drop).unwrap_err();
        assert!(
            matches!(&refused, UpdateError::Signals { layer, .. } if layer == "fc"),
            "{shown}: {refused}"
        );
    }
    let unknown = teacher(4, 3).with_third_factor_for("fc2", Tensor::ones([1, 1], &device()));
    let refused = optim.observe(&net, unknown, |net| net.forward(images(1))).map(drop).unwrap_err();
    assert_eq!(refused, UpdateError::ThirdFactor { layer: "fc2".to_string() });
    optim.observe(&net, factor(4, 3), |net| net.forward(images(1))).map(drop).unwrap();
}

fn rates() {
    let (mixed, mut optim) = plan().init(Mixed::new(), AdamConfig::new()).unwrap();
    let before = mixed.bits();
    let (loss, seen) =
        optim.observe(&mixed, Signals::none(), |mixed| loss(mixed.forward(images(1)))).unwrap();
    let updates = seen.backward(loss).unwrap();
    let refused = optim.step(f64::INFINITY, mixed, updates).unwrap_err();
    assert_eq!(*refused.error(), UpdateError::Rate { rate: f64::INFINITY });
    assert_eq!(refused.into_model().bits(), before);
}

#[derive(Module, Debug)]
struct Synced {
    norm: SyncBatchNorm,
    code: Local<Linear>,
}

/// Three steps on batches of so many rows; the norm's statistics before and after.
fn three_steps(rows: usize, dtype: DType) -> [Vec<f64>; 2] {
    let device = Device::flex();
    let linear = LinearConfig::new(3, 2).with_bias(false).init(&device);
    let norm = SyncBatchNorm::new(BatchNormConfig::new(3).init(&device));
    let net = Synced { norm, code: Local::new(linear).with_rule(Rule::swta()) };
    let net = net.map(&mut Cast(dtype));
    let plan = Plan::new().with_rest(Rest::Frozen);
    let (mut net, mut optim) = plan.init(net, SgdConfig::new()).unwrap();
    let of = |net: &Synced| {
        let norm = net.norm.norm();
        [vec(norm.running_mean.value_sync()), vec(norm.running_var.value_sync())].concat()
    };
    let before = of(&net);
    for seed in 0..3 {
        let x = tensor::<2>(seed, [rows, 3], &device).cast(dtype);
        let forward = |net: &Synced| net.code.forward(net.norm.forward(x));
        let (_, seen) = optim.observe(&net, Signals::none(), forward).unwrap();
        net = optim.step(0.1, net, seen.local_only()).unwrap();
    }
    [before, of(&net)]
}

struct Cast(DType);

impl ModuleMapper for Cast {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.map(|values| values.cast(self.0))
    }
}

/// One value a channel has no variance.
fn one_row() {
    let [before, after] = three_steps(1, DType::F32);
    assert_eq!(before, after);
    let [before, after] = three_steps(2, DType::F32);
    assert_ne!(before, after);
}

fn half_precision() {
    let [_, expected] = three_steps(6, DType::F32);
    for (dtype, tolerance) in [(DType::F16, 2e-3), (DType::BF16, 2e-2)] {
        let [_, half] = three_steps(6, dtype);
        assert_close("statistics", &half, &expected, tolerance);
    }
}
