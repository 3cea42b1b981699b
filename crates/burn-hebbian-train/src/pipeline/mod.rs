//! Layer-parallel training: all stages of a network learn at once, each on the batch that the stage below it has just
//! handed on.
//!
//! # Semantics
//!
//! Let `Wᵢ(u)` be the weights of stage `i` after its first `u` updates. Stage `i` takes batch `t` (from 0) from the stage
//! below, runs its forward pass with `Wᵢ(max(0, t − d))`, in which it learns, and hands the output on. Updates are made in the order
//! of the batches, one a batch; `d` is the [delay](Pipeline::with_delay).
//!
//! - With `d = 0`, the default, weights are published before the next batch: no staleness at all. A local layer never
//!   waits for what lies above it, so that this *is* the ordinary sequential training, number for number; only that stage `i` is
//!   at batch `t` while the stage above is still at batch `t − 1`. Each stage has one thread.
//! - With `d > 0` a stage works on `d + 1` batches at a time, each on a thread of its own, and its weights are published
//!   `d` batches late. That helps where one stage is slower than all others; what staleness costs has to be measured.
//!
//! [`Pipeline::train_in_turn`] runs the same schedule on the calling thread, with the same result, except for running
//! statistics of batch norms with a delay: threads that run at the same time update them in no fixed order.
//!
//! Stages may lie on different devices. Gradients do not leave a stage: within one, layers may learn by backprop (a
//! classifier at the top, say), see [`Staged::loss`].

mod merge;
mod stage;

use std::{
    collections::HashSet,
    sync::mpsc::{Receiver, SyncSender, channel, sync_channel},
    thread,
};

use burn::{
    module::Module,
    tensor::{Device, Tensor},
};
use burn_hebbian_core::Signals;
use burn_hebbian_optim::{UpdateError, checkpoint::Training};

use merge::Merge;
use stage::{Done, Stage, panicked};

/// A network in stages, bottom first, each of which learns by itself.
pub trait Staged: Module + 'static {
    /// What goes into a stage and comes out of it: activations, and whatever stages above need, labels say.
    type Flow: Send + 'static;

    /// The number of stages.
    fn stages(&self) -> usize;

    /// What a stage makes of its input.
    fn run(&self, stage: usize, input: Self::Flow) -> Self::Flow;

    /// What a stage hands on, or is given: on `device`, and outside the autodiff graph (`detach`).
    fn hand_on(flow: Self::Flow, device: &Device) -> Self::Flow;

    /// The signals for local layers; none without this.
    fn signals(&self, _input: &Self::Flow) -> Signals {
        Signals::none()
    }

    /// The loss by which a stage learns beside its local layers; none without this.
    fn loss(&self, _stage: usize, _output: &Self::Flow) -> Option<Tensor<1>> {
        None
    }
}

/// Trains the stages of a network in parallel; see the [module](self) for what that means.
///
/// It trains one epoch at a time and gives back what a [checkpoint](burn_hebbian_optim::checkpoint) holds.
///
/// ```no_run
/// use burn_hebbian_optim::checkpoint::Training;
/// use burn_hebbian_train::pipeline::{Pipeline, PipelineError, Staged};
///
/// fn epoch<M: Staged>(training: &mut Training<M>, batches: Vec<M::Flow>) -> Result<(), PipelineError> {
///     Pipeline::at_rate(0.01).train(training, batches, |_output| {})?;
///     training.progress.epochs += 1;
///     Ok(())
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Pipeline {
    rate: f64,
    delay: usize,
    devices: Vec<Device>,
}

/// A training in stages that did not come to its end.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PipelineError {
    /// A network without stages.
    #[error("pipeline: a network needs at least one stage, got 0")]
    NoStages,
    /// Not one device for each stage.
    #[error("pipeline: {stages} stages need as many devices, got {devices}")]
    Devices {
        /// Stages of the network.
        stages: usize,
        /// Devices given.
        devices: usize,
    },
    /// A local layer that no stage runs.
    #[error("pipeline: layer `{layer}` was to learn locally, and no stage reached it")]
    Unreached {
        /// The layer.
        layer: String,
    },
    /// An update that must not reach the weights.
    #[error("pipeline: stage {stage}: {error}")]
    Update {
        /// The stage, from 0.
        stage: usize,
        /// What is wrong.
        error: UpdateError,
    },
    /// A panic in a stage.
    #[error("pipeline: stage {stage} panicked: {message}")]
    Panic {
        /// The stage, from 0.
        stage: usize,
        /// Its message.
        message: String,
    },
}

impl Pipeline {
    /// At this rate, for what the plan gives no rate of its own; weights are published at once.
    pub fn at_rate(rate: f64) -> Self {
        Self { rate, delay: 0, devices: Vec::new() }
    }

    /// Publishes weights so many batches late; a stage then works on one batch more than that at a time.
    pub fn with_delay(self, batches: usize) -> Self {
        Self { delay: batches, ..self }
    }

