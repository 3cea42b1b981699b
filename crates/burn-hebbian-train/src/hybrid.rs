//! A classifier that trains by a plan in burn-train.

use std::borrow::Cow;

use burn::{
    lr_scheduler::module_lr_scheduler::ModuleLearningRate,
    module::{Module, ModuleDisplay},
    nn::loss::CrossEntropyLossConfig,
    optim::{GradientsParams, ModuleOptimizer, MultiGradientsParams},
    tensor::{Int, Tensor},
    train::{ClassificationOutput, InferenceStep, TrainOutput, TrainStep},
};
use burn_hebbian_core::Signals;
use burn_hebbian_optim::{PlanError, UpdateError};

use crate::{
    Course, Watcher,
    watcher::{Moment, Watching},
};

/// Every phase of a course is checked when its learner is made.
const FITTED: &str = "the plan fitted the model";

/// A network that scores classes.
pub trait Classifier: Module + ModuleDisplay + 'static {
    /// What it sees; images `[n, channels, height, width]`, say.
    type Input: Send + 'static;

    /// Number of classes.
    fn classes(&self) -> usize;

    /// `[n, classes]`, the largest for the class that it is.
    fn scores(&self, input: Self::Input) -> Tensor<2>;
}

/// Inputs with their classes.
#[derive(Debug, Clone)]
pub struct Batch<I> {
    /// The inputs.
    pub input: I,
    /// The class of each, `[n]`.
    pub targets: Tensor<1, Int>,
}

/// A classifier that trains by a plan in burn-train, made by [`Course::learner`].
///
/// Its loss is the mean cross-entropy of the scores; labels reach teacher neurons as one-hot rows. Where nothing learns
/// by backprop there is no backward pass. A model with another loss has these steps of its own in some twenty lines.
///
/// burn-train sums over micro-batches and devices: the gradient of a mean loss grows with their number, so lower the rate
/// of backprop accordingly. Local updates do not grow.
///
/// # Panics
///
/// A step panics if an update is not finite.
#[derive(Module, Debug)]
pub struct Hybrid<M: Module> {
    model: M,
    #[module(skip)]
    course: Course,
    /// The phase that the plan was last applied in.
    #[module(skip)]
    phase: usize,
    /// Who looks at the model while it trains.
    #[module(skip)]
    watcher: Option<Watching>,
}

impl<M: Classifier> Hybrid<M> {
    /// As the phase that runs has it. All phases before it leave their mark, room for the state of rules, so that records
    /// of an uninterrupted training load.
    pub(crate) fn new(model: M, course: &Course) -> Result<Self, PlanError> {
        let model = course.plan(0).apply(model)?;
        Self { model, course: course.clone(), phase: 0, watcher: None }.advanced()
    }

    pub(crate) fn watched_by(self, watcher: impl Watcher<M> + 'static) -> Self {
        Self { watcher: Some(Watching::new(watcher)), ..self }
    }

    /// The classifier.
    pub fn inner(&self) -> &M {
        &self.model
    }

    /// The classifier.
    pub fn into_inner(self) -> M {
        self.model
    }

    /// With the plan of the phase that runs, and of those in between, applied.
    fn advanced(self) -> Result<Self, PlanError> {
        let (mut model, phase) = (self.model, self.course.now());
        // min: a counter that was set back
        for begun in (self.phase + 1).min(phase)..=phase {
            model = self.course.plan(begun).apply(model)?;
        }
        Ok(Self { model, phase, ..self })
    }

    fn is_current(&self) -> bool {
        self.phase == self.course.now()
    }

    /// As the phase that runs has it: a phase begins with a step, which can copy the model, not change it.
    fn current(&self) -> Cow<'_, Self> {
        if self.is_current() {
            return Cow::Borrowed(self);
        }
        Cow::Owned(self.clone().advanced().expect(FITTED))
    }

    /// In the phase that runs; when one begins, with an optimizer of its own.
    fn renewed(self, optimizer: &mut ModuleOptimizer) -> Result<Self, PlanError> {
        if self.is_current() {
            return Ok(self);
        }
        let hybrid = self.advanced()?;
        *optimizer = hybrid.course.optimizer(hybrid.phase, &hybrid.model)?;
        Ok(hybrid)
    }

    fn stepped(
        self,
        optimizer: &mut ModuleOptimizer,
        step: impl FnOnce(&mut ModuleOptimizer, M) -> Result<M, UpdateError>,
    ) -> Self {
        let Self { model, course, phase, watcher } = self.renewed(optimizer).expect(FITTED);
        let model = step(optimizer, model).unwrap_or_else(|error| panic!("{error}"));
        let hybrid = Self { model, course, phase, watcher };
        hybrid.show(&hybrid.model, Moment::AfterStep);
        hybrid
    }

    /// Shows the model to the watcher, if there is one.
    fn show(&self, model: &M, moment: Moment) {
        if let Some(watcher) = &self.watcher {
            watcher.see(model, moment);
        }
    }

    fn output(&self, scores: Tensor<2>, targets: Tensor<1, Int>) -> ClassificationOutput {
        let loss = CrossEntropyLossConfig::new().init(&scores.device());
        ClassificationOutput::new(loss.forward(scores.clone(), targets.clone()), scores, targets)
    }
}

impl<M: Classifier> TrainStep for Hybrid<M> {
    type Input = Batch<M::Input>;
    type Output = ClassificationOutput;

    fn step(&self, batch: Self::Input) -> TrainOutput<ClassificationOutput> {
        let current = self.current();
        let (plan, model) = (self.course.plan(current.phase), &current.model);
        self.show(model, Moment::BeforeStep);
        let teacher = batch.targets.clone().one_hot(model.classes()).float();
        let signals = Signals::none().with_teacher(teacher);
        let observed = plan.observe(model, signals, || model.scores(batch.input));
        let (scores, updates) = observed.unwrap_or_else(|error| panic!("{error}"));
        let output = self.output(scores, batch.targets);
        let mut grads = match plan.needs_backward(model) {
            Ok(false) => GradientsParams::new(),
            _ => GradientsParams::from_grads(output.loss.backward(), model),
        };
        updates.register(model, &mut grads);
        TrainOutput { grads, item: output }
    }

    fn optimize(self, by: &mut ModuleOptimizer, rate: ModuleLearningRate, grads: GradientsParams) -> Self {
        let plan = self.course.plan(self.course.now()).clone();
        self.stepped(by, |by, model| plan.step(by, rate, model, grads))
    }

    fn optimize_multi(
        self,
        by: &mut ModuleOptimizer,
        rate: ModuleLearningRate,
        grads: MultiGradientsParams,
    ) -> Self {
        let plan = self.course.plan(self.course.now()).clone();
        self.stepped(by, |by, model| plan.step_multi(by, rate, model, grads))
    }
}

impl<M: Classifier> InferenceStep for Hybrid<M> {
    type Input = Batch<M::Input>;
    type Output = ClassificationOutput;

    fn step(&self, batch: Self::Input) -> ClassificationOutput {
        self.show(&self.model, Moment::InValidation);
        self.output(self.model.scores(batch.input), batch.targets)
    }
}
