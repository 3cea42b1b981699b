//! Values with a gradient of one's own.
//!
//! What a layer computes outside the autodiff graph enters it here, with a function that takes gradients back. The
//! graph then keeps what that function needs and nothing else.

// ndarray is deprecated upstream, and supported here
#![allow(deprecated)]

use std::{fmt, sync::Arc};

use burn::{
    backend::{
        Autodiff, Backend, BackendTensor, Dispatch, DispatchKindConversion, DispatchTensor,
        autodiff::{
            checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
            grads::Gradients,
            ops::{Backward, Ops, OpsKind, binary, unary},
        },
        backend_extension,
        tensor::FloatTensor,
    },
    tensor::{Device, Tensor},
};

use crate::backend::Backend as Known;

/// `y`, computed from `x` outside the autodiff graph, as a part of the graph: `back` takes a gradient of `y` to one of
/// `x`.
///
/// Of `x` the graph keeps the place, not the values. For devices that [`is_covered`] denies, Burn's own operations have
/// to do.
pub(crate) fn with_gradient<const X: usize, const Y: usize>(
    x: Tensor<X>,
    y: Tensor<Y>,
    back: impl Fn(Tensor<Y>) -> Tensor<X> + Send + Sync + 'static,
) -> Tensor<Y> {
    let y =
        <Dispatch as CustomGradient>::with_gradient(x.into_dispatch(), y.into_dispatch(), Back::new(back));
    Tensor::from_dispatch(y)
}

/// [`with_gradient`] of two values, each with its way back.
pub(crate) fn with_gradients<const X: usize, const W: usize, const Y: usize>(
    x: Tensor<X>,
    w: Tensor<W>,
    y: Tensor<Y>,
    to_x: impl Fn(Tensor<Y>) -> Tensor<X> + Send + Sync + 'static,
    to_w: impl Fn(Tensor<Y>) -> Tensor<W> + Send + Sync + 'static,
) -> Tensor<Y> {
    let back = [Back::new(to_x), Back::new(to_w)];
    let y = <Dispatch as CustomGradient>::with_gradients(
        x.into_dispatch(),
        w.into_dispatch(),
        y.into_dispatch(),
        back,
    );
    Tensor::from_dispatch(y)
}

/// Whether values on `device` can have gradients of their own: whether its backend is a feature of this crate.
pub(crate) fn is_covered(device: &Device) -> bool {
    Known::of(device) != Known::Other
}

/// Takes a gradient of a value back to what the value was computed from.
#[derive(Clone)]
pub(crate) struct Back(Arc<dyn Fn(DispatchTensor) -> DispatchTensor + Send + Sync>);

impl Back {
    fn new<const X: usize, const Y: usize>(
        back: impl Fn(Tensor<Y>) -> Tensor<X> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(move |gradient| back(Tensor::from_dispatch(gradient)).into_dispatch()))
    }

    fn apply<B: Backend>(&self, gradient: FloatTensor<B>) -> FloatTensor<B>
    where
        DispatchTensor: DispatchKindConversion<B>,
    {
        let gradient = DispatchTensor::from_backend(BackendTensor::Float(gradient));
        match DispatchTensor::try_into_backend((self.0)(gradient)) {
            Ok(gradient) => gradient.float(),
            Err(reason) => panic!("a gradient came back from another backend: {reason}"),
        }
    }
}

impl fmt::Debug for Back {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Back")
    }
}

#[backend_extension(
    Autodiff,
    Flex: cfg(feature = "flex"),
    NdArray: cfg(feature = "ndarray"),
    Cube: cfg(feature = "cube"),
    Remote: cfg(feature = "remote")
)]
pub(crate) trait CustomGradient: Backend {
    /// `y`; with autodiff, as a child of `x`.
    #[allow(unused_variables)] // in a build without backends
    fn with_gradient(x: FloatTensor<Self>, y: FloatTensor<Self>, back: Back) -> FloatTensor<Self> {
        drop((x, back));
        y
    }

    /// `y`; with autodiff, as a child of `x` and `w`.
    #[allow(unused_variables)] // in a build without backends
    fn with_gradients(
        x: FloatTensor<Self>,
        w: FloatTensor<Self>,
        y: FloatTensor<Self>,
        back: [Back; 2],
    ) -> FloatTensor<Self> {
        drop((x, w, back));
        y
    }
}

#[cfg(feature = "flex")]
impl CustomGradient for burn::backend::Flex {}
#[cfg(feature = "ndarray")]
impl CustomGradient for burn::backend::NdArray {}
#[cfg(feature = "cube")]
impl CustomGradient for burn::backend::Cube {}
#[cfg(feature = "remote")]
impl CustomGradient for burn::backend::Remote {}

impl<B: Backend, C: CheckpointStrategy> CustomGradient for Autodiff<B, C>
where
    DispatchTensor: DispatchKindConversion<B>,
{
    fn with_gradient(x: FloatTensor<Self>, y: FloatTensor<Self>, back: Back) -> FloatTensor<Self> {
        #[derive(Debug)]
        struct ByHand;

        impl<B: Backend> Backward<B, 1> for ByHand
        where
            DispatchTensor: DispatchKindConversion<B>,
        {
            type State = Back;

            fn backward(self, ops: Ops<Back, 1>, gradients: &mut Gradients, _: &mut Checkpointer) {
                let Ops { parents, node, state: back } = ops;
                unary::<B, _>(parents, node, gradients, |gradient| back.apply::<B>(gradient));
            }
        }

        let y = y.into_primitive();
        match Backward::<B, 1>::prepare::<C>(ByHand, [x.node()]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => prepared.finish(back, y),
            OpsKind::UnTracked(prepared) => prepared.finish(y),
        }
    }

    fn with_gradients(
        x: FloatTensor<Self>,
        w: FloatTensor<Self>,
        y: FloatTensor<Self>,
        back: [Back; 2],
    ) -> FloatTensor<Self> {
        #[derive(Debug)]
        struct ByHand;

        impl<B: Backend> Backward<B, 2> for ByHand
        where
            DispatchTensor: DispatchKindConversion<B>,
        {
            type State = [Back; 2];

            fn backward(self, ops: Ops<[Back; 2], 2>, gradients: &mut Gradients, _: &mut Checkpointer) {
                let Ops { parents, node, state: [to_x, to_w] } = ops;
                binary::<B, _, _>(
                    parents,
                    node,
                    gradients,
                    |gradient| to_x.apply::<B>(gradient),
                    |gradient| to_w.apply::<B>(gradient),
                );
            }
        }

        let y = y.into_primitive();
        match Backward::<B, 2>::prepare::<C>(ByHand, [x.node(), w.node()]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => prepared.finish(back, y),
            OpsKind::UnTracked(prepared) => prepared.finish(y),
        }
    }
}
