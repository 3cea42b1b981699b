//! Where the neurons lie in a weight tensor.

use burn::tensor::Tensor;

use crate::precision::whole;

/// Where the neurons of a layer lie in its weight, the same four axes for every geometry.
///
/// A weight, read row by row, is `[groups, before, neurons, after]`:
///
/// | layer | weight | `before` | `after` |
/// |---|---|---|---|
/// | convolution | `[groups · neurons, channels / groups, kernel…]` | 1 | `channels / groups · kernel` |
/// | transposed convolution | `[channels, neurons, kernel…]` | `channels / groups` | `kernel` |
/// | linear | `[d_input, d_output]` | `d_input` | 1 |
///
/// so `before · after` is the fan-in, and everything that acts on whole neurons (norms, recurrence, division
/// by the mass) is written once.
///
/// ```
/// # use burn::tensor::{Device, Tensor};
/// use burn_hebbian_core::WeightLayout;
/// # let device = Device::flex();
///
/// // a convolution of two groups: six neurons of 2 channels and a kernel of 3 × 3
/// let layout = WeightLayout { groups: 2, before: 1, neurons: 3, after: 2 * 3 * 3 };
/// let weight = layout.view(Tensor::<4>::ones([6, 2, 3, 3], &device));
/// assert_eq!(weight.dims(), [2, 1, 3, 18]);
/// assert!(layout.energy(weight).into_data().iter::<f32>().all(|energy| energy == 18.0));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WeightLayout {
    /// Groups of the layer; neurons compete within a group.
    pub groups: usize,
    /// Weights of one neuron that lie before the neuron axis.
    pub before: usize,
    /// Neurons in one group.
    pub neurons: usize,
    /// Weights of one neuron that lie after the neuron axis.
    pub after: usize,
}

impl WeightLayout {
    /// Weights of one neuron.
    pub fn fan_in(&self) -> usize {
        self.before * self.after
    }

    /// Neurons of the whole layer, all groups together.
    pub fn total_neurons(&self) -> usize {
        self.groups * self.neurons
    }

    /// Number of weights.
    pub fn num_elements(&self) -> usize {
        self.total_neurons() * self.fan_in()
    }

    /// The shape `[groups, before, neurons, after]`.
    pub fn dims(&self) -> [usize; 4] {
        [self.groups, self.before, self.neurons, self.after]
    }

    /// Views a weight as `[groups, before, neurons, after]`.
    ///
    /// # Panics
    ///
    /// If `weight` has another number of elements than the layout.
    pub fn view<const D: usize>(&self, weight: Tensor<D>) -> Tensor<4> {
        weight.reshape(self.dims())
    }

    /// `‖w_k‖²` of every neuron, `[groups, 1, neurons, 1]`, of a weight in the shape of [`view`](Self::view); of one in half
    /// precision in `f32`.
    pub fn energy(&self, weight: Tensor<4>) -> Tensor<4> {
        let weight = whole(weight);
        let squares = weight.clone() * weight;
        squares.sum_dims(&[1, 3])
    }

    /// `v_k w_k`: each neuron's weight vector times its own number, `v: [groups, neurons]`.
    pub fn scale_neurons(&self, weight: Tensor<4>, v: Tensor<2>) -> Tensor<4> {
        weight * v.reshape([self.groups, 1, self.neurons, 1])
    }

    /// `Σ_j K_kj w_j`: weight vectors mixed within each group, `k: [groups, neurons, neurons]`.
    pub fn recurrence_product(&self, weight: Tensor<4>, k: Tensor<3>) -> Tensor<4> {
        let [groups, before, neurons, after] = self.dims();
        let mixed = if before == 1 {
            k.matmul(weight.reshape([groups, neurons, after])) // [g, k, k] · [g, k, after]
        } else if after == 1 {
            weight.reshape([groups, before, neurons]).matmul(k.swap_dims(1, 2)) // [g, before, k] · [g, k, k]
        } else {
            return k.unsqueeze_dim::<4>(1).expand([groups, before, neurons, neurons]).matmul(weight);
        };
        mixed.reshape(self.dims())
    }
}
