//! What reaches layers from outside the forward pass.

use alloc::{string::String, vec::Vec};

use burn::tensor::Tensor;
use core::ops::Range;

use crate::{RuleError, Span, WeightLayout, error::rows};

/// What reaches every layer from outside the forward pass.
///
/// ```
/// # use burn::tensor::{Device, Tensor};
/// use burn_hebbian_core::{DenseView, Rule, Signals};
/// # let device = Device::flex();
///
/// let layer = DenseView::from_data([[1.0, 0.0]], [[2.0, 1.0]], &device); // y x = (4, 2)
/// let punished = Signals::none().with_third_factor(Tensor::from_data([[-0.5]], &device));
/// let update = layer.update(&Rule::hebb(), punished).unwrap();
/// update.into_data().assert_eq(&[[-2.0, -1.0]].into(), false);
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Signals {
    /// The teacher: one row an image, `[images, classes]` (one-hot or soft targets) or `[images, neurons]`.
    pub teacher: Option<Tensor<2>>,
    /// What multiplies the coefficients, see [`with_third_factor`](Self::with_third_factor).
    pub third_factor: Option<Tensor<2>>,
    /// What multiplies them at each position, see [`with_apical`](Self::with_apical).
    pub apical: Option<Tensor<4>>,
    /// Third factors of single layers, by path; they go before the one for all.
    pub(crate) third_factors: Vec<(String, Tensor<2>)>,
    /// Apical signals of single layers, by path; they go before the one for all.
    pub(crate) apicals: Vec<(String, Tensor<4>)>,
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

    /// With an apical signal: a third factor with positions, such as an error that each neuron hears of at each place,
    /// `[images, groups, neurons, positions]`; any axis may be 1, for all.
    ///
    /// It multiplies coefficients as a [third factor](Self::with_third_factor) does, and that one too where both are given. Rules
    /// that learn by a signal, as [`Apical`](crate::Apical), have nothing else in its place.
    ///
    /// Source: J. Guerguiev, T. P. Lillicrap and B. A. Richards, "Towards deep learning with segregated dendrites", *eLife* 6
    /// (2017), doi:10.7554/eLife.22901.
    pub fn with_apical(mut self, signal: Tensor<4>) -> Self {
        self.apical = Some(signal.inner());
        self
    }

    /// With an apical signal for the layer at `path`.
    pub fn with_apical_for(mut self, path: impl Into<String>, signal: Tensor<4>) -> Self {
        self.apicals.push((path.into(), signal.inner()));
        self
    }

    /// The paths that single layers' third factors and apical signals are for.
    pub fn modulated_layers(&self) -> impl Iterator<Item = &str> {
        let factors = self.third_factors.iter().map(|(path, _)| path.as_str());
        factors.chain(self.apicals.iter().map(|(path, _)| path.as_str()))
    }

    /// The signals as the layer at `path` receives them.
    pub fn for_layer(&self, path: &str) -> Self {
        let third_factor = own(&self.third_factors, path).or(self.third_factor.as_ref()).cloned();
        let apical = own(&self.apicals, path).or(self.apical.as_ref()).cloned();
        Self { teacher: self.teacher.clone(), third_factor, apical, ..Self::none() }
    }

    /// Whether anything multiplies coefficients.
    pub fn modulate(&self) -> bool {
        self.third_factor.is_some() || self.apical.is_some()
    }

    /// Whether each row belongs to one of so many images, or to all of them.
    pub fn are_of(&self, images: usize) -> bool {
        let rows = [&self.teacher, &self.third_factor].into_iter().flatten().map(|signal| signal.dims()[0]);
        let apical = self.apical.as_ref().map(|signal| signal.dims()[0]);
        rows.into_iter().chain(apical).all(|rows| rows == 1 || rows == images)
    }

    /// The signals of some images.
    pub fn of(&self, images: Range<usize>) -> Self {
        let of = |signal: &Option<Tensor<2>>| signal.clone().map(|signal| rows_of(signal, &images));
        let (teacher, third_factor) = (of(&self.teacher), of(&self.third_factor));
        let apical = self.apical.clone().map(|signal| rows_of(signal, &images));
        Self { teacher, third_factor, apical, ..self.clone() }
    }

    /// Refuses an apical signal whose positions are not those of a layer that has so many.
    ///
    /// # Errors
    ///
    /// A [`RuleError`] with both shapes.
    pub fn check_positions(&self, layout: &WeightLayout, positions: usize) -> Result<(), RuleError> {
        let Some(got) = self.apical.as_ref().map(|signal| signal.dims()) else { return Ok(()) };
        if fits(got, [layout.groups, layout.neurons, positions]) {
            return Ok(());
        }
        Err(RuleError::ApicalShape { expected: [layout.groups, layout.neurons, positions], got })
    }

    /// The signals of every step of presentations over time: rows that are one a presentation are repeated for each step.
    ///
    /// # Errors
    ///
    /// If there is neither one row for all, nor one for each presentation, nor one for each step of each.
    pub fn over(&self, span: Span, images: usize) -> Result<Self, RuleError> {
        let presentations = span.presentations(images)?;
        let sizes = [presentations, span.steps];
        Ok(Self {
            teacher: over("teacher", &self.teacher, sizes)?,
            third_factor: over("third factor", &self.third_factor, sizes)?,
            apical: over("apical signal", &self.apical, sizes)?,
            ..self.clone()
        })
    }

    pub(crate) fn check_third_factor(&self, layout: &WeightLayout) -> Result<(), RuleError> {
        if let Some(got) = self.apical.as_ref().map(|signal| signal.dims())
            && !fits(got, [layout.groups, layout.neurons, got[3]])
        {
            return Err(RuleError::ApicalShape { expected: [layout.groups, layout.neurons, 0], got });
        }
        let Some(factor) = &self.third_factor else { return Ok(()) };
        let ([rows, columns], neurons) = (factor.dims(), layout.total_neurons());
        if rows > 0 && (columns == 1 || columns == neurons) {
            return Ok(());
        }
        Err(RuleError::ThirdFactorShape { neurons, rows, columns })
    }

    pub(crate) fn check_third_factor_images(&self, images: usize) -> Result<(), RuleError> {
        let checked = |signal, dims: Option<usize>| dims.map_or(Ok(()), |found| rows(signal, found, images));
        checked("third factor", self.third_factor.as_ref().map(|factor| factor.dims()[0]))?;
        checked("apical signal", self.apical.as_ref().map(|signal| signal.dims()[0]))
    }

    /// Third factor and apical signal as they broadcast over `[n, groups, neurons, positions]`.
    ///
    /// # Panics
    ///
    /// If their shapes do not fit the layer.
    pub(crate) fn expand_modulation(&self, layout: &WeightLayout, n: usize) -> Option<Tensor<4>> {
        match (self.expand_third_factor(layout, n), self.expand_apical(layout, n)) {
            (Some(factor), Some(signal)) => Some(factor.cast(signal.dtype()) * signal),
            (factor, signal) => factor.or(signal),
        }
    }

    fn expand_apical(&self, layout: &WeightLayout, n: usize) -> Option<Tensor<4>> {
        let signal = self.apical.clone()?;
        let [rows, groups, neurons, positions] = signal.dims();
        assert!(
            fits(signal.dims(), [layout.groups, layout.neurons, positions]) && n.is_multiple_of(rows),
            "apical signal: expected [1 or {n}, 1 or {}, 1 or {}, positions], got {:?}",
            layout.groups,
            layout.neurons,
            signal.dims()
        );
        if rows == 1 {
            return Some(signal);
        }
        let flat: Tensor<2> = signal.reshape([rows, groups * neurons * positions]);
        Some(repeat_rows(flat, n / rows).reshape([n, groups, neurons, positions]))
    }

    /// The third factor as it broadcasts over `[n, groups, neurons, positions]`.
    ///
    /// # Panics
    ///
    /// If its shape does not fit the layer.
    fn expand_third_factor(&self, layout: &WeightLayout, n: usize) -> Option<Tensor<4>> {
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

/// The signal of the layer at `path`, if it has one of its own.
fn own<'a, T>(signals: &'a [(String, T)], path: &str) -> Option<&'a T> {
    signals.iter().find(|(layer, _)| layer == path).map(|(_, signal)| signal)
}

