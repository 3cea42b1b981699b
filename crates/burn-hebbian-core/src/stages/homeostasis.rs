//! Synaptic scaling: every neuron's weights grow until it is as active as it should be.

use alloc::{boxed::Box, vec, vec::Vec};

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::{
    Activity, RuleError, WeightLayout,
    error::{finite, positive, share},
    stages::memory::{Memory, Seen, Stage, sums},
};

/// Whether a neuron's weights are scaled towards a mean activity.
///
/// ```
/// # use burn::tensor::Device;
/// use burn_hebbian_core::{DenseView, Homeostasis, Rule, Signals};
/// # let device = Device::flex();
///
/// // y = 1: Hebb's (1, 1), and 0.5 (3 − y) w = (1, 0)
/// let rule = Rule::hebb().with_homeostasis(Homeostasis::Scaling { target: 3.0, rate: 0.5 });
/// let layer = DenseView::from_data([[1.0, 0.0]], [[1.0, 1.0]], &device);
/// let update = layer.update(&rule, Signals::none()).unwrap();
/// update.into_data().assert_eq(&[[2.0, 1.0]].into(), false);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Homeostasis {
    /// No.
    #[default]
    None,
    /// Adds `rate · (target − y_k) w_k` for every patch: all weights of a neuron by the same factor, up if it is less
    /// active than `target`, down if more. A blank patch says nothing of a neuron's activity and adds nothing: in a batch
    /// of them weights would grow without bound.
    ///
    /// Source: G. G. Turrigiano, "The self-tuning neuron: synaptic scaling of excitatory synapses", *Cell* 135 (2008),
    /// doi:10.1016/j.cell.2008.10.008; as a rule beside Hebbian learning: M. C. W. van Rossum, G. Q. Bi and
    /// G. G. Turrigiano, *J. Neurosci.* 20 (2000), eq. 9.
    Scaling {
        /// The mean activity each neuron should have.
        target: f64,
        /// How fast, against the rest of the rule; positive.
        rate: f64,
    },
    /// Of a rule of spikes: thresholds that every spike raises and every step lets fall, `θ_k ← decay · θ_k + increase · Σ s_k` over
    /// images and steps. `θ` is the rule's state, one value a neuron, at first 0; neurons add it to their threshold.
    ///
    /// Source: P. U. Diehl and M. Cook, "Unsupervised learning of digit recognition using spike-timing-dependent plasticity",
    /// *Front. Comput. Neurosci.* 9 (2015), doi:10.3389/fncom.2015.00099.
    Threshold {
        /// What a spike adds, positive.
        increase: f64,
        /// What is left after a step, in 0..=1.
        decay: f64,
    },
}

impl Homeostasis {
    /// The growth of every patch that is not blank, `rate · (target − y)`, from activities
    /// `[n, groups, neurons, positions]`.
    pub(crate) fn growth(&self, y: Option<&Tensor<4>>, activity: &Activity) -> Option<Tensor<4>> {
        let Self::Scaling { target, rate } = *self else { return None };
        let y = y?.clone();
        // a patch that no neuron responds to at all: [n, groups, 1, positions]
        let blank = activity.dot().abs().max_dim(2).equal_elem(0.0).expand(y.dims());
        Some(y.neg().add_scalar(target).mul_scalar(rate).mask_fill(blank, 0.0))
    }

    pub(crate) fn check(&self) -> Result<(), RuleError> {
        match *self {
            Self::None => Ok(()),
            Self::Threshold { increase, decay } => {
                positive("threshold increase", increase)?;
                share("threshold decay", decay)
            }
            Self::Scaling { target, rate } => {
                finite("homeostasis target", target)?;
                positive("homeostasis rate", rate)
            }
        }
    }
}

impl Stage for Homeostasis {
    fn memory(&self, layout: &WeightLayout) -> Option<Box<dyn Memory>> {
        let Self::Threshold { increase, decay } = *self else { return None };
        Some(Box::new(Thresholds { neurons: layout.total_neurons(), increase, decay }))
    }
}

/// State: one threshold a neuron.
struct Thresholds {
    neurons: usize,
    increase: f64,
    decay: f64,
}

impl Memory for Thresholds {
    fn initial(&self) -> Vec<f32> {
        vec![0.0; self.neurons]
    }

    fn statistics_len(&self) -> usize {
        self.neurons
    }

    /// The number of spikes.
    fn statistics(&self, seen: &Seen, _state: Option<Tensor<1>>) -> Option<Tensor<1>> {
        Some(sums(seen.similarity()))
    }

    fn next(&self, state: Tensor<1>, statistics: Option<Tensor<1>>) -> Tensor<1> {
        let left = state.mul_scalar(self.decay);
        match statistics {
            Some(spikes) => left + spikes.mul_scalar(self.increase),
            None => left,
        }
    }

    fn rests(&self) -> bool {
        false
    }
}
