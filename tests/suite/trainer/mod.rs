//! A plan's epochs inside one training of burn-train: metrics, checkpoints, early stopping, rates.

mod checkpoints;
mod phases;
mod reports;
mod steps;

use std::{
    io,
    ops::RangeInclusive,
    path::Path,
    sync::{Arc, Mutex},
};

use burn::{
    data::{
        dataloader::{DataLoader, batcher::Batcher},
        dataset::InMemDataset,
    },
    lr_scheduler::{
        LrSchedulerConfig, exponential::ExponentialLrSchedulerConfig, linear::LinearLrSchedulerConfig,
        module_lr_scheduler::ModuleLrSchedulerConfig,
    },
    module::Module,
    nn::loss::CrossEntropyLossConfig,
    optim::{AdamConfig, ModuleOptimizer, SgdConfig},
    tensor::{Device, Tensor},
    train::{LearningResult, SupervisedTraining},
};
use burn_hebbian::{
    optim::Entry,
    prelude::*,
    rules::Similarity,
    train::{Batch, Classifier, EpochCounter, Hybrid, LogRenderer, OrderedLoader, PhasedTraining},
};
use burn_hebbian_tests::{
    net::{Net, PlainNet},
    values::numbers,
};
use libtest_mimic::Trial;

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = phases::trials();
    trials.extend(steps::trials());
    trials.extend(checkpoints::trials());
    trials.extend(reports::trials());
    trials
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

/// conv2 as an entry says, fc by backprop; conv1, which gets no gradients, stands still.
fn hybrid(conv2: Entry) -> Plan {
    Plan::new().with(conv2).frozen("net.conv1")
}
