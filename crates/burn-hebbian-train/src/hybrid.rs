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

use crate::Course;

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
pub struct Labelled<I> {
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
}

impl<M: Classifier> Hybrid<M> {
    pub(crate) fn new(model: M, course: &Course) -> Result<Self, PlanError> {
        let phase = course.now();
        let model = course.plan(phase).apply(model)?;
        Ok(Self { model, course: course.clone(), phase })
    }

    /// The classifier.
    pub fn inner(&self) -> &M {
        &self.model
    }

    /// The classifier.
    pub fn into_inner(self) -> M {
        self.model
    }

    /// As the phase that runs has it. A phase begins in a step, which cannot change the model, only borrow or copy it.
    fn now(&self) -> Cow<'_, Self> {
        if self.phase == self.course.now() {
            return Cow::Borrowed(self);
        }
        let hybrid = Self::new(self.model.clone(), &self.course);
        Cow::Owned(hybrid.expect("the plan fitted when the learner was made"))
    }

    /// In the phase that runs; when one begins, with an optimizer of its own.
    fn renewed(self, optimizer: &mut ModuleOptimizer) -> Result<Self, PlanError> {
        if self.phase == self.course.now() {
            return Ok(self);
        }
        let hybrid = Self::new(self.model, &self.course)?;
        *optimizer = hybrid.course.optimizer(hybrid.phase, &hybrid.model)?;
        Ok(hybrid)
    }

    fn stepped(
        self,
        optimizer: &mut ModuleOptimizer,
        step: impl FnOnce(&mut ModuleOptimizer, M) -> Result<M, UpdateError>,
    ) -> Self {
        let Self { model, course, phase } =
            self.renewed(optimizer).expect("the plan fitted when the learner was made");
        let model = step(optimizer, model).unwrap_or_else(|error| panic!("{error}"));
        Self { model, course, phase }
    }

    fn output(&self, scores: Tensor<2>, targets: Tensor<1, Int>) -> ClassificationOutput {
        let loss = CrossEntropyLossConfig::new().init(&scores.device());
        ClassificationOutput::new(loss.forward(scores.clone(), targets.clone()), scores, targets)
    }
}

impl<M: Classifier> TrainStep for Hybrid<M> {
    type Input = Labelled<M::Input>;
    type Output = ClassificationOutput;

    fn step(&self, batch: Self::Input) -> TrainOutput<ClassificationOutput> {
        let now = self.now();
        let (plan, model) = (now.course.plan(now.phase), &now.model);
        let teacher = batch.targets.clone().one_hot(model.classes()).float();
        let signals = Signals::none().with_teacher(teacher);
        let observed = plan.observe(model, signals, || model.scores(batch.input));
        let (scores, updates) = observed.unwrap_or_else(|error| panic!("{error}"));
        let output = now.output(scores, batch.targets);
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
    type Input = Labelled<M::Input>;
    type Output = ClassificationOutput;

    fn step(&self, batch: Self::Input) -> ClassificationOutput {
        self.output(self.model.scores(batch.input), batch.targets)
    }
}
