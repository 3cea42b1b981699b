//! A rule's answer to an activity.

use alloc::vec::Vec;

use burn::tensor::Tensor;

use crate::precision::whole;

/// A rule's answer: everything of `corr(x, C) − K · W − W ⊙ d` that the rule knows, before the layer sums it; rules of spikes add
/// the same number to all weights of a neuron, or correlations that depend on weights.
///
/// Coefficients have the shape `[n, groups, neurons, positions]`.
///
/// ```
/// # use burn::tensor::{Device, Tensor};
/// use burn_hebbian_core::Factors;
/// # let device = Device::flex();
///
/// // one neuron with c = 1 and 2 for two images: Σ c (x − w), with w = (1, 0), is Σ c x − 3 w
/// let c = Tensor::from_data([[[[1.0]]], [[[2.0]]]], &device);
/// let factors = Factors::instar(c);
/// factors.coefficients.unwrap().into_data().assert_eq(&[[[[1.0]]], [[[2.0]]]].into(), false);
/// factors.decay.unwrap().into_data().assert_eq(&[[3.0]].into(), false);
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Factors {
    /// The post-synaptic coefficients `C` that the layer correlates with its input; none for rules of pure
    /// recurrence.
    pub coefficients: Option<Tensor<4>>,
    /// The diagonal of `K`: `[groups, neurons]`, already summed over patches; as all sums, in `f32` at least.
    pub decay: Option<Tensor<2>>,
    /// The rest of `K`, as two factors and a mask.
    pub matrix: Option<MatrixRecurrence>,
    /// `t` of the decay per input tap `− W ⊙ corr(x, t)`: `[n, groups, 1, positions]`.
    pub taps: Option<Tensor<4>>,
    /// Sums from which the rule's next state is made, [`statistics_len`](crate::LocalRule::statistics_len) values.
    pub statistics: Option<Tensor<1>>,
    /// What a weighted reduction divides by: `[groups, neurons]`, already summed over patches.
    pub mass: Option<Tensor<2>>,
    /// What is added to every weight of a neuron: `[groups, neurons]`, already summed over patches.
    pub offset: Option<Tensor<2>>,
    /// More coefficients, whose correlations are multiplied by functions of the weights.
    pub weighted: Vec<Weighted>,
}

/// Coefficients `[n, groups, neurons, positions]` whose correlation with the input is multiplied by a function of the weights:
/// `f(W) ⊙ corr(x, C)`.
///
/// All micro-batches of a step see the same weights, so that these sums add up as others do.
#[derive(Debug, Clone)]
pub struct Weighted {
    /// The coefficients.
    pub coefficients: Tensor<4>,
    /// What multiplies what they correlate to.
    pub by: WeightFactor,
}

/// A function of a weight.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum WeightFactor {
    /// `w`.
    Weight,
    /// `(max − w)^exponent`, 0 above `max`.
    ToMax {
        /// Where it is 0.
        max: f64,
        /// The exponent.
        exponent: f64,
    },
    /// `(w − min)^exponent`, 0 below `min`.
    ToMin {
        /// Where it is 0.
        min: f64,
        /// The exponent.
        exponent: f64,
    },
}

impl WeightFactor {
    /// The function of every weight.
    pub fn of(&self, weight: Tensor<4>) -> Tensor<4> {
        // clamp: a power of a negative number is none
        let power = |room: Tensor<4>, exponent: f64| match exponent {
            1.0 => room.clamp_min(0.0),
            exponent => room.clamp_min(0.0).powf_scalar(exponent),
        };
        match *self {
            Self::Weight => weight,
            Self::ToMax { max, exponent } => power(weight.neg().add_scalar(max), exponent),
            Self::ToMin { min, exponent } => power(weight.sub_scalar(min), exponent),
        }
    }
}

/// `K_kj = Σ_patches left_k · right_j` where the mask allows it, within each group.
///
/// Handed on as factors, never as a product: the layer chooses the cheapest way to evaluate `K · W`.
#[derive(Debug, Clone)]
pub struct MatrixRecurrence {
    /// `[n, groups, neurons, positions]`, the neuron that learns.
    pub left: Tensor<4>,
    /// `[n, groups, neurons, positions]`, the neuron it learns from.
    pub right: Tensor<4>,
    /// Which pairs interact.
    pub mask: RecurrenceMask,
}

