//! Whether updates are finite, without waiting for the device at every step.

use std::{
    mem::take,
    sync::{Mutex, MutexGuard, PoisonError},
};

use burn::tensor::{DType, Tensor};

use crate::{UpdateError, bind::Assignment};

/// Whether one layer's update is finite; the answer stays on the device.
#[derive(Debug)]
pub(crate) struct Flag {
    /// The number of the parameter in the model's order.
    parameter: usize,
    /// `[1]`: 0 if every value is finite, more or NaN otherwise.
    bad: Tensor<1>,
}

impl Flag {
    /// In `f32` the sum tells, and needs no room of the update's size; it may itself overflow, if values are beyond 1e29
    /// or so: such an update is lost too. In half precision sums of good updates overflow.
    pub(crate) fn new<const D: usize>(parameter: usize, update: &Tensor<D>) -> Self {
        let bad = match update.dtype() {
            DType::F32 => update.clone().sum().mul_scalar(0.0),
            _ => update.clone().is_finite().all().bool_not().float().cast(DType::F32),
        };
        Self { parameter, bad }
    }

    /// What is known already.
    pub(crate) fn known(parameter: usize, bad: Tensor<1>) -> Self {
        Self { parameter, bad }
    }
}

/// The flags of the steps since the last look.
#[derive(Debug, Default)]
pub(crate) struct Monitor(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    steps: usize,
    flags: Vec<Flag>,
}

impl Monitor {
    /// Adds the flags of one step, and looks at all of them once `every` steps have passed (0: never).
    pub(crate) fn record(&self, flags: Vec<Flag>, assignment: &Assignment) -> Result<(), UpdateError> {
        let every = assignment.check_every;
        if every == 0 || flags.is_empty() {
            return Ok(());
        }
        let mut state = self.state();
        state.steps += 1;
        state.add(flags);
        if state.steps >= every { state.look(assignment) } else { Ok(()) }
    }

    pub(crate) fn look(&self, assignment: &Assignment) -> Result<(), UpdateError> {
        self.state().look(assignment)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn add(&mut self, flags: Vec<Flag>) {
        for (number, flag) in flags.into_iter().enumerate() {
            // mostly the same parameters in the same order, step after step
            match self.flags.get_mut(number) {
                Some(known) if known.parameter == flag.parameter => {
                    known.bad = known.bad.clone() + flag.bad.to_device(&known.bad.device());
                }
                _ => self.flags.push(flag),
            }
        }
    }

    /// One read for all layers.
    fn look(&mut self, assignment: &Assignment) -> Result<(), UpdateError> {
        let (flags, steps) = (take(&mut self.flags), take(&mut self.steps));
        let Some(device) = flags.first().map(|flag| flag.bad.device()) else {
            return Ok(());
        };
        let (parameters, bad): (Vec<_>, Vec<_>) =
            flags.into_iter().map(|flag| (flag.parameter, flag.bad.to_device(&device))).unzip();
        let bad = Tensor::cat(bad, 0).into_data();
        match parameters.into_iter().zip(bad.iter::<f32>()).find(|(_, bad)| *bad != 0.0) {
            None => Ok(()),
            Some((parameter, _)) => {
                Err(UpdateError::NotFinite { layer: assignment.name(parameter).to_string(), steps })
            }
        }
    }
}
