//! A plan's epochs inside one training of burn-train: metrics, checkpoints, early stopping, rates.

use std::{
    io::{self, Write},
    ops::RangeInclusive,
    path::Path,
    sync::{Arc, Mutex},
};

use burn::{
    data::{
        dataloader::{DataLoader, DataLoaderBuilder, batcher::Batcher},
        dataset::InMemDataset,
    },
    grad_clipping::GradientClippingConfig,
    lr_scheduler::{
        LrSchedulerConfig, exponential::ExponentialLrSchedulerConfig, linear::LinearLrSchedulerConfig,
        module_lr_scheduler::ModuleLrSchedulerConfig,
    },
    module::Module,
    nn::loss::CrossEntropyLossConfig,
    optim::{AdamConfig, GradientsParams, ModuleOptimizer, SgdConfig},
    tensor::{Device, Tensor},
    train::{
        ExecutionStrategy, LearningResult, MetricEarlyStoppingStrategy, MultiDeviceOptim, StoppingCondition,
        SupervisedTraining,
        checkpoint::KeepLastNCheckpoints,
        metric::{
            AccuracyMetric, LossMetric,
            store::{Aggregate, Direction, Split},
        },
    },
};
use burn_hebbian::{
    optim::Entry,
    prelude::*,
    rules::Similarity,
    train::{
        Batch, Classifier, EpochCounter, Hybrid, LogRenderer, OrderedLoader, PhasedTraining, best_epoch,
    },
};
use burn_hebbian_tests::{
    net::{Net, PlainNet},
    values::{assert_close, bits, numbers, vec},
};
use libtest_mimic::Trial;

use crate::on_flex;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        on_flex("trainer::a_course_is_its_phases_one_after_the_other", course_is_its_phases),
        on_flex("trainer::labels_reach_teacher_neurons", labels_reach_teacher_neurons),
        on_flex("trainer::what_a_phase_freezes_is_untracked_and_stays", frozen_is_untracked_and_stays),
        on_flex("trainer::a_refused_step_ends_the_training_and_says_why", refused_step_ends_it),
        on_flex("trainer::loaders_of_burn_are_counted", loaders_of_burn_are_counted),
        on_flex("trainer::each_layer_moves_by_its_own_gradient_alone", each_by_its_own),
        on_flex("trainer::clipping_is_for_backprop_alone", clipping_is_for_backprop),
        on_flex("trainer::resumed_from_any_epoch_it_ends_alike", resumed_ends_alike),
        on_flex("trainer::checkpoints_are_those_of_the_plain_net", checkpoints_of_the_plain_net),
        on_flex("trainer::the_best_epoch_can_be_had", best_epoch_can_be_had),
        on_flex("trainer::metrics_reach_the_calm_line", metrics_reach_the_line),
        on_flex("trainer::early_stopping_stops", early_stopping_stops),
        on_flex("trainer::phases_hold_on_several_devices", phases_on_several_devices),
        on_flex("trainer::what_does_not_fit_is_refused", what_does_not_fit),
    ]
}

/// A network that keeps what it was at each training step.
#[derive(Module, Debug)]
struct Watched {
    net: Net,
    #[module(skip)]
    steps: Arc<Mutex<Vec<Net>>>,
}

impl Classifier for Watched {
    type Input = Tensor<4>;

    fn classes(&self) -> usize {
        3
    }

    fn scores(&self, images: Tensor<4>) -> Tensor<2> {
        if images.device().is_autodiff() {
            self.steps.lock().unwrap().push(self.net.clone());
        }
        self.net.forward(images)
    }
}

struct ToBatch;

impl Batcher<u64, Batch<Tensor<4>>> for ToBatch {
    fn batch(&self, seeds: Vec<u64>, device: &Device) -> Batch<Tensor<4>> {
        let pixels: Vec<f32> = seeds.iter().flat_map(|seed| numbers(*seed, 60)).collect();
        let labels: Vec<i64> = seeds.iter().map(|seed| (*seed % 3) as i64).collect();
        Batch {
            input: Tensor::<1>::from_floats(pixels.as_slice(), device).reshape([seeds.len(), 2, 6, 5]),
            targets: Tensor::from_ints(labels.as_slice(), device),
        }
    }
}

type Loader = OrderedLoader<u64, Batch<Tensor<4>>>;

