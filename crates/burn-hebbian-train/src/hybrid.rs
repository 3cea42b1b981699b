//! A classifier that trains by a plan in burn-train.

use std::{borrow::Cow, fmt};

use burn::{
    lr_scheduler::module_lr_scheduler::ModuleLearningRate,
    module::{
        Content, Devices, DisplaySettings, Module, ModuleDisplay, ModuleDisplayDefault, ModuleMapper,
        ModuleVisitor,
    },
    nn::loss::CrossEntropyLossConfig,
    optim::{GradientsParams, ModuleOptimizer, MultiGradientsParams},
    tensor::{Device, Int, Tensor},
    train::{ClassificationOutput, InferenceStep, TrainOutput, TrainStep},
};
use burn_hebbian_core::Signals;
use burn_hebbian_optim::{BoundPlan, PlanError, Refused};

use crate::{
    phases::Phases,
    stop::Refusal,
    watcher::{Moment, Watcher, Watching},
};

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

/// A classifier that trains by a plan in burn-train, made by [`PhasedTraining::learner`](crate::PhasedTraining::learner).
///
/// Its loss is the mean cross-entropy of the scores; labels reach teacher neurons as one-hot rows. Where nothing learns
/// by backprop there is no backward pass. A model with another loss has these steps of its own in some twenty lines, with
/// a [`BoundPlan`] in a skipped field.
///
/// It has no path level of its own: its records, burn-train's checkpoints for one, are those of the classifier.
///
/// burn-train sums over micro-batches and devices: the gradient of a mean loss grows with their number, so lower the rate
/// of backprop accordingly. Local updates do not grow.
///
/// A step that is refused ends the training, with nothing changed: its result says why.
#[derive(Debug, Clone)]
pub struct Hybrid<M: Module> {
    model: M,
    /// The plan as the phase has it that the model was last bound in.
    plan: BoundPlan,
    phase: usize,
    phases: Phases,
    /// Who looks at the model while it trains.
    watcher: Option<Watching>,
}

impl<M: Classifier> Hybrid<M> {
    /// As the phase that runs has it. All phases before it leave their mark, room for the state of rules, so that records
    /// of an uninterrupted training load.
    pub(crate) fn new(model: M, phases: &Phases) -> Result<Self, PlanError> {
        let (model, plan) = phases.bind(0, model)?;
        Self { model, plan, phase: 0, phases: phases.clone(), watcher: None }.advanced()
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

    /// The plan, bound to the classifier in the phase that runs.
    pub fn plan(&self) -> &BoundPlan {
        &self.plan
    }

    /// With the plan bound as the phase that runs has it, and those in between.
    fn advanced(self) -> Result<Self, PlanError> {
        let Self { mut model, mut plan, phase, phases, watcher } = self;
        let now = phases.now();
        // min: a counter that was set back
        for begun in (phase + 1).min(now)..=now {
            if begun != phase {
                (model, plan) = phases.bind(begun, model)?;
            }
        }
        Ok(Self { model, plan, phase: now, phases, watcher })
    }

    /// As the phase that runs has it: a phase begins with a step, which can copy the model, not change it.
    fn current(&self) -> Result<Cow<'_, Self>, Refusal> {
        if !self.phases.is_counted() {
            return Err(Refusal::Uncounted);
        }
        Ok(if self.phase == self.phases.now() {
            Cow::Borrowed(self)
        } else {
            Cow::Owned(self.clone().advanced()?)
        })
    }

    fn teach(&self, batch: Batch<M::Input>) -> Result<TrainOutput<ClassificationOutput>, Refusal> {
        let current = self.current()?;
        let (plan, model) = (&current.plan, &current.model);
        self.show(model, Moment::BeforeStep);
        let teacher = batch.targets.clone().one_hot(model.classes()).float();
        let signals = Signals::none().with_teacher(teacher);
        let (scores, seen) = plan.observe(model, signals, |model| model.scores(batch.input))?;
        let item = self.output(scores, batch.targets);
        let grads = seen.backward(item.loss.clone())?.into_grads();
        Ok(TrainOutput { grads, item })
    }

