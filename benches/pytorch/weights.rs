//! The weights of a network.

use burn::{
    module::{Module, ModuleVisitor, Param},
    tensor::Tensor,
};

/// A parameter of rank 2 or more.
pub(crate) struct Weight {
    pub(crate) path: String,
    pub(crate) shape: Vec<usize>,
    pub(crate) values: Vec<f32>,
}

/// All of them, in the order of the network.
pub(crate) fn weights(net: &impl Module) -> Vec<Weight> {
    let mut visit = Visit::default();
    net.visit(&mut visit);
    visit.found
}

#[derive(Default)]
struct Visit {
    path: Vec<String>,
    found: Vec<Weight>,
}

impl ModuleVisitor for Visit {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_string());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if D > 1 {
            let data = param.val().into_data();
            let (path, shape) = (self.path.join("."), data.shape().to_vec());
            self.found.push(Weight { path, shape, values: data.iter::<f32>().collect() });
        }
    }
}