/// Images of an epoch, and of a step; the last step is smaller.
const IMAGES: u64 = 22;
const BATCH: usize = 6;

fn loader(epochs: &EpochCounter, device: &Device) -> Loader {
    let data = InMemDataset::new((0..IMAGES).collect());
    OrderedLoader::new(data, ToBatch, BATCH, device).shuffled(7, epochs)
}

fn validation(device: &Device) -> Arc<Loader> {
    Arc::new(OrderedLoader::new(InMemDataset::new((100..109).collect()), ToBatch, 4, device))
}

/// The first rate of what has none of its own.
const RATE: f64 = 0.02;

fn falling(phase: &RangeInclusive<usize>) -> LrSchedulerConfig {
    LinearLrSchedulerConfig::new(RATE, 0.001, 4 * phase.clone().count()).into()
}

/// A training of the suite's network.
struct Run {
    net: Net,
    plan: Plan,
    optimizer: ModuleOptimizer,
    epochs: usize,
    /// The epoch of the checkpoint to resume from.
    after: usize,
}

/// What a training gives.
struct Trained {
    net: Net,
    /// The network at every step of it.
    steps: Vec<Net>,
    /// The last epoch that began.
    epochs: usize,
    /// Why it ended early.
    interrupted: Option<String>,
}

impl Run {
    fn new(net: &Net, plan: &Plan, epochs: usize) -> Self {
        let optimizer = AdamConfig::new().build().into();
        Self { net: net.clone(), plan: plan.clone(), optimizer, epochs, after: 0 }
    }

    fn launch(self, folder: &Path, change: impl FnOnce(Training) -> Training) -> Trained {
        let device = self.net.conv1.weight.device();
        self.launch_on(folder, |epochs| Arc::new(loader(epochs, &device)), change)
    }

    fn launch_on(
        self,
        folder: &Path,
        loader: impl FnOnce(&EpochCounter) -> Arc<dyn DataLoader<Batch<Tensor<4>>>>,
        change: impl FnOnce(Training) -> Training,
    ) -> Trained {
        let course =
            PhasedTraining::new(&self.plan, self.epochs, self.optimizer).unwrap().after(self.after).unwrap();
        let validation = validation(&self.net.conv1.weight.device().inner());
        let steps = Arc::new(Mutex::new(Vec::new()));
        let watched = Watched { net: self.net, steps: steps.clone() };
        let training = course
            .training(folder, loader(course.epochs()), validation)
            .with_application_logger(None)
            .renderer(Box::new(LogRenderer::new(io::sink())));
        let training = change(training);
        let learner = course.learner(&training, watched, falling).unwrap();
        let LearningResult { model, error, interrupted, .. } = training.launch(learner);
        assert!(error.is_none(), "{error:?}");
        let steps = std::mem::take(&mut *steps.lock().unwrap());
        let interrupted = interrupted.and_then(|interruption| interruption.reason);
        Trained { net: model.into_inner().net, steps, epochs: course.epochs().current(), interrupted }
    }

    fn train(self) -> Trained {
        let folder = tempfile::tempdir().unwrap();
        let trained = self.launch(folder.path(), |training| training);
        assert_eq!(trained.interrupted, None);
        trained
    }
}

type Training = SupervisedTraining<Hybrid<Watched>>;

fn fresh(device: &Device) -> Net {
    PlainNet::new(&device.clone().autodiff()).into()
}

/// Pre-training with a rule that keeps state, then fine-tuning with its own optimizer and rates, then the classifier.
fn three_phases() -> Plan {
    let wta = Rule::abstaining_wta(11).with_similarity(Similarity::Dot);
    let slower = ExponentialLrSchedulerConfig::new(0.05, 0.9);
    Plan::new()
        .with(Entry::local("net.conv2", wta).at_rate(slower).in_epochs(..=2))
        .with(Entry::backprop("net.conv.*").by(SgdConfig::new()).in_epochs(3..=3))
        .with(Entry::backprop("net.fc").at_rate(0.003).in_epochs(3..))
}

