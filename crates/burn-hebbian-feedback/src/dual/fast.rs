//! Dual propagation as backprop with a finite difference.

use burn::{config::Config, tensor::Tensor};
use serde::{Deserialize, Serialize};

use super::{check_beta, linear_output};
use crate::{Chain, CostFunction, FeedbackError, Method, States, chain::Drive};

/// Dual propagation in its fast form: one pass up and one down, in which an error `e` passes an activation at drive `a` as
///
/// ```text
/// (f(a + β e) − f(a − β e)) / (2β)
/// ```
///
/// in the place of `f′(a) e`; the cost is summed over images on the way, the update is its mean. Pooling comes after the activation,
/// and the error passes it back to the cells that the forward pass chose.
///
/// ```
/// # use burn::{nn::LinearConfig, tensor::{Device, Tensor}};
/// # use burn_hebbian_core::Activation;
/// # use burn_hebbian_nn::Local;
/// use burn_hebbian_feedback::{Chain, FastDualPropagation, Method};
/// # let device = Device::flex();
///
/// let [hidden, output] = [(4, 8), (8, 2)].map(|(i, o)| Local::new(LinearConfig::new(i, o).init(&device)));
/// let chain = Chain::new([4]).layer(&hidden).layer(&output).with_activation(Activation::Relu);
/// let (x, y) = (Tensor::<2>::ones([3, 4], &device), Tensor::<2>::zeros([3, 2], &device));
/// let states = FastDualPropagation::default().teach(&chain, x, y).unwrap();
/// assert_eq!(states.layer::<2>(2).dims(), [3, 2]);
/// ```
///
/// Source: R. Høier, D. Staudt and C. Zach, *ICML* (2023).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct FastDualPropagation {
    /// The width of the difference.
    pub beta: f64,
    /// What the output descends.
    pub cost: CostFunction,
}

impl Config for FastDualPropagation {}

impl Default for FastDualPropagation {
    /// `β = 1` and cross-entropy.
    fn default() -> Self {
        Self::new(1.0, CostFunction::CrossEntropy)
    }
}

impl FastDualPropagation {
    /// With this width and cost.
    pub fn new(beta: f64, cost: CostFunction) -> Self {
        Self { beta, cost }
    }
}

impl Method for FastDualPropagation {
    /// The states of the forward pass.
    type Report = States;

    fn teach<const D: usize>(
        &self,
        chain: &Chain,
        x: Tensor<D>,
        targets: Tensor<2>,
    ) -> Result<States, FeedbackError> {
        check_beta(self.beta)?;
        let net = linear_output(chain)?;
        let x = net.input(x)?;
        let targets = net.targets(targets, x.dims()[0])?;
        let (mut below, mut drives, mut states, mut cells) = (x.clone(), Vec::new(), Vec::new(), Vec::new());
        for (number, link) in net.links.iter().enumerate() {
            let a = link.respond(below);
            let Drive { pooled, cells: chosen } = link.pool(net.activate(number + 1, a.clone()));
            below = pooled.clone();
            drives.push(a);
            states.push(pooled);
            cells.push(chosen);
        }
        let mut error = self.cost.gradient(below, targets).neg();
        for layer in (1..=net.len()).rev() {
            let link = &net.links[layer - 1];
            let (a, e) = (
                drives[layer - 1].clone(),
                link.spread(error.clone(), &cells[layer - 1]).mul_scalar(self.beta),
            );
            let difference = net.activate(layer, a.clone() + e.clone()) - net.activate(layer, a - e);
            let passed = difference.div_scalar(2.0 * self.beta);
            if layer > 1 {
                error = link.feedback(passed.clone());
            }
            drives[layer - 1] = passed;
        }
        let inputs = std::iter::once(&x).chain(&states);
        for ((link, below), error) in net.links.iter().zip(inputs).zip(drives) {
            link.observe(vec![burn_hebbian_nn::StatePair::new(below.clone(), error, 1.0)]);
        }
        net.states(states)
    }
}
