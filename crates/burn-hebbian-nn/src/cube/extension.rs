//! The kernel of rules as an operation of the CubeCL backend.

// in a build without them
#![cfg_attr(not(feature = "cube"), allow(unused_variables))]

use burn::{
    backend::{Backend, Dispatch, backend_extension, tensor::FloatTensor},
    tensor::Tensor,
};
use burn_hebbian_core::WeightLayout;

use crate::fused::Pointwise;
#[cfg(feature = "cube")]
use crate::untuned::{Plain, cube, own};

/// Coefficients `[n, groups · neurons, …]` like the responses, activities like these if the rule's recurrence needs them, and
/// `[2, groups · neurons]`: the diagonal of `K`, and the mass.
pub(super) fn teach<const X: usize, const W: usize>(
    dot: Tensor<X>,
    energy: Option<Tensor<4>>,
    w: Tensor<W>,
    rule: Pointwise,
    layout: WeightLayout,
) -> (Tensor<X>, Tensor<X>, Tensor<2>) {
    // what is not read may be anything
    let energy = energy.map_or_else(|| w.clone().into_dispatch(), Tensor::into_dispatch);
    let (c, y, sums) =
        <Dispatch as Teaching>::teach(dot.into_dispatch(), energy, w.into_dispatch(), rule, layout);
    (Tensor::from_dispatch(c), Tensor::from_dispatch(y), Tensor::from_dispatch(sums))
}

#[backend_extension(Cube: cfg(feature = "cube"), Fusion: cfg(feature = "fusion"))]
trait Teaching: Backend {
    /// Coefficients, activities, sums of rows.
    #[fusion(meta = |dot, _energy, _w, _rule, layout| {
        let sums = burn::tensor::Shape::from(vec![2, layout.total_neurons()]);
        let sums = burn::backend::fusion::custom::TensorSpec::new(sums, dot.dtype);
        (dot.clone(), dot.clone(), sums)
    })]
    fn teach(
        dot: FloatTensor<Self>,
        energy: FloatTensor<Self>,
        w: FloatTensor<Self>,
        rule: Pointwise,
        layout: WeightLayout,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);
}

#[cfg(feature = "cube")]
impl Teaching for Plain {
    fn teach(
        dot: FloatTensor<Self>,
        energy: FloatTensor<Self>,
        w: FloatTensor<Self>,
        rule: Pointwise,
        layout: WeightLayout,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let [c, y, sums] = super::launch::teach(cube(dot), cube(energy), cube(w), &rule, &layout).map(own);
        (c, y, sums)
    }
}