/// Which pairs of neurons interact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecurrenceMask {
    /// All of them.
    Full,
    /// `j ≤ k`: each neuron with itself and those before it.
    LowerTriangle,
}

impl Factors {
    /// `Σ c x`, nothing else.
    pub fn new(c: Tensor<4>) -> Self {
        Self { coefficients: Some(c), ..Self::nothing() }
    }

    /// `− Σ_j K_kj w_j`, nothing in `x`.
    pub fn recurrence(matrix: MatrixRecurrence) -> Self {
        Self::nothing().with_matrix(matrix)
    }

    /// `Σ x (c − w)`, per input tap.
    pub fn outstar(c: Tensor<4>) -> Self {
        let [n, groups, _, positions] = c.dims();
        let ones = Tensor::ones([n, groups, 1, positions], (&c.device(), c.dtype()));
        Self { taps: Some(ones), ..Self::new(c) }
    }

    fn nothing() -> Self {
        let (coefficients, decay, matrix, taps) = (None, None, None, None);
        let (statistics, mass, offset, weighted) = (None, None, None, Vec::new());
        Self { coefficients, decay, matrix, taps, statistics, mass, offset, weighted }
    }

    /// `Σ c (x − w)`.
    pub fn instar(c: Tensor<4>) -> Self {
        let decay = sum_patches(c.clone());
        Self::new(c).with_decay(decay)
    }

    /// `Σ c (x − sign(c) w)`.
    pub fn signed_instar(c: Tensor<4>) -> Self {
        let decay = sum_patches(c.clone().abs());
        Self::new(c).with_decay(decay)
    }

    /// `Σ c (x − y w)`.
    pub fn oja(c: Tensor<4>, y: Tensor<4>) -> Self {
        let decay = sum_patches(c.clone() * y);
        Self::new(c).with_decay(decay)
    }

    /// `Σ c_k (x − Σ_j y_j w_j)`.
    pub fn subspace(c: Tensor<4>, y: Tensor<4>) -> Self {
        Self::new(c.clone()).with_matrix(MatrixRecurrence { left: c, right: y, mask: RecurrenceMask::Full })
    }

    /// `Σ c_k (x − Σ_{j≤k} y_j w_j)`.
    pub fn sanger(c: Tensor<4>, y: Tensor<4>) -> Self {
        let mask = RecurrenceMask::LowerTriangle;
        Self::new(c.clone()).with_matrix(MatrixRecurrence { left: c, right: y, mask })
    }

    /// With a growing term `Σ c_k w_k` beside what decays already.
    pub fn with_growth(mut self, c: Tensor<4>) -> Self {
        let growth = sum_patches(c);
        self.decay = Some(match self.decay.take() {
            Some(decay) => decay - growth,
            None => growth.neg(),
        });
        self
    }

    /// `Σ (c x − gamma w)`, with a decay of the user's.
    pub fn decaying(c: Tensor<4>, gamma: Tensor<4>) -> Self {
        Self::new(c).with_decay(sum_patches(gamma))
    }

    /// With the diagonal of `K`, `[groups, neurons]`: `− decay_k w_k`.
    pub fn with_decay(mut self, decay: Tensor<2>) -> Self {
        self.decay = Some(decay);
        self
    }

    /// With interaction between neurons.
    pub fn with_matrix(mut self, matrix: MatrixRecurrence) -> Self {
        self.matrix = Some(matrix);
        self
    }

    /// With sums from which the rule's next state is made.
    pub fn with_statistics(mut self, statistics: Tensor<1>) -> Self {
        self.statistics = Some(statistics);
        self
    }

    /// `Σ f(W) ⊙ corr(x, C)`, nothing else.
    pub fn weighted(weighted: Vec<Weighted>) -> Self {
        Self { weighted, ..Self::nothing() }
    }

    /// With `Σ c_k` added to every weight of a neuron, from `[n, groups, neurons, positions]`.
    pub fn with_offset_of(mut self, c: Tensor<4>) -> Self {
        self.offset = Some(sum_patches(c));
        self
    }

    /// With the mass of a weighted reduction, from weights `[n, groups, neurons, positions]`.
    pub fn with_mass_of(mut self, weights: Option<Tensor<4>>) -> Self {
        self.mass = weights.map(sum_patches);
        self
    }
}

/// `[n, groups, neurons, positions]` → `[groups, neurons]`.
fn sum_patches(values: Tensor<4>) -> Tensor<2> {
    whole(values).sum_dims_squeeze(&[0, 3])
}
