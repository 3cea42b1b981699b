//! Reproducible values and comparisons.

use burn::{
    module::{Module, ModuleVisitor, Param},
    tensor::{Device, Tensor, TensorData},
};

/// Numbers in −1..1, the same for the same seed everywhere.
pub fn numbers(seed: u64, count: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut next = || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

/// A tensor of [`numbers`].
pub fn tensor<const D: usize>(seed: u64, dims: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::from_data(TensorData::new(numbers(seed, dims.iter().product()), dims), device)
}

/// A one-hot teacher, image `i` of class `i % classes`.
pub fn one_hot(images: usize, classes: usize, device: &Device) -> Tensor<2> {
    let values =
        (0..images * classes).map(|i| f32::from(i / classes % classes == i % classes)).collect::<Vec<_>>();
    Tensor::from_data(TensorData::new(values, [images, classes]), device)
}

/// The elements, row by row.
pub fn vec<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.into_data().iter::<f64>().collect()
}

/// Asserts that all elements agree to `tolerance` times the largest magnitude of `expected`, at least 1e-30.
///
/// # Panics
///
/// If they do not; NaN never agrees.
#[track_caller]
pub fn assert_close(what: &str, got: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(got.len(), expected.len(), "{what}: number of elements");
    let scale = expected.iter().fold(1e-30_f64, |scale, value| scale.max(value.abs()));
    for (i, (got, expected)) in got.iter().zip(expected).enumerate() {
        let error = (got - expected).abs() / scale;
        assert!(
            error <= tolerance,
            "{what}: element {i} is {got}, expected {expected} (error {error:.1e} of scale)"
        );
    }
}

/// All float parameters of a module, the state of rules included, to the bit.
pub fn bits<M: Module>(module: &M) -> Vec<u64> {
    let mut bits = Bits(Vec::new());
    module.visit(&mut bits);
    bits.0
}

struct Bits(Vec<u64>);

impl ModuleVisitor for Bits {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.extend(vec(param.val()).into_iter().map(f64::to_bits));
    }
}
