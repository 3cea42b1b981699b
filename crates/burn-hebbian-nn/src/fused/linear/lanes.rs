//! Neurons that are computed side by side.

pub(super) const LANES: usize = 16;

pub(super) type Lanes = [f32; LANES];

/// `Σ_i a_i b_i`.
#[inline(always)]
pub(super) fn product(a: &Lanes, b: &Lanes) -> f32 {
    let mut sums = [0.0; LANES];
    add_products(&mut sums, a, b);
    for half in [8, 4, 2, 1] {
        for i in 0..half {
            sums[i] += sums[i + half];
        }
    }
    sums[0]
}

#[inline(always)]
pub(super) fn add_products(sums: &mut Lanes, a: &Lanes, b: &Lanes) {
    for i in 0..LANES {
        sums[i] += a[i] * b[i];
    }
}

/// Some numbers, and zeros.
#[inline(always)]
pub(super) fn load(numbers: &[f32]) -> Lanes {
    match numbers.first_chunk() {
        Some(lanes) => *lanes,
        None => {
            let mut lanes = [0.0; LANES];
            lanes[..numbers.len()].copy_from_slice(numbers);
            lanes
        }
    }
}

#[inline(always)]
pub(super) fn store(lanes: Lanes, to: &mut [f32]) {
    match to.first_chunk_mut() {
        Some(to) => *to = lanes,
        None => to.copy_from_slice(&lanes[..to.len()]),
    }
}
