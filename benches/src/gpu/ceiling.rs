//! What the device reaches in large square products of matrices: no step is faster than its products at this rate.

use burn::tensor::{DType, Device, Tensor};

use super::{
    Bench,
    report::{Entry, digits, head, row},
};

/// Operations a second, by data type.
#[derive(Debug, Clone, Default)]
pub struct Ceiling(Vec<(DType, f64)>);

impl Ceiling {
    /// Of products in this data type, if they ran.
    pub fn of(&self, dtype: DType) -> Option<f64> {
        self.0.iter().find(|(known, _)| *known == dtype).map(|(_, rate)| *rate)
    }

    /// The share of the ceiling that a step reaches whose forward pass, in `dtype`, has so many multiplications. What it
    /// learns needs as many again, in `f32`.
    pub fn share(&self, dtype: DType, multiplications: f64, seconds: Option<f64>) -> Option<f64> {
        let flop = 2.0 * multiplications;
        let least = flop / self.of(dtype)? + flop / self.of(DType::F32)?;
        Some(least / seconds?)
    }
}

/// Measures and prints the ceiling.
pub fn measure(bench: &Bench) -> Ceiling {
    head(&["matrix product", "TFLOP/s", "relative error of a value"]);
    let sizes: &[usize] = if bench.full { &[4096, 8192] } else { &[64] };
    let mut ceiling = Ceiling::default();
    for &dtype in &bench.dtypes {
        let error = format!("{:.0e}", error(bench, dtype));
        let rates = sizes.iter().filter_map(|&size| {
            let rate = rate(bench, dtype, size)?;
            row(&[format!("{} {size}²", dtype.name()), digits(rate / 1e12), error.clone()]);
            Some(rate)
        });
        if let Some(best) = rates.reduce(f64::max) {
            ceiling.0.push((dtype, best));
        }
    }
    ceiling
}

/// Operations a second of a product of square matrices.
fn rate(bench: &Bench, dtype: DType, size: usize) -> Option<f64> {
    let [a, b] = [(); 2].map(|()| bench.normal([size, size], dtype));
    let seconds = bench.timer.seconds(|| a.clone().matmul(b.clone()));
    let flop = 2.0 * (size as f64).powi(3);
    let case = format!("{size}x{size}x{size}");
    bench.csv.add(Entry { part: "ceiling", case: &case, what: "matmul", dtype, chosen: true, seconds, flop });
    Some(flop / seconds?)
}

/// The error of a product's values against the same product in `f32` on the CPU, in multiples of their deviation: 1e-3
/// for `f32` means that the device rounds its factors, to TF32 for example.
fn error(bench: &Bench, dtype: DType) -> f32 {
    const SIZE: usize = 256;
    let [a, b] = [(); 2].map(|()| bench.normal([SIZE, SIZE], dtype));
    let on_cpu = |values: &Tensor<2>| values.clone().cast(DType::F32).to_device(&Device::flex());
    let expected = on_cpu(&a).matmul(on_cpu(&b));
    let got = on_cpu(&a.matmul(b));
    let worst = (got - expected).abs().max().into_scalar::<f32>();
    worst / (SIZE as f32).sqrt()
}
