//! Products on GPUs, and whatever else CubeCL compiles for: Burn's own kernels, by an algorithm that is chosen from the shape.
//!
//! Nothing is tuned: a first step compiles one kernel for each product instead of dozens. Elsewhere, and in the autodiff graph,
//! Burn's own operations do.

// in a build without them
#![cfg_attr(not(feature = "cube"), allow(unused_variables))]

#[cfg(feature = "cube")]
mod launch;

use burn::{
    backend::{Backend, Dispatch, DispatchTensor, backend_extension, tensor::FloatTensor},
    tensor::{DType, Device, Shape, Tensor},
};
#[cfg(feature = "cube")]
use burn_cubecl::tensor::CubeTensor;

use crate::window::Window;

/// The responses of a convolution, if it can be computed here.
pub(crate) fn convolve<const X: usize>(x: &Tensor<X>, w: &Tensor<X>, window: &Window) -> Option<Tensor<X>> {
    let [x, w] = plain([x, w])?;
    Some(Tensor::from_dispatch(<Dispatch as Products>::convolve(x, w, *window)))
}

/// The gradient of a convolution's input of these dimensions, from that of its responses.
pub(crate) fn feed_back<const X: usize>(
    dy: &Tensor<X>,
    w: &Tensor<X>,
    window: &Window,
    input: [usize; X],
) -> Option<Tensor<X>> {
    let [dy, w] = plain([dy, w])?;
    Some(Tensor::from_dispatch(<Dispatch as Products>::feed_back(dy, w, *window, Shape::from(input))))
}

/// The gradient of a convolution's weight of these dimensions.
pub(crate) fn weight_gradient<const X: usize>(
    x: &Tensor<X>,
    c: &Tensor<X>,
    window: &Window,
    weight: [usize; X],
) -> Option<Tensor<X>> {
    let [x, c] = plain([x, c])?;
    Some(Tensor::from_dispatch(<Dispatch as Products>::weight_gradient(x, c, *window, Shape::from(weight))))
}

/// A product of matrices.
pub(crate) fn multiply<const D: usize>(a: Tensor<D>, b: Tensor<D>) -> Tensor<D> {
    match plain([&a, &b]) {
        Some([a, b]) => Tensor::from_dispatch(<Dispatch as Products>::multiply(a, b)),
        None => a.matmul(b),
    }
}

/// Both tensors, if they lie outside the autodiff graph on a backend that is covered here.
fn plain<const D: usize>(tensors: [&Tensor<D>; 2]) -> Option<[DispatchTensor; 2]> {
    let near = tensors.iter().all(|tensor| !tensor.is_autodiff() && is_covered(&tensor.device()));
    let floats = tensors.iter().all(|tensor| matches!(tensor.dtype(), DType::F32 | DType::F16 | DType::BF16));
    (near && floats).then(|| tensors.map(|tensor| tensor.clone().into_dispatch()))
}

/// Whether tensors of a device can be taken here.
#[cfg(feature = "cube")]
pub(crate) fn is_covered(device: &Device) -> bool {
    use std::any::TypeId;

    use burn::backend::Cube;
    use burn_cubecl::CubeBackend;

    use crate::backend::Backend as Known;

    // Burn's backend fuses operations if any crate of a program asks for it; this one has to be told
    let plain = cfg!(feature = "fusion") || TypeId::of::<Cube>() == TypeId::of::<CubeBackend>();
    plain && Known::of(device) == Known::Cube
}

/// Whether tensors of a device can be taken here.
#[cfg(not(feature = "cube"))]
pub(crate) fn is_covered(_device: &Device) -> bool {
    false
}

/// Dimensions of the responses of a convolution.
#[cfg(feature = "fusion")]
fn responses(x: &Shape, w: &Shape, window: &Window) -> Shape {
    let mut dims = x.to_vec();
    let missing = 5 - dims.len();
    let mut spatial = [1; 3];
    spatial[missing..].copy_from_slice(&dims[2..]);
    dims[1] = w[0];
    dims[2..].copy_from_slice(&window.output(spatial)[missing..]);
    Shape::from(dims)
}

/// Dimensions of a product of matrices.
#[cfg(feature = "fusion")]
fn product(a: &Shape, b: &Shape) -> Shape {
    let mut dims = a.to_vec();
    let rank = dims.len();
    dims[rank - 1] = b[rank - 1];
    Shape::from(dims)
}

#[backend_extension(Cube: cfg(feature = "cube"), Fusion: cfg(feature = "fusion"))]
trait Products: Backend {
    /// Responses of a convolution.
    #[fusion(dtype = x, shape = responses(x, w, window))]
    fn convolve(x: FloatTensor<Self>, w: FloatTensor<Self>, window: Window) -> FloatTensor<Self>;

    /// The gradient of its input.
    #[fusion(dtype = dy, shape = input.clone())]
    fn feed_back(
        dy: FloatTensor<Self>,
        w: FloatTensor<Self>,
        window: Window,
        input: Shape,
    ) -> FloatTensor<Self>;

    /// The gradient of its weight.
    #[fusion(dtype = x, shape = weight.clone())]
    fn weight_gradient(
        x: FloatTensor<Self>,
        c: FloatTensor<Self>,
        window: Window,
        weight: Shape,
    ) -> FloatTensor<Self>;

    /// A product of matrices with the same leading dimensions.
    #[fusion(dtype = a, shape = product(a, b))]
    fn multiply(a: FloatTensor<Self>, b: FloatTensor<Self>) -> FloatTensor<Self>;
}

/// The backend below fusion.
#[cfg(all(feature = "cube", feature = "fusion"))]
pub(crate) type Plain = burn_cubecl::CubeBackend;
#[cfg(all(feature = "cube", not(feature = "fusion")))]
pub(crate) type Plain = burn::backend::Cube;

#[cfg(feature = "cube")]
impl Products for Plain {
    fn convolve(x: FloatTensor<Self>, w: FloatTensor<Self>, window: Window) -> FloatTensor<Self> {
        own(launch::convolve(cube(x), cube(w), &window))
    }

    fn feed_back(
        dy: FloatTensor<Self>,
        w: FloatTensor<Self>,
        window: Window,
        input: Shape,
    ) -> FloatTensor<Self> {
        own(launch::feed_back(cube(dy), cube(w), &window, input))
    }

    fn weight_gradient(
        x: FloatTensor<Self>,
        c: FloatTensor<Self>,
        window: Window,
        weight: Shape,
    ) -> FloatTensor<Self> {
        own(launch::weight_gradient(cube(x), cube(c), &window, weight))
    }

    fn multiply(a: FloatTensor<Self>, b: FloatTensor<Self>) -> FloatTensor<Self> {
        own(launch::multiply(cube(a), cube(b)))
    }
}

/// The tensor below a backend that does not fuse; which one that is, another crate of the program may decide.
#[cfg(feature = "cube")]
pub(crate) fn cube(tensor: FloatTensor<Plain>) -> CubeTensor {
    same(tensor)
}

/// See [`cube`].
#[cfg(feature = "cube")]
pub(crate) fn own(tensor: CubeTensor) -> FloatTensor<Plain> {
    same(tensor)
}

/// A value whose type has two names.
#[cfg(feature = "cube")]
fn same<A: 'static, B: 'static>(value: A) -> B {
    let mut value = Some(value);
    let same = (&mut value as &mut dyn std::any::Any).downcast_mut::<Option<B>>();
    same.and_then(Option::take).expect("only called for devices that are covered")
}
