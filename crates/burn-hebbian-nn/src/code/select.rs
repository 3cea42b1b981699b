//! The `k`-th largest of many numbers, of several lists side by side.

/// Lists side by side.
pub(super) const LANES: usize = 16;

/// A number of every list.
pub(super) type Lane = [f32; LANES];

/// Guesses at a threshold, before the few lists that are left are looked at one by one.
const GUESSES: usize = 14;

/// Guesses that follow the density where the threshold is expected; later ones go by the counts on both sides.
const BY_DENSITY: usize = 3;

/// A threshold for every list: exactly `k` of its numbers are at least that, or else it is the `k`-th largest, which others
/// equal. NaN for a list with a NaN.
#[inline(always)]
pub(super) fn thresholds(values: &[Lane], k: usize) -> Lane {
    let guess = Guess::new(values, k);
    let Guess { mut low, mut high, mut middle, density, .. } = guess;
    let (mut low_count, mut high_count) = ([values.len() as f32; LANES], [0.0; LANES]);
    let (wanted, mut found, mut missing) = (k as f32, [f32::NAN; LANES], LANES);
    let mut open = [true; LANES];
    for round in 0..GUESSES {
        if missing == 0 {
            break;
        }
        let count = counts(values, &middle);
        for lane in 0..LANES {
            if !open[lane] {
                continue;
            }
            let (t, count) = (middle[lane], count[lane]);
            if count == wanted && !guess.broken[lane] {
                (found[lane], open[lane]) = (t, false);
                missing -= 1;
                continue;
            }
            if count >= wanted {
                (low[lane], low_count[lane]) = (t, count);
            } else {
                (high[lane], high_count[lane]) = (t, count);
            }
            let (from, to) = (low[lane], high[lane]);
            let share = (low_count[lane] - wanted) / (low_count[lane] - high_count[lane]);
            let by_density = t + (count - wanted) / density[lane];
            middle[lane] = match round {
                _ if round < BY_DENSITY && by_density > from && by_density < to => by_density,
                _ if round % 4 == 3 => from + 0.5 * (to - from),
                _ => from + share * (to - from),
            };
        }
    }
    if missing > 0 {
        for lane in (0..LANES).filter(|lane| open[*lane]) {
            found[lane] = alone(values, lane, k);
        }
    }
    found
}

/// What the thresholds are looked for from.
struct Guess {
    low: Lane,
    high: Lane,
    middle: Lane,
    /// Numbers in an interval of 1 around the threshold.
    density: Lane,
    /// Lists with a NaN, or none that could be told.
    broken: [bool; LANES],
}

impl Guess {
    /// As if numbers were normally distributed.
    #[inline(always)]
    fn new(values: &[Lane], k: usize) -> Self {
        let (mut low, mut high) = ([f32::INFINITY; LANES], [f32::NEG_INFINITY; LANES]);
        let (mut sum, mut squares) = ([0.0; LANES], [0.0; LANES]);
        for lane in values {
            for i in 0..LANES {
                low[i] = if lane[i] < low[i] { lane[i] } else { low[i] };
                high[i] = if lane[i] > high[i] { lane[i] } else { high[i] };
                sum[i] += lane[i];
                squares[i] += lane[i] * lane[i];
            }
        }
        let count = values.len() as f32;
        let quantile = upper_quantile(k as f32 / count);
        let height = (-0.5 * quantile * quantile).exp() / std::f32::consts::TAU.sqrt();
        let (mut middle, mut density, mut broken) = ([0.0; LANES], [0.0; LANES], [false; LANES]);
        for i in 0..LANES {
            let mean = sum[i] / count;
            // clamp: rounding, and numbers that are all the same
            let deviation = (squares[i] / count - mean * mean).max(f32::MIN_POSITIVE).sqrt();
            middle[i] = (mean + quantile * deviation).clamp(low[i].min(high[i]), high[i].max(low[i]));
            density[i] = count * height / deviation;
            broken[i] = !squares[i].is_finite();
        }
        Self { low, high, middle, density, broken }
    }
}

/// How many numbers are at least `threshold`.
#[inline(always)]
fn counts(values: &[Lane], threshold: &Lane) -> Lane {
    let mut counts = [0i32; LANES];
    for lane in values {
        for i in 0..LANES {
            counts[i] += i32::from(lane[i] >= threshold[i]);
        }
    }
    counts.map(|count| count as f32)
}

/// The `k`-th largest of one list, exactly.
#[inline(never)]
fn alone(values: &[Lane], lane: usize, k: usize) -> f32 {
    let mut list: Vec<f32> = values.iter().map(|value| value[lane]).collect();
    if list.iter().any(|value| value.is_nan()) {
        return f32::NAN;
    }
    let place = list.len() - k;
    *list.select_nth_unstable_by(place, f32::total_cmp).1
}

/// Where a share of a normal distribution lies above, to about 1e-3.
///
/// Source: C. Hastings, *Approximations for digital computers*, Princeton (1955), sheet 67.
fn upper_quantile(share: f32) -> f32 {
    let tail = share.clamp(1e-6, 1.0 - 1e-6);
    let (tail, sign) = if tail > 0.5 { (1.0 - tail, -1.0) } else { (tail, 1.0) };
    let t = (-2.0 * tail.ln()).sqrt();
    sign * (t - (2.307_53 + 0.270_61 * t) / (1.0 + t * (0.992_29 + t * 0.044_81)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(values: &[Lane], lane: usize, k: usize) -> Vec<bool> {
        let mut sorted: Vec<f32> = values.iter().map(|value| value[lane]).collect();
        sorted.sort_by(|a, b| b.total_cmp(a));
        values.iter().map(|value| value[lane] >= sorted[k - 1]).collect()
    }

    /// Lists of many shapes: even, skewed, of two heaps, with ties, all the same.
    #[test]
    fn thresholds_part_the_largest_from_the_rest() {
        let number = |i: usize, lane: usize| {
            let u = ((i * 7919 + lane * 104_729 + 17) % 10_007) as f32 / 10_007.0;
            match lane % 5 {
                0 => u,
                1 => (12.0 * u).exp(),
                2 => u + if i.is_multiple_of(3) { 1000.0 } else { 0.0 },
                3 => (u * 5.0).floor(),
                _ => -2.5,
            }
        };
        for len in [1, 2, 37, 500] {
            let values: Vec<Lane> = (0..len).map(|i| std::array::from_fn(|lane| number(i, lane))).collect();
            for k in [1, len.div_ceil(3), len.div_ceil(2), len] {
                let found = thresholds(&values, k);
                for (lane, threshold) in found.into_iter().enumerate() {
                    let above: Vec<bool> = values.iter().map(|value| value[lane] >= threshold).collect();
                    assert_eq!(above, exact(&values, lane, k), "{len} numbers, k = {k}, lane {lane}");
                }
            }
        }
    }

    #[test]
    fn quantiles_are_the_normal_distributions() {
        for (share, expected) in
            [(0.5, 0.0), (0.4, 0.253_35), (0.1, 1.281_55), (0.9, -1.281_55), (0.01, 2.326_35)]
        {
            assert!((upper_quantile(share) - expected).abs() < 4e-3, "{share}: {}", upper_quantile(share));
        }
    }
}
