//! Sums of a linear layer that wait for who steps its weight.

use std::{any::Any, sync::Arc};

use burn::tensor::{DType, Device, Tensor};
use burn_hebbian_core::DeferredSum;

use super::{
    extension,
    linear::{FEW, Products},
};

/// Images that sums are put together for: a step makes its sums from all of them for every weight.
const MOST: usize = 8 * FEW;

/// `Σ c_k x − Σ_j K_kj w_j` as what it is made from.
#[derive(Debug, Clone)]
pub(crate) struct LinearSums {
    pub(crate) products: Products,
    /// The inputs, `[images, fan-in]`.
    pub(crate) x: Tensor<2>,
    /// The weight that the layer had, `[fan-in, neurons]`.
    pub(crate) w: Tensor<2>,
    /// Coefficients, activities, decay and norms, see [`LinearJob::compute`](super::linear::LinearJob::compute).
    pub(crate) taught: Tensor<1>,
}

impl DeferredSum for LinearSums {
    fn values(&self) -> Tensor<1> {
        let Self { products, x, w, taught } = self.clone();
        extension::linear_values(x, w, taught, products)
    }

    fn count(&self) -> usize {
        self.products.fan_in * self.products.neurons
    }

    fn options(&self) -> (Device, DType) {
        (self.w.device(), self.w.dtype())
    }

    fn join(&self, other: &dyn DeferredSum) -> Option<Arc<dyn DeferredSum>> {
        let other = (other as &dyn Any).downcast_ref::<Self>()?;
        let images = [self, other].map(|sums| sums.x.dims()[0]);
        let fits = self.products == other.products && images.iter().sum::<usize>() <= MOST;
        if !fits || !extension::is_same(&self.w, &other.w) {
            return None;
        }
        let (c, y, decay, norms) = self.parts();
        let (more_c, more_y, more_decay, _) = other.parts();
        let x = Tensor::cat(vec![self.x.clone(), other.x.clone()], 0);
        let taught = [Some(c), Some(more_c), y, more_y, Some(decay + more_decay), Some(norms)];
        let taught = Tensor::cat(taught.into_iter().flatten().collect(), 0);
        Some(Arc::new(Self { products: self.products, x, w: self.w.clone(), taught }))
    }
}

impl LinearSums {
    /// Coefficients; activities, if neurons interact; decay; norms.
    fn parts(&self) -> (Tensor<1>, Option<Tensor<1>>, Tensor<1>, Tensor<1>) {
        let [coefficients, activities, neurons] = self.products.lengths(self.x.dims()[0]);
        let part = |start: usize, len: usize| self.taught.clone().narrow(0, start, len);
        let rest = coefficients + activities;
        let activities = (activities > 0).then(|| part(coefficients, activities));
        (part(0, coefficients), activities, part(rest, neurons), part(rest + neurons, neurons))
    }
}
