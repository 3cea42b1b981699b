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

/// Kinds of layers, levels of a path that only an enum adds.
const KINDS: [&str; 2] = ["Conv", "Linear"];

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
        // the kind of a layer is no part of its name
        let path: Vec<_> =
            self.path.iter().map(String::as_str).filter(|part| !KINDS.contains(part)).collect();
        self.found.push((path.join("."), Values { shape, values }));
    }
}