/// The rows of some images, or the one for all.
fn rows_of<const D: usize>(signal: Tensor<D>, images: &Range<usize>) -> Tensor<D> {
    if signal.dims()[0] == 1 { signal } else { signal.narrow(0, images.start, images.len()) }
}

/// The rows of a signal for so many steps of so many presentations.
fn over<const D: usize>(
    signal: &'static str,
    values: &Option<Tensor<D>>,
    [presentations, steps]: [usize; 2],
) -> Result<Option<Tensor<D>>, RuleError> {
    let Some(values) = values.clone() else { return Ok(None) };
    let images = presentations * steps;
    match values.dims()[0] {
        rows if rows == 1 || rows == images => Ok(Some(values)),
        rows if rows == presentations => Ok(Some(values.repeat_dim(0, steps))),
        rows => Err(RuleError::SignalRows { signal, rows, images }),
    }
}

/// Whether a signal of these dimensions broadcasts to groups, neurons and positions.
fn fits(got: [usize; 4], expected: [usize; 3]) -> bool {
    let one_or = |(got, all): (&usize, usize)| *got == 1 || *got == all;
    !got.contains(&0) && got[1..].iter().zip(expected).all(one_or)
}

/// Every row `times` times in succession.
pub(crate) fn repeat_rows(rows: Tensor<2>, times: usize) -> Tensor<2> {
    if times == 1 {
        return rows;
    }
    let [n, width] = rows.dims();
    rows.unsqueeze_dim::<3>(1).repeat_dim(1, times).reshape([n * times, width])
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Tensor};

    use crate::*;

    const LAYOUT: WeightLayout = WeightLayout { groups: 2, before: 1, neurons: 3, after: 5 };

    fn ones(dims: [usize; 2]) -> Tensor<2> {
        Tensor::ones(dims, &Device::flex())
    }

    fn taught(dims: [usize; 2]) -> Signals {
        Signals::none().with_teacher(ones(dims))
    }

    fn modulated(dims: [usize; 2]) -> Signals {
        Signals::none().with_third_factor(ones(dims))
    }

    fn refused(rule: &dyn LocalRule, signals: &Signals) -> String {
        rule.check_signals(signals, &LAYOUT).err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn teachers_that_do_not_fit_are_refused_before_a_pass() {
        let groups = Teacher::ClassGroups { classes: 2, per_class: 3, order: GroupOrder::ClassesFirst };
        for (rule, columns) in [(Rule::teacher(), 6), (Rule::swta().with_teacher(groups), 2)] {
            let decaying =
                rule.clone().with_reduction(Reduction::Mean).decaying(|seen: &Activity| seen.dot());
            for rule in [&rule as &dyn LocalRule, &decaying] {
                let missing = refused(rule, &Signals::none());
                assert!(missing.contains(&format!("of {columns} columns")), "{missing}");
                for wrong in [[4, columns + 1], [4, 1], [0, columns]] {
                    let expected = format!(
                        "teacher: expected [images, {columns}] for a layer of 6 neurons, got {wrong:?}"
                    );
                    assert_eq!(refused(rule, &taught(wrong)), expected);
                }
                assert_eq!(refused(rule, &taught([4, columns])), "");
                assert!(rule.check_images(&taught([4, columns]), 8).is_ok());
                let error = rule.check_images(&taught([4, columns]), 6).unwrap_err();
                assert_eq!(error, RuleError::SignalRows { signal: "teacher", rows: 4, images: 6 });
                assert!(error.to_string().starts_with("teacher: 4 rows for 6 images"), "{error}");
            }
        }
    }

    #[test]
    fn teachers_that_nobody_needs_are_not_looked_at() {
        assert_eq!(refused(&Rule::swta(), &taught([0, 7])), "");
        assert!(Rule::swta().check_images(&taught([5, 7]), 6).is_ok());
    }

    #[test]
    fn third_factors_that_do_not_fit_are_refused_before_a_pass() {
        for wrong in [[4, 3], [4, 0], [0, 6], [0, 1]] {
            let expected = format!("third factor: expected [1 or images, 1 or 6], got {wrong:?}");
            assert_eq!(refused(&Rule::oja(), &modulated(wrong)), expected);
        }
        for right in [[1, 1], [4, 1], [1, 6], [4, 6]] {
            assert_eq!(refused(&Rule::oja(), &modulated(right)), "");
            assert!(Rule::oja().check_images(&modulated(right), 4).is_ok());
        }
        let error = Rule::oja().check_images(&modulated([4, 1]), 3).unwrap_err().to_string();
        assert!(error.starts_with("third factor: 4 rows for 3 images"), "{error}");
    }
    #[test]
    fn apical_signals_fit_groups_neurons_and_positions() {
        let with = |dims: [usize; 4]| Signals::none().with_apical(Tensor::ones(dims, &Device::flex()));
        for right in [[4, 2, 3, 7], [1, 2, 3, 1], [4, 1, 1, 7], [1, 1, 1, 1], [4, 2, 1, 7], [4, 1, 3, 1]] {
            assert_eq!(refused(&Rule::oja(), &with(right)), "");
            assert!(with(right).check_positions(&LAYOUT, 7).is_ok());
            let rows = with(right).expand_modulation(&LAYOUT, 8).unwrap().dims()[0];
            assert_eq!(rows, if right[0] == 1 { 1 } else { 8 });
        }
        for wrong in [[4, 3, 3, 7], [4, 2, 2, 7], [4, 2, 3, 0], [4, 1, 6, 7], [0, 1, 1, 1]] {
            let error = refused(&Rule::oja(), &with(wrong));
            assert!(
                error.starts_with("apical signal: expected") && error.ends_with(&format!("got {wrong:?}"))
            );
        }
        let error = with([4, 2, 3, 6]).check_positions(&LAYOUT, 7).unwrap_err().to_string();
        assert_eq!(error, "apical signal: expected [1 or images, 1 or 2, 1 or 3, 1 or 7], got [4, 2, 3, 6]");
        let error = Rule::oja().check_images(&with([4, 1, 1, 1]), 6).unwrap_err().to_string();
        assert!(error.starts_with("apical signal: 4 rows for 6 images"), "{error}");
    }

    #[test]
    fn third_factor_and_apical_signal_multiply() {
        let device = Device::flex();
        let factor = Tensor::from_data([[2.0], [3.0]], &device);
        let signal = Tensor::from_data([[[[1.0, 10.0]]]], &device);
        let both = Signals::none().with_third_factor(factor).with_apical_for("a", signal).for_layer("a");
        let product = both.expand_modulation(&LAYOUT, 2).unwrap();
        product.into_data().assert_eq(&[[[[2.0, 20.0]]], [[[3.0, 30.0]]]].into(), false);
    }
}
