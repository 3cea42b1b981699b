//! Multiplications and additions of a network, from the geometry of its layers.

use std::sync::{Arc, Mutex, PoisonError};

use crate::prelude::*;
use anyhow::Result;
use burn::{module::Module, tensor::Tensor};

/// A convolution or a linear layer in a pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LayerSize {
    pub(super) neurons: usize,
    /// Weights of a neuron.
    pub(super) fan_in: usize,
    /// Images times places of an image.
    pub(super) patches: usize,
}

impl LayerSize {
    /// Each neuron multiplies each patch with its weights.
    pub(super) fn macs(&self) -> u64 {
        [self.neurons, self.fan_in, self.patches].iter().map(|&size| size as u64).product()
    }
}

/// The layers that a pass of a model reaches, of those that `paths` names, in their order. Nothing is learned.
pub(super) fn layers<M: Module>(
    model: &M,
    paths: &str,
    forward: impl FnOnce(&M) -> Tensor<2>,
) -> Result<Vec<LayerSize>> {
    let census = Census::default();
    let plan = Plan::new().local(paths, LocalTraining::custom(census.clone())).with_rest(Rest::Frozen);
    let (model, plan) = plan.bind(model.clone())?;
    drop(plan.observe(&model, Signals::none(), forward)?);
    Ok(std::mem::take(&mut census.0.lock().unwrap_or_else(PoisonError::into_inner)))
}

/// A rule that notes the sizes of the layers that ask it.
#[derive(Debug, Clone, Default)]
struct Census(Arc<Mutex<Vec<LayerSize>>>);

impl LocalRule for Census {
    fn factors(&self, activity: &Activity) -> Factors {
        let [n, groups, neurons, positions] = activity.dot().dims();
        let (neurons, fan_in) = (groups * neurons, activity.layout().fan_in());
        let size = LayerSize { neurons, fan_in, patches: n * positions };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(size);
        let mut nothing = Factors::new(activity.dot());
        nothing.coefficients = None; // no correlation with the input
        nothing
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::{ResNet, ResNetConfig, Vgg, VggConfig};
    use crate::reproduce::protocols::trainer::Network;
    use burn::tensor::Device;

    fn of<N: Network>(net: &N, images: [usize; 4]) -> Vec<LayerSize> {
        let images = Tensor::zeros(images, &Device::flex());
        layers(net, &format!("{}|{}", N::HIDDEN, N::CLASSIFIER), |net| net.scores(images)).unwrap()
    }

    fn gigamacs(layers: &[LayerSize]) -> f64 {
        layers.iter().map(LayerSize::macs).sum::<u64>() as f64 / 1e9
    }

    /// By hand, of 224 × 224 pixels: convolutions 86.7 + 924.8 + 924.8 + 1849.7 + 924.8 + 1849.7 + 462.4 + 462.4 million,
    /// linear layers 25088 · 4096 + 4096² + 4096 · 1000.
    #[test]
    fn vgg11_by_hand() {
        let net: Vgg = VggConfig::vgg11(1000).init(&Device::flex()).unwrap();
        let layers = of(&net, [1, 3, 224, 224]);
        assert_eq!(layers.len(), 11);
        assert_eq!(layers[1], LayerSize { neurons: 128, fan_in: 576, patches: 112 * 112 });
        assert_eq!(layers[1].macs(), 924_844_032);
        assert_eq!(layers[8], LayerSize { neurons: 4096, fan_in: 25088, patches: 1 });
        assert!((gigamacs(&layers) - 7.609).abs() < 1e-3, "{}", gigamacs(&layers));
    }

    /// The literature's 4.1 thousand million, with strides in 3 × 3 convolutions.
    #[test]
    fn resnet50_as_known() {
        let net: ResNet = ResNetConfig::resnet50(1000).init(&Device::flex()).unwrap();
        let layers = of(&net, [1, 3, 224, 224]);
        assert_eq!(layers.len(), 1 + 16 * 3 + 4 + 1);
        assert_eq!(layers[0], LayerSize { neurons: 64, fan_in: 147, patches: 112 * 112 });
        assert!((gigamacs(&layers) - 4.089).abs() < 1e-3, "{}", gigamacs(&layers));
    }

    #[test]
    fn images_add_up() {
        let net: ResNet = ResNetConfig::resnet18(7).with_width(2).init(&Device::flex()).unwrap();
        let [one, three] = [1, 3].map(|n| gigamacs(&of(&net, [n, 3, 32, 32])));
        assert!((three - 3.0 * one).abs() < 1e-12 && one > 0.0);
    }
}