    /// Each stage on a device of its own; without this all stay where the model is.
    pub fn on_devices(self, devices: impl IntoIterator<Item = Device>) -> Self {
        Self { devices: devices.into_iter().collect(), ..self }
    }

    /// Trains on `batches` in parallel, a thread a stage, and calls `output` with what comes out of the last one, in
    /// order.
    ///
    /// # Errors
    ///
    /// If an update is refused, a stage panics, or no stage reaches a local layer; `training` is then what it was before.
    pub fn train<M: Staged>(
        &self,
        training: &mut Training<M>,
        batches: impl IntoIterator<Item = M::Flow>,
        output: impl FnMut(M::Flow),
    ) -> Result<(), PipelineError> {
        self.run(training, |stages| in_parallel(stages, batches, output))
    }

    /// The same schedule on the calling thread, one stage after the other.
    ///
    /// # Errors
    ///
    /// As [`train`](Self::train), but that a panic of a stage is the caller's.
    pub fn train_in_turn<M: Staged>(
        &self,
        training: &mut Training<M>,
        batches: impl IntoIterator<Item = M::Flow>,
        mut output: impl FnMut(M::Flow),
    ) -> Result<(), PipelineError> {
        self.run(training, |stages| {
            for batch in batches {
                let flow = stages.iter_mut().try_fold(batch, |flow, stage| stage.take_turn(flow))?;
                output(flow);
            }
            stages.iter_mut().try_for_each(Stage::catch_up)
        })
    }

    /// Lets the stages work, and puts together what they have learned.
    fn run<M: Staged>(
        &self,
        training: &mut Training<M>,
        work: impl FnOnce(&mut [Stage<M>]) -> Result<(), PipelineError>,
    ) -> Result<(), PipelineError> {
        let mut stages = self.stages(training)?;
        work(&mut stages)?;
        let done: Vec<Done<M>> = stages.into_iter().map(Stage::done).collect();
        check_reached(training, &done)?;
        let mut merge = Merge::default();
        for Done { model, optim, trained, .. } in done {
            merge.take(&model, &trained);
            training.optim = optim;
        }
        training.model = merge.into(training.model.clone());
        Ok(())
    }

    fn stages<M: Staged>(&self, training: &Training<M>) -> Result<Vec<Stage<M>>, PipelineError> {
        let stages = training.model.stages();
        if stages == 0 {
            return Err(PipelineError::NoStages);
        }
        if !self.devices.is_empty() && self.devices.len() != stages {
            return Err(PipelineError::Devices { stages, devices: self.devices.len() });
        }
        // the state of one optimizer for all of them, and none of it the training's until they are done
        let optim = training.optim.clone();
        let stage = |number| {
            let device = self.devices.get(number);
            Stage::new(number, self.rate, self.delay, training.model.clone(), device, optim.beside())
        };
        Ok((0..stages).map(stage).collect())
    }
}

/// Refuses a training of which a local layer never learned.
fn check_reached<M: Staged>(training: &Training<M>, done: &[Done<M>]) -> Result<(), PipelineError> {
    let reached: HashSet<&String> = done.iter().flat_map(|done| &done.reached).collect();
    // no batch, no layer
    let missing = training.optim.plan().local_layers().into_iter().find(|layer| !reached.contains(layer));
    match missing {
        Some(layer) if !reached.is_empty() => Err(PipelineError::Unreached { layer }),
        _ => Ok(()),
    }
}

/// A thread a stage, each of which hands on to the next.
fn in_parallel<M: Staged>(
    stages: &mut [Stage<M>],
    batches: impl IntoIterator<Item = M::Flow>,
    mut output: impl FnMut(M::Flow),
) -> Result<(), PipelineError> {
    thread::scope(|scope| {
        let (input, mut below) = sync_channel(1);
        let (outputs, results) = channel();
        let last = stages.len() - 1;
        let mut threads = Vec::new();
        for stage in stages {
            let (to_above, above) = sync_channel(1);
            let from_below = std::mem::replace(&mut below, above);
            let outputs = outputs.clone();
            threads.push(scope.spawn(move || {
                if stage.number() == last {
                    stage.work(from_below, |flow| outputs.send(flow).is_ok())
                } else {
                    stage.work(from_below, |flow| to_above.send(flow).is_ok())
                }
            }));
        }
        drop(outputs);
        feed(batches, input, &results, &mut output);
        results.iter().for_each(output);
        // the lowest stage that failed: those above only ran dry
        threads.into_iter().enumerate().try_for_each(|(stage, thread)| {
            thread.join().unwrap_or_else(|panic| Err(panicked(stage, &*panic)))
        })
    })
}

/// Sends batches to the lowest stage, and hands out what has come through in the meantime.
fn feed<F>(
    batches: impl IntoIterator<Item = F>,
    input: SyncSender<F>,
    results: &Receiver<F>,
    output: &mut impl FnMut(F),
) {
    for batch in batches {
        if input.send(batch).is_err() {
            return; // a stage failed
        }
        results.try_iter().for_each(&mut *output);
    }
}
