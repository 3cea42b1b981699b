//! The fused pass of a linear layer on few images: two passes over its weights.
//!
//! Weights of `[fan-in, neurons]` are read once for responses and norms, row by row; the rule sees image by image; and the sums
//! wait, as what they are made from, until their values are asked for or the weight is stepped: then a row is read, its sums
//! are made, and it is written while they are at hand.

mod lanes;
mod respond;
mod sums;

#[cfg(test)]
mod tests;

pub(crate) use sums::Products;

use super::pointwise::Pointwise;

/// Images up to which weights cost more than arithmetic.
pub(super) const FEW: usize = 32;

/// Inputs whose weights are worked on together.
const ROWS: usize = 4;

/// The sizes of one fused pass, and what is learned in it.
#[derive(Debug, Clone)]
pub(super) struct LinearJob {
    images: usize,
    fan_in: usize,
    pub(super) neurons: usize,
    pub(super) rule: Pointwise,
}

impl LinearJob {
    /// If there are so few images that it pays.
    pub(super) fn new<const X: usize>(x: [usize; X], neurons: usize, rule: Pointwise) -> Option<Self> {
        let (images, fan_in) = (x[0], x[1]);
        let suits = X == 2 && images <= FEW;
        suits.then_some(Self { images, fan_in, neurons, rule })
    }

    /// What is to be made of what the rule teaches.
    pub(super) fn products(&self) -> Products {
        Products { fan_in: self.fan_in, neurons: self.neurons, recurrence: self.rule.recurrence() }
    }
}
