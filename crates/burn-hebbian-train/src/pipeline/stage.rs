//! One stage at work.

use std::{
    any::Any,
    collections::{HashSet, VecDeque},
    sync::mpsc::Receiver,
    thread::{self, Scope, ScopedJoinHandle},
};

use burn::tensor::Device;
use burn_hebbian_optim::{BoundPlan, LocalOptimizer, UpdateError, Updates};

use super::{PipelineError, Staged, merge::Trained};

/// A stage with the whole model, of which it trains its own part.
pub(super) struct Stage<M: Staged> {
    number: usize,
    rate: f64,
    delay: usize,
    model: M,
    device: Device,
    /// With the state of all stages, so that it stays in one piece; a step is short beside a pass.
    optim: LocalOptimizer,
    trained: Trained,
    /// The local layers that the stage has reached.
    reached: HashSet<String>,
    /// What was learned and is not published yet.
    late: VecDeque<Updates>,
}

/// What a stage makes of a batch.
type Pass<F> = Result<(F, Updates), PipelineError>;

/// What a stage leaves behind.
pub(super) struct Done<M> {
    pub(super) model: M,
    pub(super) optim: LocalOptimizer,
    /// The modules of the model that the stage has trained.
    pub(super) trained: Trained,
    pub(super) reached: HashSet<String>,
}

impl<M: Staged> Stage<M> {
    pub(super) fn new(
        number: usize,
        rate: f64,
        delay: usize,
        model: M,
        device: Option<&Device>,
        optim: LocalOptimizer,
    ) -> Self {
        let model = match device {
            Some(device) => model.fork(device),
            None => model,
        };
        let device = device.cloned().or_else(|| model.devices().into_iter().next());
        let device = device.unwrap_or_default();
        let (trained, reached, late) = (Trained::none_of(&model), HashSet::new(), VecDeque::new());
        Self { number, rate, delay, model, device, optim, trained, reached, late }
    }

    pub(super) fn number(&self) -> usize {
        self.number
    }

    pub(super) fn done(self) -> Done<M> {
        let Self { model, optim, trained, reached, .. } = self;
        Done { model, optim, trained, reached }
    }

    /// Works on what comes from below until nothing comes any more; ends early if nobody takes what it hands on.
    pub(super) fn work(
        &mut self,
        below: Receiver<M::Flow>,
        hand_on: impl Fn(M::Flow) -> bool,
    ) -> Result<(), PipelineError> {
        thread::scope(|scope| {
            let mut passes = VecDeque::new();
            for input in below {
                passes.push_back(self.begin(input, scope));
                if passes.len() > self.delay && !self.end(passes.pop_front(), &hand_on)? {
                    return Ok(());
                }
            }
            while let Some(pass) = passes.pop_front() {
                self.end(Some(pass), &hand_on)?;
            }
            Ok(())
        })
    }

    /// Begins a pass with the weights published so far: on this thread if it is to be published at once.
    fn begin<'scope>(&self, input: M::Flow, scope: &'scope Scope<'scope, '_>) -> Begun<'scope, M::Flow> {
        let (number, plan, device) = (self.number, self.optim.plan().clone(), self.device.clone());
        let model = self.model.clone();
        let pass = move || pass(number, &plan, &model, input, &device);
        if self.delay == 0 { Begun::Done(pass()) } else { Begun::Running(scope.spawn(pass)) }
    }

    /// Hands on the output of a pass and publishes what it taught; false if nobody takes the output.
    fn end(
        &mut self,
        pass: Option<Begun<M::Flow>>,
        hand_on: impl Fn(M::Flow) -> bool,
    ) -> Result<bool, PipelineError> {
        let Some(pass) = pass else { return Ok(true) };
        let (output, updates) = pass.wait(self.number)?;
        let taken = hand_on(output);
        self.publish(updates)?;
        Ok(taken)
    }

    /// A pass on the calling thread; what it taught is published when it is due.
    pub(super) fn take_turn(&mut self, input: M::Flow) -> Result<M::Flow, PipelineError> {
        let (output, updates) = pass(self.number, self.optim.plan(), &self.model, input, &self.device)?;
        self.late.push_back(updates);
        if self.late.len() > self.delay
            && let Some(updates) = self.late.pop_front()
        {
            self.publish(updates)?;
        }
        Ok(output)
    }

    /// Publishes what is still late.
    pub(super) fn catch_up(&mut self) -> Result<(), PipelineError> {
        while let Some(updates) = self.late.pop_front() {
            self.publish(updates)?;
        }
        Ok(())
    }

    fn publish(&mut self, updates: Updates) -> Result<(), PipelineError> {
        self.trained.note(&updates.parameters());
        let new = |layer: &&str| !self.reached.contains(*layer);
        let new: Vec<String> = updates.reached().into_iter().filter(new).map(ToString::to_string).collect();
        self.reached.extend(new);
        // other stages have other layers
        let stepped = self.optim.step(self.rate, self.model.clone(), updates.partial());
        self.model = stepped.map_err(|refused| update_error(self.number, refused.error().clone()))?;
        Ok(())
    }
}

fn update_error(stage: usize, error: UpdateError) -> PipelineError {
    PipelineError::Update { stage, error }
}

/// A pass that runs, or has run.
enum Begun<'scope, F> {
    Done(Pass<F>),
    Running(ScopedJoinHandle<'scope, Pass<F>>),
}

impl<F> Begun<'_, F> {
    fn wait(self, stage: usize) -> Pass<F> {
        match self {
            Self::Done(pass) => pass,
            Self::Running(thread) => thread.join().unwrap_or_else(|panic| Err(panicked(stage, &*panic))),
        }
    }
}

/// A forward pass of a stage, what its layers learned in it, and a backward pass if it has a loss.
fn pass<M: Staged>(
    number: usize,
    plan: &BoundPlan,
    model: &M,
    input: M::Flow,
    device: &Device,
) -> Pass<M::Flow> {
    let input = M::hand_on(input, device);
    let signals = model.signals(&input);
    let observed = plan.observe(model, signals, |model| {
        let output = model.run(number, input);
        let loss = model.loss(number, &output);
        (output, loss)
    });
    let ((output, loss), seen) = observed.map_err(|error| update_error(number, error))?;
    let updates = match loss {
        Some(loss) => seen.backward(loss).map_err(|error| update_error(number, error))?,
        None => seen.local_only(),
    };
    Ok((output, updates))
}

/// A thread that ended in a panic.
pub(super) fn panicked(stage: usize, panic: &(dyn Any + Send)) -> PipelineError {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    let message = text.or_else(|| panic.downcast_ref::<String>().cloned());
    PipelineError::Panic { stage, message: message.unwrap_or_else(|| "no message".to_string()) }
}
