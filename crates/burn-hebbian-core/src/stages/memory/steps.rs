//! A count of steps that no float type loses.

use alloc::vec;

use burn::tensor::Tensor;

/// Digits of a count to base 256, the lowest first. They are exact in bf16 too; a single number would stop at 2²⁴ in
/// `f32`, at 256 in bf16.
pub(crate) const DIGITS: usize = 4;

const BASE: f64 = 256.0;

/// One step more, `[DIGITS]`; the last digit has no bound but that of its float.
pub(crate) fn next(count: Tensor<1>) -> Tensor<1> {
    let (low, top) = (count.clone().narrow(0, 0, DIGITS - 1), count.narrow(0, DIGITS - 1, 1));
    // a digit stands at its base for one step, then it is carried: no chain of carries
    let carry = low.clone().greater_equal_elem(BASE).float().cast(low.dtype());
    let one = carry.ones_like().narrow(0, 0, 1);
    let kept = Tensor::cat(vec![low - carry.clone().mul_scalar(BASE), top], 0);
    kept + Tensor::cat(vec![one, carry], 0)
}

/// `steps · each`, `[1]`.
pub(crate) fn times(count: Tensor<1>, each: f64) -> Tensor<1> {
    let digit =
        |i: usize| count.clone().narrow(0, i, 1).mul_scalar(each * num_traits::Float::powi(BASE, i as i32));
    (1..DIGITS).fold(digit(0), |sum, i| sum + digit(i))
}

#[cfg(test)]
pub(crate) mod tests {
    use burn::tensor::{DType, Device, TensorData};

    use super::*;

    /// The count as a state holds it.
    pub(crate) fn at(steps: u64) -> [f32; DIGITS] {
        [0, 1, 2, 3].map(|i| (steps >> (8 * i) & 255) as f32)
    }

    fn count(steps: u64, dtype: DType) -> Tensor<1> {
        let count = TensorData::new(at(steps).to_vec(), [DIGITS]);
        Tensor::<1>::from_data(count, (&Device::flex(), DType::F32)).cast(dtype)
    }

    fn number(count: Tensor<1>) -> u64 {
        let digits: Vec<f64> = count.into_data().iter().collect();
        digits.iter().rev().fold(0.0, |sum, digit| sum * BASE + digit) as u64
    }

    #[test]
    fn counts_on_from_anywhere_in_every_float() {
        for dtype in [DType::F32, DType::F16, DType::BF16] {
            for start in [0, 250, 65_533, 16_777_214, 100_000_000, 4_294_967_290] {
                let counted = (0..600).fold(count(start, dtype), |count, _| next(count));
                assert_eq!(number(counted), start + 600, "{dtype:?} from {start}");
            }
        }
    }

    #[test]
    fn multiplies() {
        for steps in [0, 1, 300, 1_000_000, 100_000_000] {
            let product: Vec<f64> = times(count(steps, DType::F32), 1e-3).into_data().iter().collect();
            assert!(
                (product[0] - steps as f64 * 1e-3).abs() <= 2e-7 * steps as f64 * 1e-3,
                "{steps}: {product:?}"
            );
        }
    }
}
