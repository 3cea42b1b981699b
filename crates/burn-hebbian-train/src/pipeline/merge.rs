//! One model from the parts that stages trained.

use std::{
    any::Any,
    collections::{HashMap, HashSet},
};

use burn::{
    module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId},
    tensor::Tensor,
};

/// Which modules of a model have learned.
///
/// Whole modules, since with a weight learn its bias and the state of its rule.
pub(super) struct Trained {
    /// The path of the module that a parameter belongs to.
    modules: HashMap<ParamId, String>,
    trained: HashSet<String>,
}

impl Trained {
    /// None yet.
    pub(super) fn none_of<M: Module>(model: &M) -> Self {
        let mut survey = Survey::default();
        model.visit(&mut survey);
        Self { modules: survey.modules, trained: HashSet::new() }
    }

    /// Adds the modules of these parameters.
    pub(super) fn note(&mut self, parameters: &[&str]) {
        for path in parameters {
            let module = path.rsplit_once('.').map_or("", |(module, _)| module);
            if !self.trained.contains(module) {
                self.trained.insert(module.to_string());
            }
        }
    }

    fn contains(&self, id: ParamId) -> bool {
        self.modules.get(&id).is_some_and(|module| self.trained.contains(module))
    }
}

#[derive(Default)]
struct Survey {
    path: Vec<String>,
    modules: HashMap<ParamId, String>,
}

impl ModuleVisitor for Survey {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_string());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let module = self.path.split_last().map_or_else(String::new, |(_, module)| module.join("."));
        self.modules.insert(param.id, module);
    }
}

/// The parameters that the stages have trained.
#[derive(Default)]
pub(super) struct Merge {
    /// Tensors of any rank.
    tensors: HashMap<ParamId, Box<dyn Any>>,
}

impl Merge {
    /// Takes from a stage's model the modules that the stage has trained.
    pub(super) fn take<M: Module>(&mut self, model: &M, trained: &Trained) {
        // brings what batch norms of one thread know to all threads
        drop(model.valid());
        model.visit(&mut Taking { trained, tensors: &mut self.tensors });
    }

    /// `model` with the parameters that were taken.
    pub(super) fn into<M: Module>(mut self, model: M) -> M {
        model.map(&mut self)
    }
}

struct Taking<'a> {
    trained: &'a Trained,
    tensors: &'a mut HashMap<ParamId, Box<dyn Any>>,
}

impl ModuleVisitor for Taking<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if self.trained.contains(param.id) {
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
