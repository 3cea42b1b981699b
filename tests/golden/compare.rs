//! Comparison with the reference: relative 1e-4, absolute 1e-6 of the tensor's scale.

use burn::tensor::TensorData;

const RTOL: f64 = 1e-4;
const ATOL_OF_SCALE: f64 = 1e-6;

/// Whether `ours` equals `theirs` within the tolerance; the worst element if not.
pub(crate) fn compare(name: &str, ours: TensorData, theirs: &TensorData) -> Result<(), String> {
    if ours.shape() != theirs.shape() {
        return Err(format!("{name}: shape {:?}, expected {:?}", ours.shape(), theirs.shape()));
    }
    let scale = theirs.iter::<f64>().fold(0.0, |scale: f64, value| scale.max(value.abs()));
    let excess = |(ours, theirs): &(f64, f64)| {
        let excess = (ours - theirs).abs() / (RTOL * theirs.abs() + ATOL_OF_SCALE * scale);
        if excess.is_nan() { f64::INFINITY } else { excess }
    };
    let pairs = ours.iter::<f64>().zip(theirs.iter::<f64>());
    let (worst, at) = pairs
        .map(|pair| (excess(&pair), pair))
        .fold((0.0, (0.0, 0.0)), |worst, next| if next.0 > worst.0 { next } else { worst });
    if worst <= 1.0 {
        return Ok(());
    }
    Err(format!("{name}: {} instead of {}, {worst:.1} times the tolerance", at.0, at.1))
}
