//! Running mean and variance, as batch normalization keeps them.

use alloc::vec;
use alloc::vec::Vec;

use burn::tensor::Tensor;

use crate::{
    precision::whole,
    stages::memory::{Cursor, Memory, Seen, blend},
};

/// Running mean and unbiased variance of `width` numbers at once.
///
/// With momentum `m` a step of one number `x` has no variance of its own; `(1 − m/2) (x − μ)²`, `μ` being the mean before
/// it, stands in its place. Of independent numbers the running mean has the variance `v m / (2 − m)`, so that
/// `E (x − μ)² = v · 2 / (2 − m)`, and the estimate is unbiased.
///
/// State: means, then variances, at first 0 and 1. Statistics: the count, the sums of the deviations from the running
/// mean, the sums of their squares; deviations rather than the numbers themselves, because squares of numbers far from
/// zero would cancel.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Running {
    pub(crate) width: usize,
    pub(crate) momentum: f64,
}

/// Running moments of the similarities, as `of` arranges them.
pub(crate) struct OfSimilarities {
    pub(crate) running: Running,
    /// `[n, groups, neurons, positions]` → `[n, width, positions]`.
    pub(crate) of: fn(Tensor<4>) -> Tensor<3>,
}

impl Memory for OfSimilarities {
    fn initial(&self) -> Vec<f32> {
        self.running.initial_state()
    }

    fn statistics_len(&self) -> usize {
        self.running.statistics_len()
    }

    fn statistics(&self, seen: &Seen, state: Option<Tensor<1>>) -> Option<Tensor<1>> {
        Some(self.running.statistics((self.of)(seen.similarity()), state?))
    }

    fn next(&self, state: Tensor<1>, statistics: Option<Tensor<1>>) -> Tensor<1> {
        match statistics {
            Some(statistics) => self.running.next_state(state, statistics),
            None => state,
        }
    }
}

/// Means and variances, `[width]` each.
pub(crate) struct Moments {
    pub(crate) mean: Tensor<1>,
    pub(crate) variance: Tensor<1>,
}

impl Moments {
    fn of(state: Tensor<1>, width: usize) -> Self {
        let mut state = Cursor::new(state);
        Self { mean: state.take(width), variance: state.take(width) }
    }
}

impl Running {
    pub(crate) fn state_len(&self) -> usize {
        2 * self.width
    }

    pub(crate) fn initial_state(&self) -> Vec<f32> {
        [vec![0.0; self.width], vec![1.0; self.width]].concat()
    }

    pub(crate) fn statistics_len(&self) -> usize {
        1 + 2 * self.width
    }

    /// From values `[n, width, positions]`, in their type, but not in half precision.
    pub(crate) fn statistics(&self, values: Tensor<3>, state: Tensor<1>) -> Tensor<1> {
        let [n, width, positions] = values.dims();
        let mean = Moments::of(state, self.width).mean;
        let values = whole(values);
        let deviations = values.clone() - mean.reshape([1, width, 1]).cast(values.dtype());
        let count = Tensor::full([1], (n * positions) as f64, (&deviations.device(), deviations.dtype()));
        let squares = deviations.clone() * deviations.clone();
        let sums = |values: Tensor<3>| values.sum_dims(&[0, 2]).reshape([width]);
        Tensor::cat(vec![count, sums(deviations), sums(squares)], 0)
    }

    pub(crate) fn next_state(&self, state: Tensor<1>, statistics: Tensor<1>) -> Tensor<1> {
        let Moments { mean, variance } = Moments::of(state, self.width);
        let mut statistics = Cursor::new(statistics);
        let (count, sums) = (statistics.take(1), statistics.take(self.width));
        let batch = self.variance_of(count.clone(), sums.clone(), statistics.take(self.width));
        // clamp: a step without a patch, whose state is thrown away, does not divide by 0.
        let mean = mean + (sums / count.clamp_min(1.0)).mul_scalar(self.momentum);
        Tensor::cat(vec![mean, blend(variance, batch, self.momentum)], 0)
    }

    /// The variance of a step, from sums over its `count` numbers of deviations from the running mean and their squares.
    fn variance_of(&self, count: Tensor<1>, sums: Tensor<1>, squares: Tensor<1>) -> Tensor<1> {
        let others = count.clone().sub_scalar(1.0).clamp_min(1.0);
        let spread = squares.clone() - sums.clone() * sums / count.clone().clamp_min(1.0);
        let alone = count.lower_equal_elem(1.0).expand([self.width]);
        // clamp: rounding can put the spread of equal numbers just below 0.
        let unbiased = (spread / others).clamp_min(0.0);
        unbiased.mask_where(alone, squares.mul_scalar(1.0 - 0.5 * self.momentum))
    }

    /// The moments after one more pass, as if it were the step's only one.
    pub(crate) fn updated(&self, values: Tensor<3>, state: Tensor<1>) -> Moments {
        let statistics = self.statistics(values, state.clone());
        Moments::of(self.next_state(state, statistics), self.width)
    }

    /// The moments as the last step left them.
    pub(crate) fn committed(&self, state: Tensor<1>) -> Moments {
        Moments::of(state, self.width)
    }
}