    /// One step, in the phase that runs; when one begins, with an optimizer of its own.
    fn stepped(
        self,
        optimizer: &mut ModuleOptimizer,
        step: impl FnOnce(&BoundPlan, &mut ModuleOptimizer, M) -> Result<M, Refused<M>>,
    ) -> Self {
        if self.phases.stop().has_ended() {
            return self;
        }
        let (phase, untouched) = (self.phase, self.clone());
        let Self { model, plan, phase: now, phases, watcher } = match self.advanced() {
            Ok(hybrid) => hybrid,
            Err(error) => {
                untouched.phases.stop().end(&error.into());
                return untouched;
            }
        };
        drop(untouched);
        if phase != now {
            *optimizer = phases.optimizer(&plan);
        }
        let (model, refusal) = match step(&plan, optimizer, model) {
            Ok(model) => (model, None),
            Err(refused) => {
                let (model, error) = refused.into_parts();
                (model, Some(error))
            }
        };
        let hybrid = Self { model, plan, phase: now, phases, watcher };
        match refusal {
            Some(error) => hybrid.phases.stop().end(&error.into()),
            None => hybrid.show(&hybrid.model, Moment::AfterStep),
        }
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

    /// What burn-train gets to see of a step that was refused.
    fn nothing(&self, targets: Tensor<1, Int>) -> ClassificationOutput {
        let scores = Tensor::zeros([targets.dims()[0], self.model.classes()], &targets.device());
        self.output(scores, targets)
    }
}

impl<M: Classifier> TrainStep for Hybrid<M> {
    type Input = Batch<M::Input>;
    type Output = ClassificationOutput;

    fn step(&self, batch: Self::Input) -> TrainOutput<ClassificationOutput> {
        let targets = batch.targets.clone();
        self.teach(batch).unwrap_or_else(|refusal| {
            self.phases.stop().end(&refusal);
            TrainOutput { grads: GradientsParams::new(), item: self.nothing(targets) }
        })
    }

    fn optimize(self, by: &mut ModuleOptimizer, rate: ModuleLearningRate, grads: GradientsParams) -> Self {
        self.stepped(by, |plan, by, model| plan.optimize(by, rate, model, grads))
    }

    fn optimize_multi(
        self,
        by: &mut ModuleOptimizer,
        rate: ModuleLearningRate,
        grads: MultiGradientsParams,
    ) -> Self {
        self.stepped(by, |plan, by, model| plan.optimize_multi(by, rate, model, grads))
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

impl<M: Classifier> Module for Hybrid<M> {
    fn visit<V: ModuleVisitor>(&self, visitor: &mut V) {
        self.model.visit(visitor);
    }

    fn map<O: ModuleMapper>(self, mapper: &mut O) -> Self {
        Self { model: self.model.map(mapper), ..self }
    }

    fn collect_devices(&self, devices: Devices) -> Devices {
        self.model.collect_devices(devices)
    }

    fn fork(self, device: &Device) -> Self {
        Self { model: self.model.fork(device), ..self }
    }

    fn to_device(self, device: &Device) -> Self {
        Self { model: self.model.to_device(device), ..self }
    }

    fn train(self) -> Self {
        Self { model: self.model.train(), ..self }
    }

    fn valid(&self) -> Self {
        let Self { model, plan, phase, phases, watcher } = self;
        let (plan, phases, watcher) = (plan.clone(), phases.clone(), watcher.clone());
        Self { model: model.valid(), plan, phase: *phase, phases, watcher }
    }

    fn materialize(self) -> Self {
        Self { model: self.model.materialize(), ..self }
    }
}

impl<M: Classifier> ModuleDisplayDefault for Hybrid<M> {
    fn content(&self, content: Content) -> Option<Content> {
        self.model.content(content.set_top_level_type("Hybrid"))
    }

    fn num_params(&self) -> usize {
        Module::num_params(self)
    }
}

impl<M: Classifier> ModuleDisplay for Hybrid<M> {}

impl<M: Classifier> fmt::Display for Hybrid<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.format(DisplaySettings::default()))
    }
}
