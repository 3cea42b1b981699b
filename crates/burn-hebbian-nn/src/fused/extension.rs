//! The fused pass as an operation of the backends that compute in the memory of this process.

// ndarray is deprecated upstream, and supported here
#![allow(deprecated)]

use burn::{
    backend::{Backend, Dispatch, backend_extension, tensor::FloatTensor},
    tensor::{Tensor, TensorData},
};

use super::{
    job::Job,
    linear::{LinearJob, Products},
};

/// Responses, correlation and sums, see [`Job::compute`].
pub(super) fn run<const X: usize, const W: usize>(x: Tensor<X>, w: Tensor<W>, job: Job) -> [Tensor<1>; 3] {
    let (dot, correlation, sums) =
        <Dispatch as FusedPass>::fused_pass(x.into_dispatch(), w.into_dispatch(), job);
    [dot, correlation, sums].map(Tensor::from_dispatch)
}

/// Responses, what the rule made of them, and mass, see [`LinearJob::compute`].
pub(super) fn run_linear(x: Tensor<2>, w: Tensor<2>, job: LinearJob) -> [Tensor<1>; 3] {
    let (dot, taught, mass) =
        <Dispatch as FusedPass>::fused_linear(x.into_dispatch(), w.into_dispatch(), job);
    [dot, taught, mass].map(Tensor::from_dispatch)
}

/// See [`Products::values`].
pub(super) fn linear_values(x: Tensor<2>, w: Tensor<2>, taught: Tensor<1>, products: Products) -> Tensor<1> {
    let [x, w] = [x, w].map(Tensor::into_dispatch);
    Tensor::from_dispatch(<Dispatch as FusedPass>::linear_values(x, w, taught.into_dispatch(), products))
}

/// Whether both are the same values in memory; not known of every backend.
pub(super) fn is_same(one: &Tensor<2>, other: &Tensor<2>) -> bool {
    let [one, other] = [one, other].map(|tensor| tensor.clone().into_dispatch());
    let distance: Tensor<1> = Tensor::from_dispatch(<Dispatch as FusedPass>::distance(one, other));
    distance.into_scalar::<f32>() == 0.0
}

/// Vectors of values: responses, correlation, sums.
type Answer<B> = (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>);

#[backend_extension(Flex: cfg(feature = "flex"), NdArray: cfg(feature = "ndarray"))]
trait FusedPass: Backend {
    /// An [`Answer`] to a job.
    fn fused_pass(
        x: FloatTensor<Self>,
        w: FloatTensor<Self>,
        job: Job,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);

    /// The same of a linear layer.
    fn fused_linear(
        x: FloatTensor<Self>,
        w: FloatTensor<Self>,
        job: LinearJob,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);

    /// The sums of a linear layer.
    fn linear_values(
        x: FloatTensor<Self>,
        w: FloatTensor<Self>,
        taught: FloatTensor<Self>,
        products: Products,
    ) -> FloatTensor<Self>;

    /// `[1]`: 0 if both are the same values in memory.
    fn distance(one: FloatTensor<Self>, other: FloatTensor<Self>) -> FloatTensor<Self>;
}

#[cfg(feature = "flex")]
impl FusedPass for burn::backend::Flex {
    fn fused_pass(x: FloatTensor<Self>, w: FloatTensor<Self>, job: Job) -> Answer<Self> {
        let (x, w) = (x.to_contiguous(), w.to_contiguous());
        let [x, w] = [&x, &w].map(|tensor| tensor.as_slice().expect("contiguous values of f32"));
        answer::<Self>(job.compute(x, w))
    }

    fn fused_linear(x: FloatTensor<Self>, w: FloatTensor<Self>, job: LinearJob) -> Answer<Self> {
        let (x, w) = (x.to_contiguous(), w.to_contiguous());
        let [x, w] = [&x, &w].map(|tensor| tensor.as_slice().expect("contiguous values of f32"));
        answer::<Self>(job.compute(x, w))
    }

    fn linear_values(
        x: FloatTensor<Self>,
        w: FloatTensor<Self>,
        taught: FloatTensor<Self>,
        products: Products,
    ) -> FloatTensor<Self> {
        let [x, w, taught] = [x, w, taught].map(|tensor| tensor.to_contiguous());
        let [x, w, taught] =
            [&x, &w, &taught].map(|tensor| tensor.as_slice().expect("contiguous values of f32"));
        vector::<Self>(products.values(x, w, taught))
    }

    fn distance(one: FloatTensor<Self>, other: FloatTensor<Self>) -> FloatTensor<Self> {
        let same = match (one.as_slice::<f32>(), other.as_slice::<f32>()) {
            (Some(one), Some(other)) => std::ptr::eq(one, other),
            _ => false,
        };
        vector::<Self>(vec![if same { 0.0 } else { 1.0 }])
    }
}

#[cfg(feature = "ndarray")]
impl FusedPass for burn::backend::NdArray {
    fn fused_pass(x: FloatTensor<Self>, w: FloatTensor<Self>, job: Job) -> Answer<Self> {
        let (x, w) = (read::<Self>(x), read::<Self>(w));
        let [x, w] = [&x, &w].map(|data| data.as_slice().expect("values of f32"));
        answer::<Self>(job.compute(x, w))
    }

    fn fused_linear(x: FloatTensor<Self>, w: FloatTensor<Self>, job: LinearJob) -> Answer<Self> {
        let (x, w) = (read::<Self>(x), read::<Self>(w));
        let [x, w] = [&x, &w].map(|data| data.as_slice().expect("values of f32"));
        answer::<Self>(job.compute(x, w))
    }

    fn linear_values(
        x: FloatTensor<Self>,
        w: FloatTensor<Self>,
        taught: FloatTensor<Self>,
        products: Products,
    ) -> FloatTensor<Self> {
        let [x, w, taught] = [x, w, taught].map(read::<Self>);
        let [x, w, taught] = [&x, &w, &taught].map(|data| data.as_slice().expect("values of f32"));
        vector::<Self>(products.values(x, w, taught))
    }

    fn distance(_one: FloatTensor<Self>, _other: FloatTensor<Self>) -> FloatTensor<Self> {
        vector::<Self>(vec![1.0])
    }
}

#[cfg(feature = "ndarray")]
fn read<B: Backend>(tensor: FloatTensor<B>) -> TensorData {
    burn::tensor::read_sync(B::float_into_data(tensor)).expect("values in memory")
}

#[cfg(any(feature = "flex", feature = "ndarray"))]
fn answer<B: Backend>([dot, correlation, sums]: [Vec<f32>; 3]) -> Answer<B> {
    (vector::<B>(dot), vector::<B>(correlation), vector::<B>(sums))
}

#[cfg(any(feature = "flex", feature = "ndarray"))]
fn vector<B: Backend>(values: Vec<f32>) -> FloatTensor<B> {
    let len = values.len();
    B::float_from_data(TensorData::new(values, [len]), &B::Device::default())
}
