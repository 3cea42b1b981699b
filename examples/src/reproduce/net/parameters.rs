//! The numbers of a module.

use burn::{
    module::{Module, ModuleVisitor, Param},
    tensor::Tensor,
};

/// The values of a parameter or of running statistics.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Values {
    pub(crate) shape: Vec<usize>,
    pub(crate) values: Vec<f32>,
}

/// All of a module, by path.
pub(super) fn parameters<M: Module>(module: &M) -> Vec<(String, Values)> {
    let mut collector = Collector::default();
    module.visit(&mut collector);
    collector.found
}

#[derive(Default)]
struct Collector {
    path: Vec<String>,
    found: Vec<(String, Values)>,
}

impl ModuleVisitor for Collector {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_string());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let tensor = param.val();
        let shape = tensor.dims().to_vec();
        let values = tensor.into_data().iter().collect();
        self.found.push((self.path.join("."), Values { shape, values }));
    }
}
