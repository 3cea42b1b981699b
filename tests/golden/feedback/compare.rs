//! Comparison with the reference: relative to the largest entry of each tensor.

use std::{cell::RefCell, collections::BTreeSet};

use burn::tensor::{DType, Tensor, TensorData};

use super::case::{Case, Error};

/// How many times its stated error a case may differ.
const ALLOWED: f64 = 5.0;

/// What double precision may differ by, if the case states less: sums in another order.
const DOUBLE: f64 = 1e-11;

/// Everything of a case that was compared, and what remains.
pub(super) struct Comparison<'c> {
    case: &'c Case,
    pub(super) dtype: DType,
    compared: RefCell<BTreeSet<String>>,
    /// What the case states for the updates at hand.
    stated: Option<f64>,
    worst: (f64, String),
    error: Option<String>,
}

impl<'c> Comparison<'c> {
    pub(super) fn of(case: &'c Case, dtype: DType) -> Self {
        Self {
            case,
            dtype,
            compared: RefCell::default(),
            stated: None,
            worst: (0.0, String::new()),
            error: None,
        }
    }

    /// Notes that a tensor is one that the case is given by, or one that follows from others.
    pub(super) fn given(&self, name: impl Into<String>) {
        self.compared.borrow_mut().insert(name.into());
    }

    fn tolerance(&self, name: &str) -> f64 {
        if self.dtype == DType::F64 {
            return DOUBLE.max(ALLOWED * self.case.recomputation_error);
        }
        let Error { delta, other } = self.case.float32_error;
        let update = name.contains("delta_") || name.starts_with("grad.");
        let delta = self.stated.or(delta);
        let stated = if update { delta.or(other) } else { other.or(delta) };
        ALLOWED * stated.unwrap_or(0.0)
    }

    /// Compares with a tensor of the case, within its tolerance.
    pub(super) fn check<const D: usize>(&mut self, name: &str, ours: Tensor<D>) {
        let tolerance = self.tolerance(name);
        let Some(theirs) = self.case.data(name) else {
            self.error.get_or_insert(format!("tensor `{name}` is missing"));
            return;
        };
        self.given(name);
        match miss(ours.into_data(), theirs) {
            Err(error) => {
                self.error.get_or_insert(format!("{name}: {error}"));
            }
            Ok(miss) if miss <= tolerance => {
                if miss / tolerance > self.worst.0 {
                    self.worst = (miss / tolerance, name.to_string());
                }
            }
            Ok(miss) => {
                let said = format!("{name}: off by {miss:.1e} of its largest entry, {tolerance:.1e} allowed");
                self.error.get_or_insert(said);
            }
        }
    }

    /// Runs `checks` with an error that the case states for these updates alone.
    pub(super) fn stating<R>(&mut self, stated: Option<f64>, checks: impl FnOnce(&mut Self) -> R) -> R {
        self.stated = stated;
        let result = checks(self);
        self.stated = None;
        result
    }

    /// Whether all was equal, and nothing was left out.
    pub(super) fn verdict(self) -> Result<String, String> {
        if let Some(error) = self.error {
            return Err(error);
        }
        let compared = self.compared.into_inner();
        let mut left: Vec<_> = self.case.names().filter(|name| !compared.contains(*name)).collect();
        left.sort_unstable();
        match left.first() {
            Some(first) => Err(format!("{} tensors were not compared, `{first}` first", left.len())),
            None => Ok(format!("at most {:.0e} of what is allowed, {}", self.worst.0, self.worst.1)),
        }
    }
}

/// The largest difference, relative to the largest entry; NaN is infinitely far from everything.
fn miss(ours: TensorData, theirs: &TensorData) -> Result<f64, String> {
    if ours.shape() != theirs.shape() {
        return Err(format!("shape {:?}, expected {:?}", ours.shape(), theirs.shape()));
    }
    let largest = theirs.iter::<f64>().fold(0.0, |largest: f64, value| largest.max(value.abs()));
    let pairs = ours.iter::<f64>().zip(theirs.iter::<f64>());
    Ok(pairs.fold(0.0, |worst: f64, (ours, theirs)| {
        let miss = (ours - theirs).abs() / largest.max(f64::MIN_POSITIVE);
        if miss.is_nan() { f64::INFINITY } else { worst.max(miss) }
    }))
}
