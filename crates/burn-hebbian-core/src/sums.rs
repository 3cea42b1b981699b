//! What a layer adds to its update in one pass.

use alloc::{boxed::Box, sync::Arc};
use core::{any::Any, fmt::Debug};

use burn::tensor::{DType, Device, Tensor};

/// What one layer adds to its update in one forward pass; sums of micro-batches and devices add up.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Sums {
    /// `corr(x, C) − K · W − W ⊙ d`.
    pub numerator: Numerator,
    /// What [`Finish`](crate::Finish) divides by; `None` for a plain sum.
    pub mass: Option<Tensor<1>>,
    /// What the rule's next state is made from.
    pub statistics: Option<Tensor<1>>,
}

impl Sums {
    /// The sums of one pass.
    pub fn new(
        numerator: impl Into<Numerator>,
        mass: Option<Tensor<1>>,
        statistics: Option<Tensor<1>>,
    ) -> Self {
        Self { numerator: numerator.into(), mass, statistics }
    }

    /// The sums of two passes through the same layer.
    pub fn merge(self, other: Self) -> Self {
        let add = |a: Option<Tensor<1>>, b| match (a, b) {
            (Some(a), Some(b)) => Some(a + b),
            (a, b) => a.or(b),
        };
        Self {
            numerator: self.numerator.add(other.numerator),
            mass: add(self.mass, other.mass),
            statistics: add(self.statistics, other.statistics),
        }
    }
}

/// A sum with one value for each of a layer's weights, row by row: as these values, or as what they are made from.
#[derive(Debug, Clone)]
pub struct Numerator(Form);

#[derive(Debug, Clone)]
enum Form {
    Values(Box<Tensor<1>>),
    Deferred(Arc<dyn DeferredSum>),
}

/// A sum that is kept as what it is made from until its values are asked for.
///
/// The products `Σ c xᵀ` of a linear layer on few images are such: their factors are smaller than they are by the size of the
/// layer, and whoever steps the weight can make them row by row while the weight is at hand.
pub trait DeferredSum: Debug + Send + Sync + Any {
    /// The values.
    fn values(&self) -> Tensor<1>;

    /// How many values there are.
    fn count(&self) -> usize;

    /// Where the values will be, and their type.
    fn options(&self) -> (Device, DType);

    /// Both sums as one of the same kind, if they can be added without their values.
    fn join(&self, other: &dyn DeferredSum) -> Option<Arc<dyn DeferredSum>>;
}

impl Numerator {
    /// A sum whose values are made when they are asked for.
    pub fn deferred(sum: impl DeferredSum) -> Self {
        Self(Form::Deferred(Arc::new(sum)))
    }

    /// The values.
    pub fn into_values(self) -> Tensor<1> {
        match self.0 {
            Form::Values(values) => *values,
            Form::Deferred(sum) => sum.values(),
        }
    }

    /// What the values will be made from, if it is a `S`.
    pub fn as_deferred<S: DeferredSum>(&self) -> Option<&S> {
        match &self.0 {
            Form::Values(_) => None,
            Form::Deferred(sum) => (&**sum as &dyn Any).downcast_ref(),
        }
    }

    /// How many values there are.
    pub fn count(&self) -> usize {
        match &self.0 {
            Form::Values(values) => values.dims()[0],
            Form::Deferred(sum) => sum.count(),
        }
    }

    /// Where the values are or will be, and their type.
    pub fn options(&self) -> (Device, DType) {
        match &self.0 {
            Form::Values(values) => (values.device(), values.dtype()),
            Form::Deferred(sum) => sum.options(),
        }
    }

    fn add(self, other: Self) -> Self {
        let joined = match (&self.0, &other.0) {
            (Form::Deferred(one), Form::Deferred(other)) => one.join(&**other),
            _ => None,
        };
        match joined {
            Some(sum) => Self(Form::Deferred(sum)),
            None => (self.into_values() + other.into_values()).into(),
        }
    }
}

impl From<Tensor<1>> for Numerator {
    fn from(values: Tensor<1>) -> Self {
        Self(Form::Values(Box::new(values)))
    }
}
