//! A model's float parameters, in its order.

use burn::{
    module::{Flag, Module, ModuleVisitor, Param, ParamId},
    tensor::{Device, Tensor},
};
use burn_hebbian_nn::observe::{Collected, collect};

/// A float parameter of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Leaf {
    pub(crate) id: ParamId,
    /// Whether it is to learn, as far as the model is concerned.
    pub(crate) active: bool,
}

/// What a model consists of.
#[derive(Debug, Clone, Default)]
pub(crate) struct Survey {
    path: Vec<String>,
    pub(crate) leaves: Vec<Leaf>,
    pub(crate) paths: Vec<String>,
    pub(crate) shapes: Vec<Vec<usize>>,
    /// The paths of flags for training behavior.
    pub(crate) flags: Vec<String>,
    /// Where the first parameter is.
    pub(crate) device: Option<Device>,
    pub(crate) found: Collected,
}

impl Survey {
    pub(crate) fn of<M: Module>(model: &M) -> Self {
        let mut survey = Self::default();
        let (_, found) = collect(|| model.visit(&mut survey));
        Self { found, ..survey }
    }

    /// The same model with nothing frozen.
    pub(crate) fn thawed(&self) -> Self {
        let mut survey = self.clone();
        survey.leaves.iter_mut().for_each(|leaf| leaf.active = true);
        survey.found.layers.iter_mut().for_each(|layer| layer.training = true);
        survey
    }
}

impl ModuleVisitor for Survey {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_string());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.leaves.push(Leaf { id: param.id, active: is_active(param) });
        self.paths.push(self.path.join("."));
        self.shapes.push(param.lazy_shape().to_vec());
        self.device.get_or_insert_with(|| param.lazy_device());
    }

    fn visit_flag(&mut self, _flag: &Param<Flag>) {
        self.flags.push(self.path.join("."));
    }
}

/// Whether a parameter is to learn, as far as it says itself.
pub(crate) fn is_active<const D: usize>(param: &Param<Tensor<D>>) -> bool {
    if param.lazy_device().is_autodiff() {
        return param.is_require_grad();
    }
    // on a plain device no tensor requires gradients; the parameter remembers whether it would
    Module::train(param.clone()).is_require_grad()
}