/// The same as a loop over epochs and steps, written out.
fn epoch_by_epoch(net: &Net, plan: &Plan, epochs: usize) -> Net {
    let device = net.conv1.weight.device();
    let watched = Watched { net: net.clone(), steps: Arc::default() };
    let (mut model, mut optim) = plan.init(watched, AdamConfig::new()).unwrap();
    let loader = loader(&EpochCounter::new(), &device);
    for phase in plan.phases(epochs) {
        let mut rates = ModuleLrSchedulerConfig::new(falling(&phase)).init().unwrap();
        for epoch in phase {
            model = optim.begin_epoch(epoch, model).unwrap();
            for batch in loader.iter() {
                let Batch { input, targets } = batch.unwrap();
                let signals = Signals::none().with_teacher(targets.clone().one_hot(3).float());
                let observed = optim.observe(&model, signals, |model| model.scores(input));
                let (scores, seen) = observed.unwrap();
                let loss = CrossEntropyLossConfig::new().init(&device).forward(scores, targets);
                let updates = seen.backward(loss).unwrap();
                model = optim.step(rates.step().base(), model, updates).unwrap();
            }
        }
    }
    model.net
}

fn course_is_its_phases(device: &Device) {
    let (net, plan) = (fresh(device), three_phases());
    assert_eq!(plan.phases(5), [1..=2, 3..=3, 4..=5]);
    let trained = Run::new(&net, &plan, 5).train();
    assert_eq!((trained.epochs, trained.steps.len()), (5, 20));
    // the schedule of a phase knows its length: compared where a phase ends
    for epochs in [2, 3, 5] {
        let there = trained.steps.get(4 * epochs).unwrap_or(&trained.net);
        assert!(bits(there) == bits(&epoch_by_epoch(&net, &plan, epochs)), "after epoch {epochs}");
    }
}

fn labels_reach_teacher_neurons(device: &Device) {
    let net = fresh(device);
    let plan = Plan::new().local("net.fc", Rule::teacher()).frozen("net.conv.*");
    let trained = Run::new(&net, &plan, 2).train().net;
    assert!(bits(&trained) != bits(&net));
    assert!(bits(&trained) == bits(&epoch_by_epoch(&net, &plan, 2)));
}

fn frozen_is_untracked_and_stays(device: &Device) {
    let net = fresh(device);
    let Trained { mut steps, net, .. } = Run::new(&net, &three_phases(), 5).train();
    let tracked = |net: &Net| {
        let Net { conv1, conv2, fc } = net;
        [
            &conv1.weight.is_require_grad(),
            &conv2.layer().weight.is_require_grad(),
            &fc.layer().weight.is_require_grad(),
        ]
        .map(|tracked| *tracked)
    };
    let expected = |step: usize| match step / 4 + 1 {
        // conv2 learns by its rule: the layer itself keeps its weight out of the graph
        ..=2 => [false, true, false],
        3 => [true, true, true],
        _ => [false, false, true],
    };
    for (step, net) in steps.iter().enumerate() {
        assert_eq!(tracked(net), expected(step), "conv1, conv2 and fc in step {step}");
    }
    steps.push(net);
    for (step, pair) in steps.windows(2).enumerate() {
        let weights = |net: &Net| {
            [
                vec(net.conv1.weight.val()),
                vec(net.conv2.layer().weight.val()),
                vec(net.fc.layer().weight.val()),
            ]
        };
        let (before, after) = (weights(&pair[0]), weights(&pair[1]));
        let moved = [0, 1, 2].map(|layer| before[layer] != after[layer]);
        assert_eq!(moved, expected(step), "conv1, conv2 and fc by step {step}");
    }
}

/// conv1 lies below a layer that passes nothing on.
fn refused_step_ends_it(device: &Device) {
    let net = fresh(device);
    let folder = tempfile::tempdir().unwrap();
    let blocking = Plan::new().local("net.conv2", Rule::swta());
    let trained = Run::new(&net, &blocking, 3).launch(folder.path(), |training| training);
    let reason = trained.interrupted.unwrap_or_default();
    assert!(reason.contains("`net.conv1.weight` was to learn by backprop"), "{reason}");
    assert_eq!(trained.steps.len(), 1);
    assert!(bits(&trained.net) == bits(&net), "nothing has changed");
}

