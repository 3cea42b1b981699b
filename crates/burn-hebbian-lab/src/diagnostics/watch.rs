//! Readings while a model trains.

use std::{
    fmt,
    sync::{Arc, Mutex},
};

use burn::module::Module;

use super::{
    Diagnostics, History, Quantity, WatchMetric,
    history::{SharedHistory, lock},
};
use burn_hebbian_train::{EpochCounter, Moment, Watcher};

/// When a model is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Every {
    /// After each epoch: in its validation.
    #[default]
    Epoch,
    /// After so many training steps; 0 counts as 1.
    Steps(usize),
}

/// Reads the local layers of a model while it trains: once before the first step, then after each epoch or every so many
/// steps. In between nothing waits for the device. Clones share what they read.
///
/// ```no_run
/// # use burn::{module::Module, tensor::{Device, Tensor}, train::SupervisedTraining};
/// # use burn_hebbian_train::{Classifier, PhasedTraining, PhasedTrainingError, Hybrid};
/// # use burn_hebbian_lab::diagnostics::{Quantity, Watch};
/// # fn example<M: Classifier<Input = Tensor<4>>>(net: M, course: PhasedTraining, patterns: Tensor<4>,
/// #     training: SupervisedTraining<Hybrid<M>>) -> Result<(), PhasedTrainingError> {
/// let watch = Watch::new(course.epochs()).with_patterns(move |net: &M| drop(net.scores(patterns.clone())));
/// let learner = course.watched_learner(&training, net, |_epochs| 0.01.into(), watch.clone())?;
/// let result = training
///     .metric_valid_numeric(watch.metric("conv1", Quantity::UnitDistance))
///     .metric_valid_numeric(watch.metric("conv1", Quantity::Dead))
///     .launch(learner);
/// let history = watch.history();
/// # Ok(()) }
/// ```
pub struct Watch<M> {
    epochs: EpochCounter,
    every: Every,
    forward: Option<Arc<Forward<M>>>,
    progress: Arc<Mutex<Progress>>,
    history: SharedHistory,
}

type Forward<M> = dyn Fn(&M) + Send + Sync;

#[derive(Debug, Default)]
struct Progress {
    diagnostics: Diagnostics,
    steps: usize,
    /// The last epoch of which there is a reading.
    epoch: Option<usize>,
}

impl<M> Watch<M> {
    /// Reads the weights after each epoch of those that are counted.
    pub fn new(epochs: &EpochCounter) -> Self {
        let (progress, history) = Default::default();
        Self { epochs: epochs.clone(), every: Every::default(), forward: None, progress, history }
    }

    /// Reads them at other times.
    pub fn every(self, every: Every) -> Self {
        Self { every, ..self }
    }

    /// Reads responses too: those of the layers that `forward` runs, on the same patterns at each reading. It gets the model
    /// on its plain device, as [`valid`](Module::valid) has it, and there the patterns should be.
    pub fn with_patterns(self, forward: impl Fn(&M) + Send + Sync + 'static) -> Self {
        Self { forward: Some(Arc::new(forward)), ..self }
    }

    /// What was read so far.
    pub fn history(&self) -> History {
        lock(&self.history).clone()
    }

    /// One quantity of a layer as a metric of burn-train: of the validation, if the model is read after each epoch.
    ///
    /// It shows the last reading of the epoch, whatever the batch, and nothing before there is one. Make it before the
    /// training begins: it counts epochs on from that of the counter.
    pub fn metric(&self, layer: &str, quantity: Quantity) -> WatchMetric {
        WatchMetric::new(self.history.clone(), layer, quantity, self.epochs.current())
    }
}

impl<M: Module> Watch<M> {
    /// Reads the model now.
    pub fn read(&self, model: &M) {
        self.read_in(&mut lock(&self.progress), model, self.epochs.current());
    }

    fn read_in(&self, progress: &mut Progress, model: &M, epoch: usize) {
        let readings = match &self.forward {
            Some(forward) => {
                let model = model.valid();
                progress.diagnostics.read_with(&model, |model| forward(model))
            }
            None => progress.diagnostics.read(model),
        };
        progress.epoch = Some(epoch);
        lock(&self.history).push(epoch, progress.steps, readings);
    }
}

