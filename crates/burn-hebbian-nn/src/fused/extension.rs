//! The fused pass as an operation of the backends that compute in the memory of this process.

// ndarray is deprecated upstream, and supported here
#![allow(deprecated)]

use burn::{
    backend::{Backend, Dispatch, backend_extension, tensor::FloatTensor},
    tensor::{Tensor, TensorData},
};

use super::{job::Job, linear::LinearJob};

/// Responses, correlation and sums, see [`Job::compute`].
pub(super) fn run<const X: usize, const W: usize>(x: Tensor<X>, w: Tensor<W>, job: Job) -> [Tensor<1>; 3] {
    let (dot, correlation, sums) =
        <Dispatch as FusedPass>::fused_pass(x.into_dispatch(), w.into_dispatch(), job);
    [dot, correlation, sums].map(Tensor::from_dispatch)
}

/// Responses, correlation and mass, see [`LinearJob::compute`].
pub(super) fn run_linear<const X: usize, const W: usize>(
    x: Tensor<X>,
    w: Tensor<W>,
    job: LinearJob,
) -> [Tensor<1>; 3] {
    let (dot, correlation, mass) =
        <Dispatch as FusedPass>::fused_linear(x.into_dispatch(), w.into_dispatch(), job);
    [dot, correlation, mass].map(Tensor::from_dispatch)
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
}

#[cfg(feature = "ndarray")]
fn read<B: Backend>(tensor: FloatTensor<B>) -> TensorData {
    burn::tensor::read_sync(B::float_into_data(tensor)).expect("values in memory")
}

#[cfg(any(feature = "flex", feature = "ndarray"))]
fn answer<B: Backend>([dot, correlation, sums]: [Vec<f32>; 3]) -> Answer<B> {
    let tensor = |values: Vec<f32>| {
        let len = values.len();
        B::float_from_data(TensorData::new(values, [len]), &B::Device::default())
    };
    (tensor(dot), tensor(correlation), tensor(sums))
}
