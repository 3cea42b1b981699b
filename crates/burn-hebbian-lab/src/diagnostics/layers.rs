//! The local layers of a model and their weights.

use std::collections::HashMap;

use burn::{
    module::{Module, ModuleVisitor, Param, ParamId},
    tensor::Tensor,
};
use burn_hebbian_core::WeightLayout;
use burn_hebbian_nn::observe::{LayerInfo, collect};

/// The weight of a local layer.
#[derive(Debug, Clone)]
pub struct LocalWeight {
    /// The layer as a plan calls it: `conv1`; `weight` if the model is a layer itself.
    pub layer: String,
    /// One neuron a row, group by group: `[groups · neurons, fan-in]`, outside the autodiff graph.
    pub weight: Tensor<2>,
    pub(super) id: ParamId,
}

/// The weights of all local layers, in the model's order; each with or without a rule of its own.
pub fn local_weights<M: Module>(model: &M) -> Vec<LocalWeight> {
    let layouts = local_layers(model).into_iter().map(|layer| (layer.weight, layer.layout)).collect();
    let mut collector = Collector { layouts, path: Vec::new(), found: Vec::new() };
    model.visit(&mut collector);
    collector.found
}

/// What the local layers of a model say of themselves.
pub(super) fn local_layers<M: Module>(model: &M) -> Vec<LayerInfo> {
    struct Passer;
    impl ModuleVisitor for Passer {}
    collect(|| model.visit(&mut Passer)).1.layers
}

struct Collector {
    layouts: HashMap<ParamId, WeightLayout>,
    path: Vec<String>,
    found: Vec<LocalWeight>,
}

impl ModuleVisitor for Collector {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_string());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Some(layout) = self.layouts.get(&param.id) else { return };
        let weight = rows(layout, param.val().inner());
        let layer = match self.path.split_last() {
            Some((_, layer)) if !layer.is_empty() => layer.join("."),
            _ => self.path.join("."),
        };
        self.found.push(LocalWeight { layer, weight, id: param.id });
    }
}

/// A weight as one row a neuron.
fn rows<const D: usize>(layout: &WeightLayout, weight: Tensor<D>) -> Tensor<2> {
    let weight = layout.view(weight).swap_dims(1, 2); // [g, before, k, after] -> [g, k, before, after]
    weight.reshape([layout.total_neurons(), layout.fan_in()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::{
        nn::{
            Linear, LinearConfig,
            conv::{Conv2d, Conv2dConfig, ConvTranspose2d, ConvTranspose2dConfig},
        },
        tensor::Device,
    };
    use burn_hebbian_nn::Local;

    #[derive(Module, Debug)]
    struct Net {
        grouped: Local<Conv2d>,
        plain: Linear,
        deep: Vec<Local<Linear>>,
        transposed: Local<ConvTranspose2d>,
    }

    fn net(device: &Device) -> Net {
        let linear = LinearConfig::new(3, 2).init(device);
        Net {
            grouped: Local::new(Conv2dConfig::new([4, 6], [2, 3]).with_groups(2).init(device)),
            plain: LinearConfig::new(3, 2).init(device),
            deep: vec![Local::new(linear)],
            transposed: Local::new(ConvTranspose2dConfig::new([2, 3], [2, 2]).init(device)),
        }
    }

    fn values(tensor: Tensor<1>) -> Vec<f32> {
        tensor.into_data().iter().collect()
    }

    #[test]
    fn local_layers_are_found_by_path_with_a_row_a_neuron() {
        for device in [Device::flex(), Device::flex().autodiff()] {
            let net = net(&device);
            let found = local_weights(&net);
            let named: Vec<_> =
                found.iter().map(|found| (found.layer.as_str(), found.weight.dims())).collect();
            assert_eq!(named, [("grouped", [6, 12]), ("deep.0", [2, 3]), ("transposed", [3, 8])]);
            let row =
                |index: usize, neuron| values(found[index].weight.clone().narrow(0, neuron, 1).flatten(0, 1));
            let conv = net.grouped.layer().weight.val().inner();
            assert_eq!(row(0, 4), values(conv.narrow(0, 4, 1).flatten(0, 3)));
            let linear = net.deep[0].layer().weight.val().inner();
            assert_eq!(row(1, 1), values(linear.narrow(1, 1, 1).flatten(0, 1)));
            let transposed = net.transposed.layer().weight.val().inner();
            assert_eq!(row(2, 2), values(transposed.narrow(1, 2, 1).flatten(0, 3)));
        }
    }

    #[test]
    fn a_model_that_is_a_layer_is_called_by_its_weight() {
        let layer = Local::new(LinearConfig::new(3, 2).init(&Device::flex()));
        assert_eq!(local_weights(&layer)[0].layer, "weight");
    }
}
