//! Burn's own trainer: a model with local layers under `SupervisedTraining`, one line a hook.

use std::io;

use burn::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::{
    data::{dataloader::DataLoaderBuilder, dataloader::batcher::Batcher, dataset::InMemDataset},
    module::{Module, ModuleDisplay},
    nn::loss::CrossEntropyLossConfig,
    optim::{GradientsParams, ModuleOptimizer, MultiGradientsParams, SgdConfig},
    tensor::{Device, ExecutionError, Int, Tensor, activation::relu},
    train::{
        ExecutionStrategy, InferenceStep, ItemLazy, Learner, MultiDeviceOptim, SupervisedTraining,
        TrainOutput, TrainStep,
    },
};
use burn_hebbian::{
    optim::{BoundPlan, Refused},
    prelude::*,
    train::LogRenderer,
};
use burn_hebbian_tests::{
    net::{Net, NormNet, PlainNet},
    values::{assert_close, numbers, vec},
};
use libtest_mimic::Trial;

use crate::on_flex;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        on_flex("learner::accumulated_micro_batches_equal_one_batch", accumulated_equals_one_batch),
        on_flex("learner::several_devices_equal_one", several_devices_equal_one),
        on_flex("learner::synchronized_norms_equal_one_device", synchronized_norms_equal_one_device),
        on_flex("learner::frozen_norms_equal_one_device", frozen_norms_equal_one_device),
        on_flex("learner::labels_reach_teacher_neurons", labels_reach_teacher_neurons),
    ]
}

/// A network of three classes.
trait Scores: Module + ModuleDisplay + 'static {
    fn scores(&self, images: Tensor<4>) -> Tensor<2>;
}

impl Scores for Net {
    fn scores(&self, images: Tensor<4>) -> Tensor<2> {
        self.forward(images)
    }
}

impl Scores for NormNet {
    fn scores(&self, images: Tensor<4>) -> Tensor<2> {
        self.forward(images)
    }
}

/// A network with the plan that is bound to it.
#[derive(Module, Debug)]
struct Model<N: Module> {
    net: N,
    #[module(skip)]
    plan: BoundPlan,
}

impl<N: Module> Model<N> {
    fn new(net: N, plan: &Plan) -> Self {
        let (net, plan) = plan.bind(net).expect("the plan fits");
        Self { net, plan }
    }

    /// One step of the network, by whatever steps it.
    fn stepped(self, step: impl FnOnce(&BoundPlan, N) -> Result<N, Refused<N>>) -> Self {
        let Self { net, plan } = self;
        let net = step(&plan, net).expect("finite updates");
        Self { net, plan }
    }
}

#[derive(Clone, Debug)]
struct Batch {
    images: Tensor<4>,
    labels: Tensor<1, Int>,
}

/// No metric is registered.
struct Nothing;

impl ItemLazy for Nothing {
    fn sync(self) -> Result<Self, ExecutionError> {
        Ok(self)
    }
}

impl<N: Scores> TrainStep for Model<N> {
    type Input = Batch;
    type Output = Nothing;

    fn step(&self, batch: Batch) -> TrainOutput<Nothing> {
        let teacher = batch.labels.clone().one_hot(3).float();
        let signals = Signals::none().with_teacher(teacher);
        let observed = self.plan.observe(&self.net, signals, |net| net.scores(batch.images));
        let (logits, seen) = observed.expect("the plan fits");
        // summed, as burn-train sums micro-batches
        let n = logits.dims()[0] as f64;
        let loss = CrossEntropyLossConfig::new().init(&logits.device()).forward(logits, batch.labels) * n;
        let updates = seen.backward(loss).expect("a loss of the network");
        TrainOutput { grads: updates.into_grads(), item: Nothing }
    }

    fn optimize(
        self,
        optimizer: &mut ModuleOptimizer,
        lr: ModuleLearningRate,
        grads: GradientsParams,
    ) -> Self {
        self.stepped(|plan, net| plan.optimize(optimizer, lr, net, grads))
    }

    fn optimize_multi(
        self,
        optimizer: &mut ModuleOptimizer,
        lr: ModuleLearningRate,
        grads: MultiGradientsParams,
    ) -> Self {
        self.stepped(|plan, net| plan.optimize_multi(optimizer, lr, net, grads))
    }
}

impl<N: Scores> InferenceStep for Model<N> {
    type Input = Batch;
    type Output = Nothing;

    fn step(&self, _batch: Batch) -> Nothing {
        Nothing
    }
}

struct ToBatch;