impl<M: Module> Watch<M> {
    fn before_step(&self, model: &M) {
        let mut progress = lock(&self.progress);
        if progress.epoch.is_none() {
            // the epoch that runs has changed nothing yet
            self.read_in(&mut progress, model, self.epochs.current().saturating_sub(1));
        }
    }

    fn after_step(&self, model: &M) {
        let mut progress = lock(&self.progress);
        progress.steps += 1;
        if let Every::Steps(steps) = self.every
            && progress.steps.is_multiple_of(steps.max(1))
        {
            self.read_in(&mut progress, model, self.epochs.current());
        }
    }

    fn in_validation(&self, model: &M) {
        let (mut progress, epoch) = (lock(&self.progress), self.epochs.current());
        if self.every == Every::Epoch && progress.epoch < Some(epoch) {
            self.read_in(&mut progress, model, epoch);
        }
    }
}

impl<M: Module> Watcher<M> for Watch<M> {
    fn see(&self, model: &M, moment: Moment) {
        match moment {
            Moment::BeforeStep => self.before_step(model),
            Moment::AfterStep => self.after_step(model),
            Moment::InValidation => self.in_validation(model),
            _ => {}
        }
    }
}

impl<M> Clone for Watch<M> {
    fn clone(&self) -> Self {
        let Self { epochs, every, forward, progress, history } = self;
        let (epochs, forward) = (epochs.clone(), forward.clone());
        Self { epochs, every: *every, forward, progress: progress.clone(), history: history.clone() }
    }
}

