//! Hebbian learning for [Burn](burn): layers that learn by local rules, beside layers that learn by backprop.
//!
//! ```
//! use burn::{
//!     module::Module,
//!     nn::{Linear, LinearConfig, loss::CrossEntropyLossConfig},
//!     optim::AdamConfig,
//!     tensor::{Device, Distribution, Int, Tensor},
//! };
//! use burn_hebbian::{nn::Output, prelude::*};
//!
//! #[derive(Module, Debug)]
//! struct Net {
//!     conv: HebbianConv2d,
//!     fc: Linear,
//! }
//!
//! impl Net {
//!     fn forward(&self, images: Tensor<4>) -> Tensor<2> {
//!         self.fc.forward(self.conv.forward(images).flatten(1, 3))
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let device = Device::flex().autodiff();
//! let net = Net {
//!     conv: HebbianConv2dConfig::new([1, 8], [3, 3], Rule::swta())
//!         .with_output(Output::relu_projection())
//!         .init(&device),
//!     fc: LinearConfig::new(8 * 6 * 6, 10).init(&device),
//! };
//! let plan = Plan::new(); // layers with a rule learn by it, the rest by backprop
//! let (mut net, mut optim) = plan.init(net, AdamConfig::new())?;
//!
//! let images = Tensor::random([16, 1, 8, 8], Distribution::Default, &device);
//! let labels = Tensor::<1, Int>::zeros([16], &device);
//!
//! // one step
//! let (loss, seen) = optim.observe(&net, Signals::none(), |net| {
//!     CrossEntropyLossConfig::new().init(&device).forward(net.forward(images), labels)
//! })?;
//! net = optim.step(0.01, net, seen.backward(loss)?)?;
//! # let _ = net;
//! # Ok(()) }
//! ```
#![cfg_attr(docsrs, feature(doc_cfg))]

pub use burn_hebbian_core as rules;
pub use burn_hebbian_feedback as feedback;
#[cfg(feature = "lab")]
pub use burn_hebbian_lab as lab;
pub use burn_hebbian_nn as nn;
pub use burn_hebbian_optim as optim;
pub use burn_hebbian_spikes as spikes;
#[cfg(feature = "train")]
pub use burn_hebbian_train as train;

/// What most programs need: layers, rules by name, plans and the optimizer.
///
/// Stages and options of rules are in [`rules`], outputs and norms in [`nn`], constraints, reports and errors in
/// [`optim`].
pub mod prelude {
    pub use burn_hebbian_core::{LocalRule, Rule, Signals};
    pub use burn_hebbian_nn::{
        HebbianConv1d, HebbianConv1dConfig, HebbianConv2d, HebbianConv2dConfig, HebbianConv3d,
        HebbianConv3dConfig, HebbianLinear, HebbianLinearConfig, Local,
    };
    pub use burn_hebbian_optim::{LocalOptimizer, LocalTraining, Plan};
}

/// The READMEs and the pages of the book that show the API: their Rust blocks are doctests.
#[cfg(doctest)]
mod pages {
    macro_rules! pages {
        ($($name:ident: $file:literal),+ $(,)?) => {
            $(
                #[doc = include_str!(concat!("../../../", $file))]
                struct $name;
            )+
        };
    }

    pages! {
        Readme: "README.md",
        ReadmeOfTheFacade: "crates/burn-hebbian/README.md",
        ReadmeOfTheRules: "crates/burn-hebbian-core/README.md",
        ReadmeOfTheLayers: "crates/burn-hebbian-nn/README.md",
        ReadmeOfTheOptimizer: "crates/burn-hebbian-optim/README.md",
        ReadmeOfTheSpikes: "crates/burn-hebbian-spikes/README.md",
        ReadmeOfFeedback: "crates/burn-hebbian-feedback/README.md",
        Introduction: "docs/src/introduction.md",
        Quickstart: "docs/src/quickstart.md",
        CustomRules: "docs/src/custom-rules.md",
        ThirdFactor: "docs/src/rules/third-factor.md",
        Spikes: "docs/src/spikes.md",
        Shares: "docs/src/rules/alpha-mixing.md",
        Decay: "docs/src/rules/user-decay.md",
        Feedback: "docs/src/feedback/index.md",
        BySignals: "docs/src/feedback/signals.md",
    }

    #[cfg(feature = "train")]
    pages! {
        Plans: "docs/src/plans.md",
        Scaling: "docs/src/scaling.md",
    }

    #[cfg(feature = "models")]
    pages! {
        Models: "docs/src/models.md",
    }
}
