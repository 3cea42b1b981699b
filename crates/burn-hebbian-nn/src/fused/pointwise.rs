//! What a rule makes of one patch: the stages of a [`PointwiseRule`] on plain numbers.

use burn_hebbian_core::{
    Activation, Competition, Gate, PointwiseRule, Recurrence, RecurrenceMask, Reduction, Similarity,
};

/// Energies below this count as zero, as everywhere.
const MIN_ENERGY: f32 = 1e-30;

/// The rules that learn from a patch by what its responses and norms alone tell.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pointwise {
    pub(crate) similarity: Similarity,
    pub(crate) activation: Activation,
    pub(crate) competition: Competition,
    pub(crate) gate: Gate,
    pub(crate) recurrence: Recurrence,
    weighted: bool,
}

/// What does not change from patch to patch, and sums over patches; one number a neuron.
pub(super) struct Neurons<'a> {
    /// `1 / ‖w_k‖`.
    pub(super) inverse_norms: &'a [f32],
    /// The diagonal of `K`.
    pub(super) decay: &'a mut [f32],
    /// What a weighted reduction divides by.
    pub(super) mass: &'a mut [f32],
}

/// One patch.
pub(super) struct Patch<'a> {
    /// `‖x‖²`.
    pub(super) energy: f32,
    /// The responses; afterwards the coefficients.
    pub(super) values: &'a mut [f32],
    /// Afterwards the activities, if something reads them.
    pub(super) activity: &'a mut [f32],
}

impl Pointwise {
    /// The stages of a rule whose stages are all known here.
    pub(crate) fn of(rule: PointwiseRule) -> Option<Self> {
        let PointwiseRule { similarity, activation, competition, gate, recurrence, reduction } = rule;
        let similarity = match similarity {
            Similarity::Lebesgue { p: 2.0 } => Similarity::Dot,
            Similarity::Dot | Similarity::Projection | Similarity::Cosine => similarity,
            Similarity::RaisedCosine { power: 1.0 | 2.0 } => similarity,
            _ => return None,
        };
        let known = matches!(activation, Activation::Linear | Activation::Relu)
            && matches!(
                competition,
                Competition::None
                    | Competition::Activity
                    | Competition::KWinners { .. }
                    | Competition::Softmax { .. }
                    | Competition::SignedSoftmax { .. }
            )
            && matches!(gate, Gate::One | Gate::Competition | Gate::Hebb | Gate::Difference)
            && matches!(
                recurrence,
                Recurrence::None
                    | Recurrence::Instar
                    | Recurrence::SignedInstar
                    | Recurrence::Oja
                    | Recurrence::Subspace
                    | Recurrence::Sanger
            );
        let weighted = reduction == Reduction::Weighted;
        known.then_some(Self { similarity, activation, competition, gate, recurrence, weighted })
    }

    /// Whether patches' energies are read.
    pub(crate) fn reads_energy(&self) -> bool {
        matches!(self.similarity, Similarity::Cosine | Similarity::RaisedCosine { .. })
    }

    /// Whether there is a diagonal of `K`.
    pub(crate) fn has_decay(&self) -> bool {
        matches!(self.recurrence, Recurrence::Instar | Recurrence::SignedInstar | Recurrence::Oja)
    }

    /// Whether there is a mass.
    pub(crate) fn has_mass(&self) -> bool {
        self.weighted
    }

    /// Which neurons of a group interact, if any do.
    pub(crate) fn recurrence(&self) -> Option<RecurrenceMask> {
        match self.recurrence {
            Recurrence::Subspace => Some(RecurrenceMask::Full),
            Recurrence::Sanger => Some(RecurrenceMask::LowerTriangle),
            _ => None,
        }
    }

    fn reads_activity(&self) -> bool {
        self.competition == Competition::Activity
            || matches!(self.gate, Gate::Hebb | Gate::Difference)
            || matches!(self.recurrence, Recurrence::Oja | Recurrence::Subspace | Recurrence::Sanger)
    }

    /// From a patch's responses to its coefficients; what it adds to decay and mass is added.
    #[inline(always)]
    pub(super) fn hold(&self, patch: Patch, neurons: &mut Neurons) {
        let Patch { energy, values, activity } = patch;
        let largest = self.compare(values, energy, neurons.inverse_norms);
        if self.reads_activity() {
            match self.activation {
                Activation::Relu => map2(activity, values, |_, s| if s < 0.0 { 0.0 } else { s }),
                _ => activity.copy_from_slice(values),
            }
        }
        self.compete(values, activity, largest);
        match self.gate {
            Gate::One => values.fill(1.0),
            Gate::Hebb => map2(values, activity, |z, y| z * y),
            Gate::Difference => map2(values, activity, |z, y| z - y),
            _ => {}
        }
        self.weigh(values, activity, neurons);
    }

