//! Dual propagation: both states of a layer at once, for the cost of backprop.

mod fast;
mod relax;

use burn::{config::Config, tensor::Tensor};
use serde::{Deserialize, Serialize};

pub use fast::FastDualPropagation;

use crate::{Chain, CostFunction, FeedbackError, Method, States, chain::Net};

/// Dual propagation: every layer has two states at once, whose mean drives the layer above and whose difference is what feeds back.
///
/// ```text
/// s̄ = α s⁺ + (1−α) s⁻     a_l = P(W_l s̄_{l−1}) + b_l     d_l = W_{l+1}ᵀ U(s⁺_{l+1} − s⁻_{l+1})
/// adjoint form:  s⁺ = f(a + (1−α) d)   s⁻ = f(a − α d)          2023 form:  s⁺ = f(a + α d)   s⁻ = f(a − (1−α) d)
/// output:  d_L = −β ∂cost/∂s            ΔW_l = 1/(βN) corr(s̄_{l−1}, U(s⁺_l − s⁻_l))
/// ```
///
/// One pass up and one sweep down are enough: the cost of backprop. With ReLU it *is* backprop wherever no unit changes sign between
/// its two states: the adjoint form for any `α`, the 2023 form for `α = ½`. The adjoint form takes the gradient of the cost at the
/// first forward output, the 2023 form at the drive of the moment. The output must be linear.
///
/// ```
/// # use burn::{nn::LinearConfig, tensor::{Device, Tensor}};
/// # use burn_hebbian_core::Activation;
/// # use burn_hebbian_nn::Local;
/// use burn_hebbian_feedback::{Chain, DualPropagation, Method};
/// # let device = Device::flex();
///
/// let [hidden, output] = [(4, 8), (8, 2)].map(|(i, o)| Local::new(LinearConfig::new(i, o).init(&device)));
/// let chain = Chain::new([4]).layer(&hidden).layer(&output).with_activation(Activation::Relu);
/// let (x, y) = (Tensor::<2>::ones([3, 4], &device), Tensor::<2>::zeros([3, 2], &device));
/// let states = DualPropagation::default().teach(&chain, x, y).unwrap();
/// assert_eq!(states.forward.layer::<2>(1).dims(), [3, 8]);
/// ```
///
/// Source: R. Høier, D. Staudt and C. Zach, "Dual propagation: accelerating contrastive Hebbian learning with dyadic neurons",
/// *ICML* (2023); R. Høier and C. Zach, "Two tales of single-phase contrastive Hebbian learning", *ICML* (2024), the adjoint form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DualPropagation {
    /// Which of the two forms.
    pub form: DualForm,
    /// The share of the upper state in the mean, in 0..=1.
    pub alpha: f64,
    /// The nudging.
    pub beta: f64,
    /// What the output descends.
    pub cost: CostFunction,
    /// The layers in the order in which they follow, counted from 1; one sweep down without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<Vec<usize>>,
}

impl Config for DualPropagation {}

/// The forms of dual propagation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DualForm {
    /// That of 2024.
    #[default]
    Adjoint,
    /// That of 2023.
    Original,
}

impl Default for DualPropagation {
    /// The adjoint form with `α = ½`, `β = 1` and cross-entropy.
    fn default() -> Self {
        Self::new(DualForm::Adjoint, 0.5, 1.0, CostFunction::CrossEntropy)
    }
}

/// The states of all layers after dual propagation.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DualStates {
    /// Those of the forward pass.
    pub forward: States,
    /// The upper ones.
    pub plus: States,
    /// The lower ones.
    pub minus: States,
}

impl DualPropagation {
    /// One sweep down.
    pub fn new(form: DualForm, alpha: f64, beta: f64, cost: CostFunction) -> Self {
        Self { form, alpha, beta, cost, sequence: None }
    }

    /// With layers in another order, each as often as it is named.
    pub fn with_sequence(self, sequence: Vec<usize>) -> Self {
        Self { sequence: Some(sequence), ..self }
    }

    /// Refuses numbers that make no propagation.
    ///
    /// # Errors
    ///
    /// An error that states the value.
    pub fn check(&self) -> Result<(), FeedbackError> {
        if !(0.0..=1.0).contains(&self.alpha) {
            return Err(FeedbackError::Alpha { alpha: self.alpha });
        }
        check_beta(self.beta)
    }

    /// What upper and lower state take of the feedback.
    fn factors(&self) -> [f64; 2] {
        match self.form {
            DualForm::Adjoint => [1.0 - self.alpha, self.alpha],
            DualForm::Original => [self.alpha, 1.0 - self.alpha],
        }
    }
}

fn check_beta(beta: f64) -> Result<(), FeedbackError> {
    if beta.is_finite() && beta != 0.0 { Ok(()) } else { Err(FeedbackError::Beta { beta }) }
}

/// A chain that has neither a read-out nor a bent output.
fn linear_output<'a>(chain: &Chain<'a>) -> Result<Net<'a>, FeedbackError> {
    let net = Net::of(chain)?;
    if net.readout.is_some() || !net.output_is_linear() {
        return Err(FeedbackError::Unsupported {
            reason: "dual propagation takes the cost of a linear output: put the last layer into the chain, without an activation",
        });
    }
    Ok(net)
}

impl Method for DualPropagation {
    type Report = DualStates;

    fn teach<const D: usize>(
        &self,
        chain: &Chain,
        x: Tensor<D>,
        targets: Tensor<2>,
    ) -> Result<DualStates, FeedbackError> {
        self.check()?;
        let net = linear_output(chain)?;
        let sequence = self.sequence.clone().unwrap_or_else(|| (1..=net.len()).rev().collect());
        let outside = |layer: &&usize| !(1..=net.len()).contains(*layer);
        if let Some(layer) = sequence.iter().find(outside) {
            return Err(FeedbackError::Sequence { layer: *layer, layers: net.len() });
        }
        let x = net.input(x)?;
        let targets = net.targets(targets, x.dims()[0])?;
        relax::relax(self, &net, x, targets, &sequence)
    }
}