/// burn-train's own loader, which tells nobody of its passes.
fn loaders_of_burn_are_counted(device: &Device) {
    let net = fresh(device);
    let folder = tempfile::tempdir().unwrap();
    let data = InMemDataset::new((0..IMAGES).collect());
    let on = device.clone().autodiff();
    let loader =
        |_: &EpochCounter| DataLoaderBuilder::new(ToBatch).batch_size(BATCH).set_device(on).build(data);
    let trained = Run::new(&net, &three_phases(), 5).launch_on(folder.path(), loader, |training| training);
    assert_eq!((trained.interrupted, trained.epochs, trained.steps.len()), (None, 5, 20));
    let conv1 = |step: usize| vec(trained.steps[step].conv1.weight.val());
    assert_eq!(conv1(0), conv1(8), "it learns in epoch 3 alone");
    assert_ne!(conv1(8), conv1(12));
    assert_eq!(conv1(12), conv1(19));
}

/// The first batch of the first epoch.
fn first_batch(device: &Device) -> Batch<Tensor<4>> {
    loader(&EpochCounter::new(), device).iter().next().unwrap().unwrap()
}

/// The first step by SGD: backprop layers by what autodiff alone gives, the local layer by its rule alone, and what lies
/// below a blocking layer by nothing.
fn each_by_its_own(device: &Device) {
    let plain = PlainNet::new(&device.clone().autodiff());
    let net: Net = plain.clone().into();
    let Batch { input, targets } = first_batch(&device.clone().autodiff());
    let loss = CrossEntropyLossConfig::new().init(&input.device()).forward(plain.forward(input), targets);
    let backprop = GradientsParams::from_grads(loss.backward(), &plain);
    let rule = |flow: fn(LocalTraining) -> LocalTraining| {
        let local = flow(LocalTraining::new(Rule::swta()));
        Plan::new().local("net.conv2", local).with(Entry::backprop("net.conv1").optional())
    };
    for (passes, plan) in [(false, rule(|local| local)), (true, rule(LocalTraining::passing_gradients))] {
        let run = Run { optimizer: SgdConfig::new().init(), ..Run::new(&net, &plan, 1) };
        let steps = run.train().steps;
        let check = |what, layer: fn(&Net) -> Vec<f64>, gradient: Vec<f64>| {
            let (before, after) = (layer(&steps[0]), layer(&steps[1]));
            let expected: Vec<f64> = before.iter().zip(gradient).map(|(w, g)| w - RATE * g).collect();
            assert_close(what, &after, &expected, 1e-7);
            after != before
        };
        let fc = vec(backprop.get::<2>(plain.fc.weight.id).unwrap());
        assert!(check("fc", |net| vec(net.fc.layer().weight.val()), fc));
        let conv1 = vec(backprop.get::<4>(plain.conv1.weight.id).unwrap());
        let conv1 = if passes { conv1 } else { vec![0.0; conv1.len()] };
        assert_eq!(check("conv1", |net| vec(net.conv1.weight.val()), conv1), passes);
        assert!(check("conv2", |net| vec(net.conv2.layer().weight.val()), local_gradient(&plan, &net)));
    }
}

/// What conv2 learns of the first batch where nothing else does, on a plain device.
fn local_gradient(plan: &Plan, net: &Net) -> Vec<f64> {
    let plain = Net::from(PlainNet::new(&Device::flex())).load_record(net.clone().into_record());
    let watched = Watched { net: plain, steps: Arc::default() };
    let images = first_batch(&Device::flex()).input;
    let (watched, bound) = plan.bind(watched).unwrap();
    let (_, seen) = bound.observe(&watched, Signals::none(), |watched| watched.scores(images)).unwrap();
    let (watched, grads) = bound.finish(watched, seen.local_only()).unwrap();
    vec(grads.get::<4>(watched.net.conv2.layer().weight.id).unwrap())
}

/// conv2 as an entry says, fc by backprop; conv1, which gets no gradients, stands still.
fn hybrid(conv2: Entry) -> Plan {
    Plan::new().with(conv2).frozen("net.conv1")
}

fn clipping_is_for_backprop(device: &Device) {
    let net = fresh(device);
    let plan = hybrid(Entry::local("net.conv2", Rule::swta()).at_rate(0.1));
    let clipping = SgdConfig::new().with_gradient_clipping(Some(GradientClippingConfig::Value(1e-9)));
    let run = |optimizer: ModuleOptimizer| Run { optimizer, ..Run::new(&net, &plan, 1) }.train().steps;
    let (free, clipped) = (run(SgdConfig::new().init()), run(clipping.init()));
    let fc = |steps: &[Net], step: usize| vec(steps[step].fc.layer().weight.val());
    assert_ne!(fc(&free, 0), fc(&free, 1));
    assert_close("clipped", &fc(&clipped, 1), &fc(&clipped, 0), 1e-7);
    let conv2 = |net: &Net| vec(net.conv2.layer().weight.val());
    assert_ne!(conv2(&free[3]), conv2(&free[0]));
    assert_eq!(conv2(&free[3]), conv2(&clipped[3]));
}

