//! Chains of blocks as dual propagation sees them.

use burn_hebbian_feedback as feedback;
use burn_hebbian_nn::Bidirectional;

use super::{Chain, block::Layer};
use crate::{prelude::Activation, reproduce::config::Pool};

impl Chain {
    /// Layers with ReLU between them, and a linear output, on images of this shape. A maximum before the ReLU is that after
    /// it; other pooling is refused where experiments are read.
    pub(crate) fn with_states(&self, image: [usize; 3]) -> feedback::Chain<'_> {
        let chain = feedback::Chain::new(image).with_activation(Activation::Relu);
        self.blocks.iter().fold(chain, |chain, block| {
            let pool = match block.pool {
                Pool::Max { size, .. } => feedback::Pool::max(size),
                Pool::None | Pool::Average { .. } => feedback::Pool::None,
            };
            chain.pooled(block.layer.as_edge(), pool)
        })
    }
}

impl Layer {
    fn as_edge(&self) -> &dyn Bidirectional {
        match self {
            Self::Conv(conv) => conv,
            Self::Linear(linear) => linear,
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::{
        module::{Module, ModuleMapper, Param},
        nn::loss::CrossEntropyLossConfig,
        optim::SgdConfig,
        tensor::{Device, Tensor, TensorData},
    };
    use burn_hebbian_feedback::{CostFunction, DualForm, DualPropagation, Method};

    use super::super::{Chain, Plans, Trainer};
    use crate::{prelude::*, reproduce::config::NetConfig};

    const IMAGE: [usize; 3] = [2, 6, 6];

    fn chain(device: &Device) -> Chain {
        let json = r#"{ "blocks": [
            { "name": "a", "layer": { "conv": { "filters": 4, "kernel": 3, "padding": 1 } }, "pool": { "max": { "size": 2 } },
              "rule": "hebb", "rate": 0.1 },
            { "name": "b", "layer": { "conv": { "filters": 5, "kernel": 2 } }, "rule": "hebb", "rate": 0.1 },
            { "name": "c", "layer": { "linear": { "neurons": 3 } }, "rule": "hebb", "rate": 0.1 }
        ] }"#;
        let net: NetConfig = serde_json::from_str(json).unwrap();
        let shapes = net.shapes(IMAGE).unwrap();
        let plans = Plans { blocks: &net.blocks, shapes: &shapes, complete: true, classifier_dropout: 0.0 };
        plans.build(Trainer::Backprop, 3, device).map(&mut Known)
    }

    /// The same weights in every run: of random ones, some have a unit that changes sign between its two states.
    struct Known;

    impl ModuleMapper for Known {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let (id, tensor, mapper) = param.consume();
            let count = tensor.shape().num_elements();
            let values: Vec<f32> = (0..count).map(|i| 0.3 * (i as f32 * 0.71 + count as f32).sin()).collect();
            let values = TensorData::new(values, tensor.dims());
            Param::from_mapped_value(id, Tensor::from_data(values, &tensor.device()), mapper)
        }
    }

    fn images(device: &Device) -> Tensor<4> {
        let values: Vec<f32> = (0..7 * 72).map(|i| (i as f32 * 0.83).sin()).collect();
        Tensor::from_data(TensorData::new(values, [7, 2, 6, 6]), device)
    }

    fn values(chain: &Chain) -> Vec<f32> {
        let names = ["a", "b", "c"].map(str::to_string);
        chain.parameters(&names).into_iter().flat_map(|(_, found)| found.values).collect()
    }

    /// Euclidean.
    fn distance(from: &[f32], to: &[f32]) -> f64 {
        from.iter().zip(to).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>().sqrt()
    }

    /// One step from the same weights: the blocks' own forward pass and autodiff, and a chain of states that are nudged a
    /// little.
    #[test]
    fn a_step_of_small_nudges_is_one_of_backprop() {
        let (plain, tracked) = (Device::flex(), Device::flex().autodiff());
        let start = chain(&plain);
        let before = values(&start);
        let twin = chain(&tracked).load_record(start.clone().into_record());
        let labels = Tensor::<1, burn::tensor::Int>::from_data([0, 1, 2, 1, 0, 2, 2], &plain);

        let dual = DualPropagation::new(DualForm::Adjoint, 0.5, 1e-3, CostFunction::CrossEntropy);
        let plan = Plan::new().local(".*", LocalTraining::from_given_states());
        let (model, mut optim) = plan.init(start, SgdConfig::new()).unwrap();
        let targets = labels.clone().one_hot::<2>(3).float();
        let (_, updates) =
            dual.learn(&optim, &model, |model| model.with_states(IMAGE), images(&plain), targets).unwrap();
        let by_states = values(&optim.step(0.5, model, updates).unwrap());

        let loss = CrossEntropyLossConfig::new().init(&tracked);
        let labels = Tensor::from_data(labels.into_data(), &tracked);
        let (model, mut optim) = Plan::new().init(twin, SgdConfig::new()).unwrap();
        let forward = |model: &Chain| loss.forward(model.scores(images(&tracked)), labels);
        let (loss, seen) = optim.observe(&model, Signals::none(), forward).unwrap();
        let by_backprop = values(&optim.step(0.5, model, seen.backward(loss).unwrap()).unwrap());

        let moved = distance(&before, &by_backprop);
        assert!(moved > 0.05, "{moved}");
        // states of size 1 are told apart to 6e-8 of 1e-3
        let apart = distance(&by_states, &by_backprop);
        assert!(apart < 0.02 * moved, "{apart} of {moved}");
    }
}