impl<M> fmt::Debug for Watch<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let patterns = self.forward.is_some();
        f.debug_struct("Watch")
            .field("every", &self.every)
            .field("patterns", &patterns)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use burn::{
        data::{dataloader::batcher::Batcher, dataset::InMemDataset},
        nn::{Linear, LinearConfig},
        optim::SgdConfig,
        tensor::{Device, Tensor},
        train::metric::store::Split,
    };
    use burn_hebbian_core::Rule;
    use burn_hebbian_nn::Local;
    use burn_hebbian_optim::Plan;

    use super::*;
    use burn_hebbian_train::{Batch, Classifier, Hybrid, LogRenderer, OrderedLoader, PhasedTraining};

    #[derive(Module, Debug)]
    struct Net {
        hidden: Local<Linear>,
        scores: Linear,
    }

    impl Classifier for Net {
        type Input = Tensor<2>;

        fn classes(&self) -> usize {
            2
        }

        fn scores(&self, input: Tensor<2>) -> Tensor<2> {
            self.scores.forward(self.hidden.forward(input))
        }
    }

    struct ToBatch;

    impl Batcher<u32, Batch<Tensor<2>>> for ToBatch {
        fn batch(&self, items: Vec<u32>, device: &Device) -> Batch<Tensor<2>> {
            let row = |item: &u32| [1.0, 0.5, 0.25].map(|by: f32| (*item as f32 * by).sin());
            let values: Vec<f32> = items.iter().flat_map(row).collect();
            let labels: Vec<i64> = items.iter().map(|item| i64::from(item % 2)).collect();
            let input = Tensor::<1>::from_floats(values.as_slice(), device).reshape([items.len(), 3]);
            Batch { input, targets: Tensor::from_ints(labels.as_slice(), device) }
        }
    }

    const EPOCHS: usize = 3;

    fn net() -> Net {
        let device = Device::flex().autodiff();
        let hidden = Local::new(LinearConfig::new(3, 4).with_bias(false).init(&device));
        Net { hidden: hidden.with_rule(Rule::swta()), scores: LinearConfig::new(4, 2).init(&device) }
    }

    fn course() -> PhasedTraining {
        PhasedTraining::new(&Plan::new(), EPOCHS, SgdConfig::new()).unwrap()
    }

    /// Trains four steps an epoch; what the metrics wrote for an epoch, and the network.
    fn train(watch: &Watch<Net>, course: &PhasedTraining, split: Split) -> (Vec<String>, Net) {
        let device = Device::flex().autodiff();
        let loader =
            |device: &Device| OrderedLoader::new(InMemDataset::new((0..10).collect()), ToBatch, 3, device);
        let folder = tempfile::tempdir().unwrap();
        let paper = Paper::default();
        let training = course.training::<Net>(
            folder.path(),
            Arc::new(loader(&device)),
            Arc::new(loader(&Device::flex())),
        );
        let learner = course.watched_learner(&training, net(), |_epochs| 0.1.into(), watch.clone()).unwrap();
        let mut training =
            training.with_application_logger(None).renderer(Box::new(LogRenderer::new(paper.clone())));
        for quantity in [Quantity::MeanNorm, Quantity::UpdateRatio] {
            let metric = watch.metric("hidden", quantity);
            training = match split {
                Split::Valid => training.metric_valid_numeric(metric),
                _ => training.metric_train_numeric(metric),
            };
        }
        let net = training.launch(learner).model.into_inner();
        (paper.lines(), net)
    }

    /// What is written goes where the test can read it.
    #[derive(Clone, Default)]
    struct Paper(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl Paper {
        fn lines(&self) -> Vec<String> {
            String::from_utf8(self.0.lock().unwrap().clone())
                .unwrap()
                .lines()
                .map(ToString::to_string)
                .collect()
        }
    }

    fn times(history: &History) -> Vec<(usize, usize)> {
        history.records().iter().map(|record| (record.epoch, record.step)).collect()
    }

    /// The metric's lines are the history's values; the last reading is of the trained network.
    #[test]
    fn a_model_is_read_before_the_training_and_after_each_epoch() {
        let course = course();
        let patterns = Tensor::<2>::ones([5, 3], &Device::flex());
        let watch =
            Watch::new(course.epochs()).with_patterns(move |net: &Net| drop(net.scores(patterns.clone())));
        let (lines, net) = train(&watch, &course, Split::Valid);
        let history = watch.history();
        assert_eq!(times(&history), [(0, 0), (1, 4), (2, 8), (3, 12)]);
        for (line, record) in lines.iter().zip(&history.records()[1..]) {
            let [norm, moved] =
                [Quantity::MeanNorm, Quantity::UpdateRatio].map(|quantity| record.values[&quantity]);
            let expected = format!("hidden: mean norm {norm:.3}, hidden: update to weight {moved:.3}");
            assert!(moved > 1e-3 && line.contains(&expected), "{line}: {expected}");
        }
        let last = &history.records()[3].values;
        assert_eq!(
            last[&Quantity::MeanNorm],
            super::super::norms(super::super::local_weights(&net)[0].weight.clone()).mean
        );
        assert_eq!(last[&Quantity::Dead], 0.75, "patterns that are all alike have one winner");
    }

    #[test]
    fn or_every_so_many_steps() {
        let course = course();
        let watch = Watch::new(course.epochs()).every(Every::Steps(3));
        let (lines, _) = train(&watch, &course, Split::Train);
        let history = watch.history();
        assert_eq!(times(&history), [(0, 0), (1, 3), (2, 6), (3, 9), (3, 12)]);
        for (epoch, line) in (1..).zip(&lines[..EPOCHS]) {
            let last = history.last("hidden", Quantity::MeanNorm, epoch).unwrap();
            assert!(line.contains(&format!("mean norm {last:.3}")), "{line}: {last}");
        }
    }

    /// A watched training is the same training.
    #[test]
    fn to_look_changes_nothing() {
        let weights = |net: &Net| net.scores.weight.val().into_data().iter().collect::<Vec<f32>>();
        let start = net();
        let course = course();
        let batch = || ToBatch.batch((0..6).collect(), &Device::flex().autodiff());
        let patterns = Tensor::<2>::ones([5, 3], &Device::flex());
        let watch = Watch::new(course.epochs())
            .every(Every::Steps(1))
            .with_patterns(move |net: &Net| drop(net.scores(patterns.clone())));
        let step = |learner: burn::train::Learner<Hybrid<Net>>| {
            let mut learner = learner;
            let output = learner.train_step(batch());
            learner.lr_step();
            learner.optimizer_step(output.grads);
            weights(learner.model().inner())
        };
        let folder = tempfile::tempdir().unwrap();
        let items = || Arc::new(OrderedLoader::new(InMemDataset::new(vec![0]), ToBatch, 1, &Device::flex()));
        let training = course.training::<Net>(folder.path(), items(), items());
        let plain = step(course.learner(&training, start.clone(), |_| 0.1.into()).unwrap());
        let watched =
            step(course.watched_learner(&training, start.clone(), |_| 0.1.into(), watch.clone()).unwrap());
        assert!(plain == watched && plain != weights(&start));
        assert_eq!(times(&watch.history()).len(), 2);
    }
}