impl Batcher<u64, Batch> for ToBatch {
    fn batch(&self, seeds: Vec<u64>, device: &Device) -> Batch {
        let n = seeds.len();
        let pixels: Vec<f32> = seeds.iter().flat_map(|seed| numbers(*seed, 60)).collect();
        let labels: Vec<i64> = seeds.iter().map(|seed| (*seed % 3) as i64).collect();
        Batch {
            images: Tensor::<1>::from_floats(pixels.as_slice(), device).reshape([n, 2, 6, 5]),
            labels: Tensor::from_ints(labels.as_slice(), device),
        }
    }
}

/// How the trainer is run.
struct Run {
    items: Vec<u64>,
    batch_size: usize,
    accumulation: Option<usize>,
    strategy: ExecutionStrategy,
}

fn train<N: Scores>(model: Model<N>, run: Run) -> Model<N> {
    let Run { items, batch_size, accumulation, strategy } = run;
    let device = strategy.main_device().clone();
    let loader = |items: Vec<u64>| {
        DataLoaderBuilder::new(ToBatch)
            .batch_size(batch_size)
            .set_device(device.clone())
            .build(InMemDataset::new(items))
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut training = SupervisedTraining::new(folder.path(), loader(items), loader(vec![]))
        .with_application_logger(None)
        .renderer(Box::new(LogRenderer::new(io::sink())))
        .with_training_strategy(strategy.into())
        .num_epochs(2);
    if let Some(steps) = accumulation {
        training = training.grads_accumulation(steps);
    }
    let optimizer = model.plan.optimizer(SgdConfig::new());
    training.launch(Learner::new(model, optimizer, 0.02)).model
}

/// Two micro-batches of 4 through `grads_accumulation(2)` end with the weights of batches of 8.
fn accumulated_equals_one_batch(device: &Device) {
    let device = device.clone().autodiff();
    let net: Net = PlainNet::new(&device).into();
    for rule in [Rule::swta(), Rule::sanger()] {
        let plan = Plan::new().local("conv2", LocalTraining::new(rule).passing_gradients());
        let model = Model::new(net.clone(), &plan);
        let before = vec(net.conv2.layer().weight.val());
        let run = |batch_size, accumulation| Run {
            items: (0..24).collect(),
            batch_size,
            accumulation,
            strategy: ExecutionStrategy::SingleDevice(device.clone()),
        };
        let whole = train(model.clone(), run(8, None));
        let parts = train(model, run(4, Some(2)));
        let weights = |model: &Model<Net>| {
            [vec(model.net.conv1.weight.val()), vec(model.net.conv2.layer().weight.val())]
        };
        let ([a1, a2], [b1, b2]) = (weights(&whole), weights(&parts));
        assert_ne!(a2, before);
        assert_close("conv1", &b1, &a1, 1e-6);
        assert_close("conv2", &b2, &a2, 1e-6);
    }
}

/// `items` in the order in which one device sees in one batch what `devices` see in theirs: each has a share of the
/// items, the last one the rest.
fn as_one_device_sees(items: &[u64], devices: usize, batch_size: usize) -> Vec<u64> {
    let share = items.len() / devices;
    let of = |device: usize| {
        let end = if device + 1 == devices { items.len() } else { (device + 1) * share };
        items[device * share..end].chunks(batch_size).collect::<Vec<_>>()
    };
    let shares: Vec<_> = (0..devices).map(of).collect();
    let steps = shares.iter().map(Vec::len).max().unwrap_or(0);
    let at = |step: usize| shares.iter().filter_map(move |batches| batches.get(step));
    (0..steps).flat_map(at).flat_map(|batch| batch.iter().copied()).collect()
}

/// The flex device listed two and three times, both placements of the optimizer, unequal last batches: the weights of
/// one device that sees the batches of all as one. Burn sums over devices; so does the loss of this model.
fn several_devices_equal_one(device: &Device) {
    let device = device.clone().autodiff();
    let net: Net = PlainNet::new(&device).into();
    for rule in [Rule::swta(), Rule::sanger(), Rule::bcm()] {
        let plan = Plan::new().local("conv2", LocalTraining::new(rule).passing_gradients());
        let model = Model::new(net.clone(), &plan);
        for replicas in [2, 3] {
            equal_one_device(|| model.clone(), &model, replicas, &device, all_weights);
        }
    }
}

/// `several`, trained on so many devices, against `one`, trained on one device with the batches of all.
fn equal_one_device<N: Scores>(
    several: impl Fn() -> Model<N>,
    one: &Model<N>,
    replicas: usize,
    device: &Device,
    weights: fn(&Model<N>) -> Vec<f64>,
) {
    let (items, batch_size): (Vec<u64>, _) = ((0..[22, 20][replicas - 2]).collect(), 4);
    let run = Run {
        items: as_one_device_sees(&items, replicas, batch_size),
        batch_size: replicas * batch_size,
        accumulation: None,
        strategy: ExecutionStrategy::SingleDevice(device.clone()),
    };
    let expected = weights(&train(one.clone(), run));
    for placement in [MultiDeviceOptim::OptimMainDevice, MultiDeviceOptim::OptimSharded] {
        let run = Run {
            items: items.clone(),
            batch_size,
            accumulation: None,
            strategy: ExecutionStrategy::MultiDevice(vec![device.clone(); replicas], placement),
        };
        let got = weights(&train(several(), run));
        assert_close(&format!("{replicas} devices, {placement:?}"), &got, &expected, 1e-5);
    }
    assert_ne!(expected, weights(one));
}

/// Batch norms below and above a local layer that passes gradients: statistics of all devices, gradients through them.
fn synchronized_norms_equal_one_device(device: &Device) {
    let device = device.clone().autodiff();
    for replicas in [2, 3] {
        // drawn anew each time: clones share their running statistics
        let one = norm_model(NormNet::new(&device));
        let several = || norm_model(NormNet::new(&device).synchronized(replicas));
        equal_one_device(several, &one, replicas, &device, weights_and_statistics);
    }
}

/// Frozen, they take the running statistics, which stay.
fn frozen_norms_equal_one_device(device: &Device) {
    let device = device.clone().autodiff();
    let net = NormNet::new(&device);
    let frozen = NormNet { norm1: net.norm1.freeze(), norm2: net.norm2.freeze(), ..net };
    let model = norm_model(frozen);
    let statistics = statistics(&model);
    for replicas in [2, 3] {
        equal_one_device(|| model.clone(), &model, replicas, &device, weights_and_statistics);
    }
    assert_eq!(self::statistics(&model), statistics);
}

fn norm_model(net: NormNet) -> Model<NormNet> {
    let passing = LocalTraining::new(Rule::swta()).passing_gradients();
    Model::new(net, &Plan::new().local("conv2", passing))
}

fn weights_and_statistics(model: &Model<NormNet>) -> Vec<f64> {
    let NormNet { conv1, norm1, conv2, norm2, fc } = &model.net;
    let affine =
        [norm1, norm2].map(|norm| [vec(norm.norm().gamma.val()), vec(norm.norm().beta.val())].concat());
    let weights = [vec(conv1.weight.val()), vec(conv2.layer().weight.val()), vec(fc.weight.val())];
    [weights.concat(), affine.concat(), statistics(model)].concat()
}

fn statistics(model: &Model<NormNet>) -> Vec<f64> {
    let norms = [&model.net.norm1, &model.net.norm2].map(|norm| norm.norm().valid());
    norms.map(|norm| [vec(norm.running_mean.value()), vec(norm.running_var.value())].concat()).concat()
}

fn all_weights(model: &Model<Net>) -> Vec<f64> {
    let Net { conv1, conv2, fc } = &model.net;
    [vec(conv1.weight.val()), vec(conv2.layer().weight.val()), vec(fc.layer().weight.val())].concat()
}

/// Purely local training in the trainer: teacher neurons on frozen features move towards class means, to the value.
fn labels_reach_teacher_neurons(device: &Device) {
    let device = device.clone().autodiff();
    let plan = Plan::new().local("fc", Rule::teacher()).frozen("conv.*");
    let net: Net = PlainNet::new(&device).into();
    let model = Model::new(net, &plan);
    let run = Run {
        items: (0..24).collect(),
        batch_size: 6,
        accumulation: None,
        strategy: ExecutionStrategy::SingleDevice(device.clone()),
    };
    let after = vec(train(model.clone(), run).net.fc.layer().weight.val().transpose());
    let mut expected = vec(model.net.fc.layer().weight.val().transpose());
    for _ in 0..2 {
        for first in (0..24).step_by(6) {
            towards_class_means(&mut expected, &model.net, &(first..first + 6).collect::<Vec<u64>>());
        }
    }
    assert_close("teacher neurons", &after, &expected, 1e-5);
}

/// One step of rate 0.02 of three teacher neurons, by hand.
fn towards_class_means(weights: &mut [f64], net: &Net, items: &[u64]) {
    let batch = ToBatch.batch(items.to_vec(), &Device::flex());
    let net = net.valid();
    let features = relu(net.conv2.forward(relu(net.conv1.forward(batch.images)))).flatten::<2>(1, 3);
    let [n, inputs] = features.dims();
    let features = vec(features);
    for (class, weights) in weights.chunks_mut(inputs).enumerate() {
        let members: Vec<usize> = (0..n).filter(|i| items[*i] % 3 == class as u64).collect();
        for (f, weight) in weights.iter_mut().enumerate() {
            let mean = members.iter().map(|i| features[i * inputs + f]).sum::<f64>() / members.len() as f64;
            *weight += 0.02 * (mean - *weight);
        }
    }
}
