//! One stage at work.

use std::{
    any::Any,
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Mutex, PoisonError, mpsc::Receiver},
    thread::{self, Scope, ScopedJoinHandle},
};

use burn::{
    lr_scheduler::module_lr_scheduler::ModuleLrScheduler,
    optim::{GradientsParams, ModuleOptimizer},
    tensor::Device,
};
use burn_hebbian_optim::{Plan, PlanError};

use super::{PipelineError, Staged, merge::Trained};

/// A stage with the whole model, of which it trains its own part.
pub(super) struct Stage<'a, M: Staged> {
    number: usize,
    plan: &'a Plan,
    delay: usize,
    model: M,
    device: Device,
    /// Of all stages, so that its state stays in one piece; a step is short beside a pass.
    optimizer: &'a Mutex<ModuleOptimizer>,
    rates: ModuleLrScheduler,
    trained: Trained,
    /// What was learnt and is not published yet.
    late: VecDeque<GradientsParams>,
}

/// What a stage makes of a batch.
type Pass<F> = Result<(F, GradientsParams), PipelineError>;

impl<'a, M: Staged> Stage<'a, M> {
    pub(super) fn new(
        number: usize,
        plan: &'a Plan,
        delay: usize,
        model: M,
        device: Option<&Device>,
        optimizer: &'a Mutex<ModuleOptimizer>,
        rates: ModuleLrScheduler,
    ) -> Self {
        let model = match device {
            Some(device) => model.fork(device),
            None => model,
        };
        let device = device.cloned().or_else(|| model.devices().into_iter().next());
        let device = device.unwrap_or_default();
        let (trained, late) = (Trained::none_of(&model), VecDeque::new());
        Self { number, plan, delay, model, device, optimizer, rates, trained, late }
    }

    pub(super) fn number(&self) -> usize {
        self.number
    }

    /// The model, the modules of it that this stage trains, and the rates after the last batch.
    pub(super) fn into_parts(self) -> (M, Trained, ModuleLrScheduler) {
        (self.model, self.trained, self.rates)
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
    fn begin<'scope>(&self, input: M::Flow, scope: &'scope Scope<'scope, '_>) -> Begun<'scope, M::Flow>
    where
        'a: 'scope,
    {
        let (number, plan, device) = (self.number, self.plan, self.device.clone());
        let model = self.model.clone();
        let pass = move || pass(number, plan, &model, input, &device);
        if self.delay == 0 { Begun::Done(pass()) } else { Begun::Running(scope.spawn(pass)) }
    }

    /// Hands on the output of a pass and publishes what it taught; false if nobody takes the output.
    fn end(
        &mut self,
        pass: Option<Begun<M::Flow>>,
        hand_on: impl Fn(M::Flow) -> bool,
    ) -> Result<bool, PipelineError> {
        let Some(pass) = pass else { return Ok(true) };
        let (output, grads) = pass.wait()?;
        let taken = hand_on(output);
        self.publish(grads)?;
        Ok(taken)
    }

    /// A pass on the calling thread; what it taught is published when it is due.
    pub(super) fn take_turn(&mut self, input: M::Flow) -> Result<M::Flow, PipelineError> {
        let (output, grads) = pass(self.number, self.plan, &self.model, input, &self.device)?;
        self.late.push_back(grads);
        if self.late.len() > self.delay
            && let Some(grads) = self.late.pop_front()
        {
            self.publish(grads)?;
        }
        Ok(output)
    }

    /// Publishes what is still late.
    pub(super) fn catch_up(&mut self) -> Result<(), PipelineError> {
        while let Some(grads) = self.late.pop_front() {
            self.publish(grads)?;
        }
        Ok(())
    }

    fn publish(&mut self, grads: GradientsParams) -> Result<(), PipelineError> {
        self.trained.note(&self.model, &grads);
        let rates = self.rates.step();
        let mut optimizer = self.optimizer.lock().unwrap_or_else(PoisonError::into_inner);
        let model = self.plan.step(&mut optimizer, rates, self.model.clone(), grads);
        self.model = model.map_err(|error| PipelineError::Update { stage: self.number, error })?;
        Ok(())
    }
}

/// A pass that runs, or has run.
enum Begun<'scope, F> {
    Done(Pass<F>),
    Running(ScopedJoinHandle<'scope, Pass<F>>),
}

impl<F> Begun<'_, F> {
    fn wait(self) -> Pass<F> {
        match self {
            Self::Done(pass) => pass,
            Self::Running(thread) => thread.join().expect("passes catch their panics"),
        }
    }
}

/// A forward pass of a stage, what its layers learnt in it, and a backward pass if it has a loss.
fn pass<M: Staged>(number: usize, plan: &Plan, model: &M, input: M::Flow, device: &Device) -> Pass<M::Flow> {
    let learn = || -> Result<(M::Flow, GradientsParams), PlanError> {
        let input = M::hand_on(input, device);
        let signals = model.signals(&input);
        let ((output, loss), updates) = plan.observe(model, signals, || {
            let output = model.run(number, input);
            let loss = model.loss(number, &output);
            (output, loss)
        })?;
        let mut grads = match loss {
            Some(loss) => GradientsParams::from_grads(loss.backward(), model),
            None => GradientsParams::new(),
        };
        updates.register(model, &mut grads);
        Ok((output, grads))
    };
    match catch_unwind(AssertUnwindSafe(learn)) {
        Ok(learnt) => Ok(learnt?),
        Err(panic) => Err(PipelineError::Panic { stage: number, message: message(&*panic) }),
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_string())
}
