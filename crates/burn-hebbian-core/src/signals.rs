//! What reaches layers from outside the forward pass.

use alloc::{string::String, vec::Vec};

use burn::tensor::Tensor;
use core::ops::Range;

use crate::WeightLayout;

/// Which of a rule's passes an activity belongs to.
///
/// Feed-forward rules know one phase; contrastive Hebbian learning needs the free and the clamped state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// The network runs on its input alone.
    #[default]
    Free,
    /// The output is held at its target.
    Clamped,
}

/// What reaches every layer from outside the forward pass.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Signals {
    /// The teacher: one row an image, `[images, classes]` (one-hot or soft targets) or `[images, neurons]`.
    pub teacher: Option<Tensor<2>>,
    /// The pass this is.
    pub phase: Phase,
    /// What multiplies the coefficients, see [`with_third_factor`](Self::with_third_factor).
    pub third_factor: Option<Tensor<2>>,
    /// Third factors of single layers, by path; they go before the one for all.
    pub(crate) third_factors: Vec<(String, Tensor<2>)>,
}

impl Signals {
    /// No signal: unsupervised learning.
    pub fn none() -> Self {
        Self::default()
    }

    /// With a teacher, `[images, classes]`: one-hot or soft targets.
    pub fn with_teacher(mut self, teacher: Tensor<2>) -> Self {
        self.teacher = Some(teacher.inner());
        self
    }

    /// With a third factor, a reward or another modulator that multiplies the coefficients of every
    /// [`Rule`](crate::Rule) (rules of your own ask [`Activity::third_factor`](crate::Activity::third_factor)): `[1, 1]` for
    /// all, `[images, 1]`, `[1, neurons]` or `[images, neurons]`.
    ///
    /// Source: N. Frémaux and W. Gerstner, "Neuromodulated spike-timing-dependent plasticity, and theory of
    /// three-factor learning rules", *Front. Neural Circuits* 9 (2016), doi:10.3389/fncir.2015.00085.
    pub fn with_third_factor(mut self, factor: Tensor<2>) -> Self {
        self.third_factor = Some(factor.inner());
        self
    }

    /// With a third factor for the layer at `path`; layers differ in their neurons.
    pub fn with_third_factor_for(mut self, path: impl Into<String>, factor: Tensor<2>) -> Self {
        self.third_factors.push((path.into(), factor.inner()));
        self
    }

    /// The paths that single layers' third factors are for.
    pub fn modulated_layers(&self) -> impl Iterator<Item = &str> {
        self.third_factors.iter().map(|(path, _)| path.as_str())
    }

    /// The signals as the layer at `path` receives them.
    pub fn for_layer(&self, path: &str) -> Self {
        let own = self.third_factors.iter().find(|(layer, _)| layer == path);
        let third_factor = own.map(|(_, factor)| factor).or(self.third_factor.as_ref()).cloned();
        Self { teacher: self.teacher.clone(), phase: self.phase, third_factor, third_factors: Vec::new() }
    }

    /// In another phase.
    pub fn with_phase(mut self, phase: Phase) -> Self {
        self.phase = phase;
        self
    }

    /// Whether each row belongs to one of so many images, or to all of them.
    pub fn are_of(&self, images: usize) -> bool {
        let rows = [&self.teacher, &self.third_factor].into_iter().flatten().map(|signal| signal.dims()[0]);
        rows.into_iter().all(|rows| rows == 1 || rows == images)
    }

    /// The signals of some images.
    pub fn of(&self, images: Range<usize>) -> Self {
        let of = |signal: &Option<Tensor<2>>| {
            let signal = signal.clone()?;
            let rows = signal.dims()[0];
            Some(if rows == 1 { signal } else { signal.narrow(0, images.start, images.len()) })
        };
        let (teacher, third_factor) = (of(&self.teacher), of(&self.third_factor));
        Self { teacher, third_factor, phase: self.phase, third_factors: self.third_factors.clone() }
    }

    /// The third factor as it broadcasts over `[n, groups, neurons, positions]`.
    ///
    /// # Panics
    ///
    /// If its shape does not fit the layer.
    pub(crate) fn expand_third_factor(&self, layout: &WeightLayout, n: usize) -> Option<Tensor<4>> {
        let factor = self.third_factor.clone()?;
        let neurons = layout.total_neurons();
        let [rows, columns] = factor.dims();
        assert!(
            rows > 0 && (rows == 1 || n.is_multiple_of(rows)) && (columns == 1 || columns == neurons),
            "third factor: expected [1 or {n}, 1 or {neurons}], got [{rows}, {columns}]"
        );
        let factor = if rows == 1 { factor } else { repeat_rows(factor, n / rows) };
        let rows = factor.dims()[0];
        let [groups, neurons] = if columns == 1 { [1, 1] } else { [layout.groups, layout.neurons] };
        Some(factor.reshape([rows, groups, neurons, 1]))
    }
}

/// Every row `times` times in succession.
pub(crate) fn repeat_rows(rows: Tensor<2>, times: usize) -> Tensor<2> {
    if times == 1 {
        return rows;
    }
    let [n, width] = rows.dims();
    rows.unsqueeze_dim::<3>(1).repeat_dim(1, times).reshape([n * times, width])
}
