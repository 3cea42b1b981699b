//! What weights are held to after every step.

use serde::{Deserialize, Serialize};

use crate::PlanError;

/// What the weights of a local layer are held to after every step.
///
/// ```
/// # use burn::{nn::{Initializer, LinearConfig}, optim::SgdConfig, tensor::{Device, Tensor}};
/// # use burn_hebbian_core::{Rule, Signals};
/// # use burn_hebbian_nn::Local;
/// use burn_hebbian_optim::{Constraint, LocalTraining, Plan};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let device = Device::flex();
///
/// let ones = LinearConfig::new(2, 1).with_bias(false).with_initializer(Initializer::Ones);
/// let training = LocalTraining::new(Rule::hebb()).with_constraint(Constraint::Clip { max: 2.5 });
/// let plan = Plan::new().local(".*", training);
/// let (net, mut optim) = plan.init(Local::new(ones.init(&device)), SgdConfig::new())?;
///
/// // w = (1, 1), y = 2: a step of rate 1 to w + y x = (5, 1)
/// let x = Tensor::<2>::from_data([[2.0, 0.0]], &device);
/// let (_, seen) = optim.observe(&net, Signals::none(), |net| net.forward(x))?;
/// let net = optim.step(1.0, net, seen.local_only())?;
/// net.layer().weight.val().into_data().assert_eq(&[[2.5], [1.0]].into(), false);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Constraint {
    /// `‖w_k‖ = 1` for every neuron; an all-zero neuron stays so.
    UnitNorm,
    /// `w ≥ 0`: what is below becomes 0.
    NonNegative,
    /// Dale's principle: a weight keeps its sign. What would cross zero stops just before it (at ±1e-30, in `f16` at
    /// ±6.2e-5), so that its sign is remembered; a weight of 0 stays 0.
    KeepSigns,
    /// `|w| ≤ max`.
    Clip {
        /// The bound, positive.
        max: f64,
    },
}

impl Constraint {
    pub(crate) fn check(&self, pattern: &str) -> Result<(), PlanError> {
        match *self {
            Self::Clip { max } if !(max as f32).is_normal() || max < 0.0 => {
                Err(PlanError::Clip { pattern: pattern.to_string(), max })
            }
            _ => Ok(()),
        }
    }
}
