//! Known networks of local layers, to use or to copy.
//!
//! - the six-layer net of the thesis and of FastHebb: [`SixLayer`]
//! - SoftHebb's three convolutions and a classifier: [`SoftHebb`]
//! - VGG-11 and VGG-16, with and without batch norm: [`Vgg`]
//! - ResNet-18 and ResNet-50: [`ResNet`]
//! - DenseNet-121: [`DenseNet`]
//! - MobileNetV2: [`MobileNet`]
//!
//! Every convolution and every linear layer is a [`Local`](burn_hebbian_nn::Local): a plan picks by path the layers
//! that learn locally. Without a plan all but SoftHebb's net learns by backprop. Every net loads the weights of its
//! PyTorch counterpart, see [`pytorch`]; torchvision's, except for the six-layer net and SoftHebb's.
//!
//! ```
//! use burn::{optim::SgdConfig, tensor::{Device, Tensor}};
//! use burn_hebbian_core::Rule;
//! use burn_hebbian_lab::models::ResNetConfig;
//! use burn_hebbian_optim::Plan;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let device = Device::flex();
//! let plan = Plan::new().local("layer[34].*conv", Rule::swta()); // the rest by backprop
//! let (net, optim) = plan.init(ResNetConfig::resnet18(10).with_width(4).init(&device)?, SgdConfig::new())?;
//! let logits = net.forward(Tensor::ones([2, 3, 32, 32], &device));
//! assert_eq!(logits.dims(), [2, 10]);
//! assert_eq!(optim.plan().local_layers().len(), 8 + 2); // two blocks of two in each of two stages, two shortcuts
//! # Ok(()) }
//! ```

mod check;
mod densenet;
mod layers;
mod mobilenet;
pub mod norm;
pub mod pytorch;
mod resnet;
mod six_layer;
mod soft_hebb;
mod vgg;

pub use check::ModelError;
pub use densenet::{DenseLayer, DenseNet, DenseNetConfig, Transition};
pub use layers::ConvNorm;
pub use mobilenet::{InvertedResidual, MobileNet, MobileNetConfig};
pub use resnet::{Block, BlockKind, ResNet, ResNetConfig};
pub use six_layer::{SixLayer, SixLayerConfig};
pub use soft_hebb::{SoftHebb, SoftHebbConfig};
pub use vgg::{Vgg, VggConfig, VggLayer};