    /// From coefficients to what is summed of them.
    #[inline(always)]
    fn weigh(&self, values: &mut [f32], activity: &[f32], Neurons { decay, mass, .. }: &mut Neurons) {
        match (self.weighted, self.recurrence) {
            // in one pass what would be two
            (true, Recurrence::SignedInstar) => {
                for ((g, mass), decay) in values.iter_mut().zip(&mut **mass).zip(&mut **decay) {
                    let weight = g.abs();
                    *g *= weight;
                    *mass += weight;
                    *decay += g.abs();
                }
                return;
            }
            (true, _) => {
                for (g, mass) in values.iter_mut().zip(&mut **mass) {
                    let weight = g.abs();
                    *g *= weight;
                    *mass += weight;
                }
            }
            (false, _) => {}
        }
        match self.recurrence {
            Recurrence::Instar => map2(decay, values, |decay, c| decay + c),
            Recurrence::SignedInstar => map2(decay, values, |decay, c| decay + c.abs()),
            Recurrence::Oja => {
                for ((decay, c), y) in decay.iter_mut().zip(&*values).zip(activity) {
                    *decay += c * y;
                }
            }
            _ => {}
        }
    }

    /// From responses to similarities; the largest of these, if they compete.
    #[inline(always)]
    fn compare(&self, values: &mut [f32], energy: f32, inverse_norms: &[f32]) -> f32 {
        let inverse_norm = inverse_norm(energy);
        let half = 0.5 * inverse_norm;
        match self.similarity {
            Similarity::Projection => largest_of(values, inverse_norms, |s, w| s * w),
            Similarity::Cosine => largest_of(values, inverse_norms, |s, w| s * w * inverse_norm),
            Similarity::RaisedCosine { power: 1.0 } => {
                largest_of(values, inverse_norms, |s, w| s * w * half + 0.5)
            }
            Similarity::RaisedCosine { .. } => largest_of(values, inverse_norms, |s, w| {
                let base = s * w * half + 0.5;
                base * base
            }),
            _ if self.competes() => largest_of(values, inverse_norms, |s, _| s),
            _ => 0.0,
        }
    }

    fn competes(&self) -> bool {
        !matches!(self.competition, Competition::None | Competition::Activity)
    }

    /// From similarities, the largest of which is given, to the outcome.
    #[inline(always)]
    fn compete(&self, values: &mut [f32], activity: &[f32], largest: f32) {
        match self.competition {
            Competition::Activity => values.copy_from_slice(activity),
            Competition::KWinners { k, losers } => mark_winners(values, k, losers as f32, largest),
            Competition::Softmax { temperature } => softmax(values, temperature as f32, largest),
            Competition::SignedSoftmax { temperature } => {
                let winner = place(values, largest);
                softmax(values, temperature as f32, largest);
                map1(values, |z| -z);
                values[winner] = -values[winner];
            }
            _ => values.fill(1.0),
        }
    }
}

/// `1 / ‖v‖` of a vector with `‖v‖² = energy`; large but finite for an all-zero one.
pub(super) fn inverse_norm(energy: f32) -> f32 {
    // a comparison, not `max`: that would lose NaN
    if energy < MIN_ENERGY { MIN_ENERGY.sqrt().recip() } else { energy.sqrt().recip() }
}

/// 1 for exactly the `k` largest, of equal ones the first; `losers` for the others.
#[inline(always)]
fn mark_winners(values: &mut [f32], k: usize, losers: f32, largest: f32) {
    const WON: f32 = f32::NEG_INFINITY;
    let mut largest = largest;
    for winner in 0..k {
        if winner > 0 {
            largest = reduce_mut(values, WON, |value| value, max);
        }
        values[place(values, largest)] = WON;
    }
    map1(values, |s| if s == WON { 1.0 } else { losers });
}

/// The first place of a value; the very first where there is none, because nothing was comparable.
#[inline(always)]
fn place(values: &[f32], value: f32) -> usize {
    values.iter().position(|other| *other == value).unwrap_or(0)
}

/// `e^(s / T) / Σ e^(s / T)`, with the maximum subtracted first.
#[inline(always)]
fn softmax(values: &mut [f32], temperature: f32, largest: f32) {
    let sharpness = temperature.recip();
    let sum = reduce_mut(values, 0.0, |s| exp((s - largest) * sharpness), |a, b| a + b);
    let share = sum.recip();
    map1(values, |e| e * share);
}

/// The larger of two; NaN is never larger.
#[inline(always)]
fn max(a: f32, b: f32) -> f32 {
    if b > a { b } else { a }
}

