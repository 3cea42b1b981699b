//! One model from the parts that stages trained.

use std::{
    any::Any,
    collections::{HashMap, HashSet},
};

use burn::{
    module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId},
    optim::GradientsParams,
    tensor::Tensor,
};

/// Adds the paths of the modules of which `grads` holds a parameter.
pub(super) fn note_trained<M: Module>(model: &M, grads: &GradientsParams, trained: &mut HashSet<String>) {
    model.visit(&mut Noting { path: Vec::new(), grads, trained });
}

struct Noting<'a> {
    path: Vec<String>,
    grads: &'a GradientsParams,
    trained: &'a mut HashSet<String>,
}

impl ModuleVisitor for Noting<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_string());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        // sums of local layers have shapes of their own, and the rank of the weight
        if self.grads.get::<D>(param.id).is_some() {
            self.trained.insert(module(&self.path));
        }
    }
}

/// The path of the module that a parameter belongs to: with a weight learn its bias and the state of its rule.
fn module(path: &[String]) -> String {
    path.split_last().map_or_else(String::new, |(_, module)| module.join("."))
}

/// The parameters that the stages have trained.
#[derive(Default)]
pub(super) struct Merge {
    /// Tensors of any rank.
    tensors: HashMap<ParamId, Box<dyn Any>>,
}

impl Merge {
    /// Takes from a stage's model the modules that the stage has trained.
    pub(super) fn take<M: Module>(&mut self, model: &M, trained: &HashSet<String>) {
        // brings what batch norms of one thread know to all threads
        drop(model.valid());
        model.visit(&mut Taking { path: Vec::new(), trained, tensors: &mut self.tensors });
    }

    /// `model` with the parameters that were taken.
    pub(super) fn into<M: Module>(mut self, model: M) -> M {
        model.map(&mut self)
    }
}

struct Taking<'a> {
    path: Vec<String>,
    trained: &'a HashSet<String>,
    tensors: &'a mut HashMap<ParamId, Box<dyn Any>>,
}

impl ModuleVisitor for Taking<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_string());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if self.trained.contains(&module(&self.path)) {
            self.tensors.insert(param.id, Box::new(param.val()));
        }
    }
}

impl ModuleMapper for Merge {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let trained = self.tensors.remove(&param.id).and_then(|tensor| tensor.downcast::<Tensor<D>>().ok());
        let Some(trained) = trained else { return param };
        param.map(|known| {
            trained.to_device(&known.device()).detach().set_require_grad(known.is_require_grad())
        })
    }
}
