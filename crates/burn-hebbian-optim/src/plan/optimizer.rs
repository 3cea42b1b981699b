//! Burn's optimizers as part of a plan.

use burn::{
    module::ParamGroup,
    optim::{
        AdaGradConfig, AdamConfig, AdamWConfig, AdanConfig, LionConfig, ModuleOptimizer, MuonConfig,
        RmsPropConfig, SgdConfig,
    },
};
use serde::{Deserialize, Serialize};

/// An optimizer of Burn's as part of a plan, or for all that a plan gives none.
///
/// In a file it is written as Burn writes its configuration; `{ "sgd": {} }` is plain SGD.
///
/// ```
/// use burn::optim::{AdamConfig, SgdConfig};
/// use burn_hebbian_optim::OptimizerChoice;
///
/// let read: OptimizerChoice = serde_json::from_str(r#"{ "sgd": {} }"#).unwrap();
/// assert_eq!(read, OptimizerChoice::from(SgdConfig::new()));
/// assert_ne!(read, OptimizerChoice::from(AdamConfig::new()));
/// ```
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OptimizerChoice {
    /// Stochastic gradient descent, with or without momentum.
    Sgd(SgdConfig),
    /// Adam.
    Adam(AdamConfig),
    /// Adam with decoupled weight decay.
    AdamW(AdamWConfig),
    /// RMSProp.
    RmsProp(RmsPropConfig),
    /// AdaGrad.
    AdaGrad(AdaGradConfig),
    /// Adan.
    Adan(AdanConfig),
    /// Lion.
    Lion(LionConfig),
    /// Muon, for matrices.
    Muon(MuonConfig),
}

impl PartialEq for OptimizerChoice {
    fn eq(&self, other: &Self) -> bool {
        same(self, other)
    }
}

/// Whether two configurations of Burn's, which cannot be compared, have the same values.
pub(super) fn same<C: Serialize>(one: &C, other: &C) -> bool {
    match (serde_json::to_value(one), serde_json::to_value(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

/// What a training can start its optimizer from: a configuration of Burn's, or a [`ModuleOptimizer`] (for an optimizer of
/// your own, `ModuleOptimizer::from(optimizer)`).
pub trait IntoOptimizer {
    /// The optimizer.
    fn into_optimizer(self) -> ModuleOptimizer;
}

impl IntoOptimizer for ModuleOptimizer {
    fn into_optimizer(self) -> ModuleOptimizer {
        self
    }
}

impl IntoOptimizer for OptimizerChoice {
    fn into_optimizer(self) -> ModuleOptimizer {
        self.init()
    }
}

macro_rules! choices {
    ($($variant:ident($config:ty)),+) => {
        $(
            impl From<$config> for OptimizerChoice {
                fn from(config: $config) -> Self {
                    Self::$variant(config)
                }
            }

            impl IntoOptimizer for $config {
                fn into_optimizer(self) -> ModuleOptimizer {
                    self.init()
                }
            }
        )+

        impl OptimizerChoice {
            /// The optimizer, with the clipping that its configuration has.
            pub fn init(&self) -> ModuleOptimizer {
                match self {
                    $(Self::$variant(config) => config.init(),)+
                }
            }

            /// `optimizer` with this one for the parameters of `group`.
            pub(crate) fn join(&self, optimizer: ModuleOptimizer, group: ParamGroup) -> ModuleOptimizer {
                match self {
                    $(Self::$variant(config) => {
                        let clipping = config.init().grad_clipping().cloned();
                        optimizer.with_group(group, config.build(), clipping)
                    })+
                }
            }
        }
    };
}

choices!(
    Sgd(SgdConfig),
    Adam(AdamConfig),
    AdamW(AdamWConfig),
    RmsProp(RmsPropConfig),
    AdaGrad(AdaGradConfig),
    Adan(AdanConfig),
    Lion(LionConfig),
    Muon(MuonConfig)
);