/// `e^x` for `x ≤ 0` to within two units in the last place; `e^−87` for all below, NaN for NaN.
///
/// Source: S. L. Moshier, *Cephes Mathematical Library* (1984–1992), `expf`.
#[inline(always)]
fn exp(x: f32) -> f32 {
    /// Adding this rounds to an integer, which then lies in the lowest bits.
    const ROUND: f32 = 12_582_912.0;
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    const POLYNOMIAL: [f32; 6] =
        [1.987_569_1e-4, 1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5];
    let x = if x < -87.0 { -87.0 } else { x };
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = n.mul_add(-LN_2[1], n.mul_add(-LN_2[0], x));
    let polynomial = POLYNOMIAL.into_iter().reduce(|sum, factor| sum.mul_add(r, factor)).unwrap_or(0.0);
    let fraction = polynomial.mul_add(r * r, r) + 1.0;
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(127 << 23));
    fraction * power
}

/// Values that are reduced side by side, so that it can be done in vectors.
const LANES: usize = 16;

/// Maps values in place, each with another, and answers with the largest.
#[inline(always)]
fn largest_of(values: &mut [f32], others: &[f32], f: impl Fn(f32, f32) -> f32) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let (chunks, rest) = values.as_chunks_mut::<LANES>();
    let (other_chunks, other_rest) = others.as_chunks::<LANES>();
    for (chunk, others) in chunks.iter_mut().zip(other_chunks) {
        for i in 0..LANES {
            chunk[i] = f(chunk[i], others[i]);
            lanes[i] = max(lanes[i], chunk[i]);
        }
    }
    for ((value, other), lane) in rest.iter_mut().zip(other_rest).zip(&mut lanes) {
        *value = f(*value, *other);
        *lane = max(*lane, *value);
    }
    fold(lanes, max)
}

/// Maps values in place and combines the results.
#[inline(always)]
fn reduce_mut(
    values: &mut [f32],
    start: f32,
    f: impl Fn(f32) -> f32,
    combine: impl Fn(f32, f32) -> f32,
) -> f32 {
    let mut lanes = [start; LANES];
    let (chunks, rest) = values.as_chunks_mut::<LANES>();
    for chunk in chunks {
        for i in 0..LANES {
            chunk[i] = f(chunk[i]);
            lanes[i] = combine(lanes[i], chunk[i]);
        }
    }
    for (value, lane) in rest.iter_mut().zip(&mut lanes) {
        *value = f(*value);
        *lane = combine(*lane, *value);
    }
    fold(lanes, combine)
}

/// Combines values two by two.
#[inline(always)]
fn fold(mut lanes: [f32; LANES], combine: impl Fn(f32, f32) -> f32) -> f32 {
    for half in [8, 4, 2, 1] {
        for i in 0..half {
            lanes[i] = combine(lanes[i], lanes[i + half]);
        }
    }
    lanes[0]
}

#[inline(always)]
fn map1(values: &mut [f32], f: impl Fn(f32) -> f32) {
    for value in values {
        *value = f(*value);
    }
}

#[inline(always)]
fn map2(values: &mut [f32], others: &[f32], f: impl Fn(f32, f32) -> f32) {
    for (value, other) in values.iter_mut().zip(others) {
        *value = f(*value, *other);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_exact_to_two_units_in_the_last_place() {
        for i in 0..=86_000 {
            let x = -(i as f32) / 1000.0;
            let (ours, exact) = (f64::from(exp(x)), f64::from(x).exp());
            assert!((ours / exact - 1.0).abs() < 2.4e-7, "exp({x}): {ours} for {exact}");
        }
        assert_eq!(exp(0.0), 1.0);
        assert!(exp(f32::NAN).is_nan());
    }

    #[test]
    fn exactly_k_win_and_ties_go_to_the_first() {
        let mut values = [0.5, 2.0, 2.0, -1.0, 2.0];
        mark_winners(&mut values, 2, -0.25, 2.0);
        assert_eq!(values, [-0.25, 1.0, 1.0, -0.25, -0.25]);
        let mut equal = [0.25; 20];
        mark_winners(&mut equal, 1, 0.0, 0.25);
        assert_eq!(equal.iter().position(|value| *value == 1.0), Some(0));
        assert_eq!(equal.iter().sum::<f32>(), 1.0);
    }

    #[test]
    fn softmax_sums_to_one_and_passes_nan_on() {
        let mut values: Vec<f32> = (0..37).map(|i| (i as f32 * 0.7).sin() * 30.0).collect();
        let expected: Vec<f64> = values.iter().map(|s| (f64::from(*s) / 0.5).exp()).collect();
        let sum: f64 = expected.iter().sum();
        softmax(&mut values, 0.5, 30.0);
        for (ours, expected) in values.iter().zip(&expected) {
            assert!((f64::from(*ours) - expected / sum).abs() < 1e-6);
        }
        let mut broken = [1.0, f32::NAN, 2.0];
        softmax(&mut broken, 1.0, 2.0);
        assert!(broken.iter().all(|value| value.is_nan()));
    }
}
