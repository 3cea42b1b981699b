//! The forms in which a step's costly sums can be evaluated.
//!
//! Two sums of a step can be written as products of matrices in several ways: the correlation of the input with the
//! coefficients, and the weight vectors that a recurrence over neurons combines. All forms of one sum give the same values
//! up to rounding; which is fastest depends on the shape and the backend. Layers choose by themselves;
//! [`Local::with_forms`](crate::Local::with_forms) takes the choice away from one of them.

/// How a convolution evaluates `Σ c_k x`, the weight gradient with the coefficients in the place of the output gradient.
///
/// Linear layers have one form, `xᵀ c`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CorrelationForm {
    /// Burn's own weight gradient: a convolution of the input with the coefficients as its weight, one for each group.
    Gradient,
    /// For every tap of the kernel the product of the coefficients with the inputs that the tap sees, over all images.
    ///
    /// With one channel and one neuron a group (depthwise), elementwise products and a sum.
    Taps,
    /// The patches of some images laid out in memory, and one product over all of them.
    Patches,
    /// The patches of some images laid out in memory, one product an image, and the sum of these.
    Images,
    /// The coefficients laid out on the grid of the padded input, so that what a tap sees is a shifted view of the
    /// input: one product for every row of the kernel, nothing copied for a tap. With strides once for every phase.
    ///
    /// An axis with both a stride and a dilation has no such views; such a layer takes [`Patches`](Self::Patches).
    Views,
    /// Forward pass, rule and correlation in one pass over the input: a tile of positions is unfolded into the cache, and
    /// everything that the layer computes of it is computed there.
    ///
    /// On the CPU, for convolutions in `f32` with rules whose stages look at one patch at a time: dot products, cosines
    /// and their raised form, linear or rectified activity, k winners and softmax, without a signal from outside or a
    /// state. Other layers take one of the forms above.
    Fused,
}

impl CorrelationForm {
    /// Every form.
    pub const ALL: [Self; 6] =
        [Self::Gradient, Self::Taps, Self::Patches, Self::Images, Self::Views, Self::Fused];
}

/// How a layer evaluates `K · W` where `K_kj = Σ left_k right_j` over patches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecurrenceForm {
    /// `K` as a matrix, masked, times the weights.
    Gram,
    /// Of a triangular `K` the half that is not zero, in blocks of neurons; of a full one [`Gram`](Self::Gram).
    Triangle,
    /// `Σ left_k (Σ_j right_j w_j)`, the inner sum per patch first: no `K`. Of a triangular `K`, in blocks of neurons.
    Accumulated,
}

impl RecurrenceForm {
    /// Every form.
    pub const ALL: [Self; 3] = [Self::Gram, Self::Triangle, Self::Accumulated];
}

/// Forms that a layer uses whatever they cost; `None` leaves the choice to the layer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Forms {
    /// Of the correlation.
    pub correlation: Option<CorrelationForm>,
    /// Of the recurrence over neurons.
    pub recurrence: Option<RecurrenceForm>,
}
