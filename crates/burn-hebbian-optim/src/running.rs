//! Running statistics: a pass says how they are to move, a step moves them.

use std::{any::Any, collections::HashMap};

use burn::{
    module::{Module, ModuleMapper, Param, ParamId},
    tensor::Tensor,
};

use crate::bind::{Assignment, Role};

/// By how much running statistics are to move, and how often each was asked to; by their ids.
///
/// A step moves a statistic once, by the mean of what the passes of the step ask for: all of them see it as the last step
/// left it.
#[derive(Debug, Default)]
pub(crate) struct Shifts(HashMap<ParamId, (Tensor<1>, usize)>);

impl Shifts {
    pub(crate) fn add(&mut self, id: ParamId, shift: Tensor<1>) {
        let (shift, times) = match self.0.remove(&id) {
            Some((known, times)) => (known + shift, times + 1),
            None => (shift, 1),
        };
        self.0.insert(id, (shift, times));
    }

    /// Each as one tensor that adds up over micro-batches and devices: the sum of the shifts, and their number.
    pub(crate) fn packed(self) -> impl Iterator<Item = (ParamId, Tensor<1>)> {
        self.0.into_iter().map(|(id, (shift, times))| {
            let times = Tensor::full([1], times as f64, (&shift.device(), shift.dtype()));
            (id, Tensor::cat(vec![shift, times], 0))
        })
    }
}

/// The mean of the shifts that were packed.
pub(crate) fn mean_shift(packed: Tensor<1>) -> Tensor<1> {
    let len = packed.dims()[0] - 1;
    packed.clone().narrow(0, 0, len) / packed.narrow(0, len, 1)
}

/// Running statistics that a forward pass moves by itself, as they stood before it; tensors of any rank.
#[derive(Default)]
pub(crate) struct Standing(HashMap<ParamId, Box<dyn Any>>);

impl Standing {
    pub(crate) fn note<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.insert(param.id, Box::new(param.val()));
    }

    /// Puts them back to where they stood, in the copy and so in all that share them; how they moved is noted in `shifts`.
    pub(crate) fn settle<M: Module>(self, copy: M, assignment: &Assignment, shifts: &mut Shifts) -> M {
        if self.0.is_empty() || !assignment.shares_running {
            return copy;
        }
        // what threads keep of their last update comes in
        drop(copy.valid());
        copy.map(&mut Settling { standing: self, assignment, shifts })
    }
}

struct Settling<'a> {
    standing: Standing,
    assignment: &'a Assignment,
    shifts: &'a mut Shifts,
}

impl ModuleMapper for Settling<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let stood = self.standing.0.remove(&param.id).and_then(|stood| stood.downcast::<Tensor<D>>().ok());
        let Some(stood) = stood else { return param };
        let (moved, len) = (param.val(), param.val().dims().iter().product::<usize>());
        let role = self.assignment.running(param.id).map(|parameter| parameter.role);
        if role == Some(Role::Running { shared: true }) {
            let shift = moved.inner() - stood.clone().inner();
            self.shifts.add(param.id, shift.reshape([len]));
        }
        param.map(|_| *stood)
    }
}