/// By burn-train's own checkpoints of model, optimizer and rates; across changes of phase too.
fn resumed_ends_alike(device: &Device) {
    let net = fresh(device);
    let plan = three_phases();
    let whole = Run::new(&net, &plan, 5).train().net;
    for after in 1..=4 {
        let folder = tempfile::tempdir().unwrap();
        let kept = |training: Training| {
            training.with_default_checkpointers().with_checkpointing_strategy(KeepLastNCheckpoints::new(9))
        };
        // as long a course, stopped there
        let run = Run::new(&net, &plan, 5);
        let stopped = run.launch(folder.path(), |training| kept(training).num_epochs(after));
        assert_eq!(stopped.epochs, after);
        // other weights, so that they must come from the checkpoint
        let other = Run { after, ..Run::new(&fresh(device), &plan, 5) };
        let resumed = other.launch(folder.path(), kept);
        // Burn loads an optimizer's state to the default device, a GPU reads its file late, and a phase may not want it
        Device::default().sync().unwrap();
        assert_eq!((resumed.epochs, resumed.steps.len()), (5, 4 * (5 - after)));
        assert!(bits(&resumed.net) == bits(&whole), "resumed after epoch {after}");
    }
}

/// A net without a trainer around it, and without a plan.
#[derive(Module, Debug)]
struct Inner {
    net: PlainNet,
}

fn checkpoints_of_the_plain_net(device: &Device) {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan::new().local("net.conv2", LocalTraining::new(Rule::swta()).passing_gradients());
    let trained = Run::new(&fresh(device), &plan, 2)
        .launch(folder.path(), |training| training.with_default_checkpointers());
    let file = folder.path().join("checkpoint/model-2.bpk");
    let plain = Inner { net: PlainNet::new(&device.clone().autodiff()) }.try_load_file(file).unwrap();
    assert!(bits(&plain.net) == bits(&trained.net));
}

/// The one of those kept whose loss on the validation images is the lowest; and the last is what the training gave.
fn best_epoch_can_be_had(device: &Device) {
    let folder = tempfile::tempdir().unwrap();
    let plan = three_phases();
    let trained = Run::new(&fresh(device), &plan, 5).launch(folder.path(), |training| {
        let kept = KeepLastNCheckpoints::new(9);
        training
            .metrics((AccuracyMetric::new(), LossMetric::new()))
            .with_default_checkpointers()
            .with_checkpointing_strategy(kept)
    });
    let course = PhasedTraining::new(&plan, 5, AdamConfig::new()).unwrap();
    let load = |epoch| {
        let fresh = Watched { net: fresh(device), steps: Arc::default() };
        course.load(fresh, folder.path(), epoch).unwrap().net
    };
    assert!(bits(&load(5)) == bits(&trained.net));
    let loss = |epoch: &usize| {
        let net = load(*epoch).valid();
        let images = validation(&device.clone().inner());
        let losses = images.iter().map(|batch| {
            let Batch { input, targets } = batch.unwrap();
            let loss = CrossEntropyLossConfig::new().init(&targets.device());
            vec(loss.forward(net.forward(input), targets))[0]
        });
        losses.sum::<f64>()
    };
    let lowest = (1..=5).min_by(|a, b| loss(a).total_cmp(&loss(b)));
    assert_eq!(best_epoch(folder.path(), "Loss", Direction::Lowest).unwrap(), lowest);
}

/// What is written goes where the test can read it.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Paper {
    fn lines(&self) -> Vec<String> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines().map(ToString::to_string).collect()
    }
}

