//! Running statistics that all clones of a model share.

use std::{
    any::Any,
    collections::{HashMap, HashSet},
};

use burn::{
    module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId},
    tensor::Tensor,
};

/// The running statistics in `model`, but for the `known` ones, that a forward pass moves by itself: in this model and in
/// all clones of it alike.
///
/// A visitor cannot tell them from parameters. But to map them in a clone changes them in the model too: with another
/// shape they are seen there, and then get their own values back.
pub(crate) fn shared_running<M: Module>(model: &M, known: &[ParamId]) -> HashSet<ParamId> {
    // what threads keep of their last update comes in
    drop(model.valid());
    let mut marking = Marking::default();
    let marked = model.clone().map(&mut marking);
    let mut seen = Seen { shapes: &marking.shapes, changed: HashSet::new() };
    model.visit(&mut seen);
    let mut changed = seen.changed;
    drop(marked.map(&mut Unmarking(marking.values)));
    changed.retain(|id| !known.contains(id));
    changed
}

/// Who requires no gradients may be a running statistic.
fn may_run<const D: usize>(param: &Param<Tensor<D>>) -> bool {
    param.is_initialized() && !param.is_require_grad()
}

/// Gives what may be a running statistic another shape.
#[derive(Default)]
struct Marking {
    /// Tensors of any rank.
    values: HashMap<ParamId, Box<dyn Any>>,
    shapes: HashMap<ParamId, Vec<usize>>,
}

impl ModuleMapper for Marking {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if !may_run(&param) || param.val().dims().contains(&0) {
            return param;
        }
        self.values.insert(param.id, Box::new(param.val()));
        self.shapes.insert(param.id, param.val().dims().to_vec());
        param
            .map(|values| if values.dims()[0] > 1 { values.narrow(0, 0, 1) } else { values.repeat_dim(0, 2) })
    }
}

struct Seen<'a> {
    shapes: &'a HashMap<ParamId, Vec<usize>>,
    changed: HashSet<ParamId>,
}

impl ModuleVisitor for Seen<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if self.shapes.get(&param.id).is_some_and(|shape| *shape != param.lazy_shape().to_vec()) {
            self.changed.insert(param.id);
        }
    }
}

struct Unmarking(HashMap<ParamId, Box<dyn Any>>);

impl ModuleMapper for Unmarking {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        match self.0.get(&param.id).and_then(|values| values.downcast_ref::<Tensor<D>>()) {
            Some(values) => param.map(|_| values.clone()),
            None => param,
        }
    }
}