fn metrics_reach_the_line(device: &Device) {
    let paper = Paper::default();
    let plan = hybrid(Entry::local("net.conv2", Rule::swta()));
    let folder = tempfile::tempdir().unwrap();
    let trained = Run::new(&fresh(device), &plan, 3).launch(folder.path(), |training| {
        training
            .metrics((AccuracyMetric::new(), LossMetric::new()))
            .renderer(Box::new(LogRenderer::new(paper.clone())))
    });
    let lines = paper.lines();
    assert_eq!(lines.len(), 3, "{lines:?}");
    let Batch { input, targets } = ToBatch.batch((100..109).collect(), device);
    let guesses = trained.net.forward(input).argmax(1).squeeze_dim::<1>(1);
    let right: f64 = guesses.equal(targets).int().sum().into_scalar();
    let accuracy = format!("valid: Accuracy {:.2} %, Loss", 100.0 * right / 9.0);
    assert!(
        lines[2].starts_with("epoch 3/3 | train: Accuracy ") && lines[2].contains(&accuracy),
        "{lines:?}"
    );
}

/// At rate 0 nothing improves after the first epoch.
fn early_stopping_stops(device: &Device) {
    let (paper, folder) = (Paper::default(), tempfile::tempdir().unwrap());
    let patience = StoppingCondition::NoImprovementSince { n_epochs: 2 };
    let stopping = MetricEarlyStoppingStrategy::new(
        &LossMetric::new(),
        Aggregate::Mean,
        Direction::Lowest,
        Split::Valid,
        patience,
    );
    let still = Plan::new().with(Entry::backprop(".*").at_rate(0.0));
    let trained = Run::new(&fresh(device), &still, 20).launch(folder.path(), |training| {
        let interrupter = training.interrupter();
        training
            .metrics((LossMetric::new(),))
            .early_stopping(stopping)
            .renderer(Box::new(LogRenderer::new(paper.clone()).watching(interrupter)))
    });
    assert_eq!(trained.epochs, 3);
    assert_eq!(paper.lines()[3], "stopped early after epoch 3");
}

fn phases_on_several_devices(device: &Device) {
    let plan = hybrid(Entry::local("net.conv2", Rule::swta()).at_rate(0.1).in_epochs(..=1));
    let net = fresh(device);
    for placement in [MultiDeviceOptim::OptimMainDevice, MultiDeviceOptim::OptimSharded] {
        let folder = tempfile::tempdir().unwrap();
        let two = vec![device.clone().autodiff(); 2];
        let trained = Run::new(&net, &plan, 3).launch(folder.path(), |training| {
            training.with_training_strategy(ExecutionStrategy::MultiDevice(two, placement).into())
        });
        assert_eq!((trained.epochs, trained.steps.len()), (3, 12));
        let conv2 = |net: &Net| vec(net.conv2.layer().weight.val());
        assert_ne!(conv2(&trained.steps[0]), conv2(&trained.steps[2]), "{placement:?}: it learned");
        assert_eq!(
            conv2(&trained.steps[4]),
            conv2(&trained.net),
            "{placement:?}: it learned in epoch 1 alone"
        );
        let fc = |net: &Net| vec(net.fc.layer().weight.val());
        assert_ne!(fc(&trained.steps[4]), fc(&trained.net));
    }
}

fn what_does_not_fit(device: &Device) {
    let folder = tempfile::tempdir().unwrap();
    let refused = |plan: Plan, epochs: usize, rate: LrSchedulerConfig| {
        let watched = Watched { net: fresh(device), steps: Arc::default() };
        let learner = PhasedTraining::new(&plan, epochs, SgdConfig::new()).and_then(|course| {
            let loader = Arc::new(loader(course.epochs(), device));
            let training = course.training(folder.path(), loader, validation(device));
            course.learner(&training, watched, |_| rate.clone())
        });
        learner.err().map(|error| error.to_string()).unwrap_or_default()
    };
    let later = Plan::new().with(Entry::local("net.conv2", Rule::k_wta(40)).in_epochs(2..));
    let text = refused(later, 3, 0.1.into());
    assert!(text.contains("got 40"), "{text}");
    assert_eq!(refused(Plan::new(), 0, 0.1.into()), "a course has at least 1 epoch, got 0");
    let rate = LinearLrSchedulerConfig::new(0.1, 0.0, 0).into();
    let text = refused(Plan::new().with(Entry::frozen("net.fc").in_epochs(3..)), 4, rate);
    assert!(text.starts_with("learning rate in epochs 1 to 2: "), "{text}");
    let after = |epoch| PhasedTraining::new(&Plan::new(), 3, SgdConfig::new()).unwrap().after(epoch);
    assert!(after(2).is_ok());
    assert_eq!(after(3).err().unwrap().to_string(), "a course of 3 epochs cannot go on after epoch 3");
}
