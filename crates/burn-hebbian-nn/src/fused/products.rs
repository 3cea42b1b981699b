//! The two products of a tile, in registers.
//!
//! Neurons lie along vectors, so a weight is loaded once for several positions and an input is broadcast. Both products
//! read the unfolded input in the one layout that [`tiles`](super::tiles) writes; nothing is packed in between.

use pulp::{Simd, WithSimd};

/// Positions of a block of unfolded input.
pub(super) const BLOCK: usize = 12;

/// Vectors of neurons that are computed together: a panel.
pub(super) const VECTORS: usize = 2;

/// Features are laid out in multiples of this.
pub(super) const STEP: usize = 4;

/// One feature at the positions of a block.
pub(super) type Lane = [f32; BLOCK];

/// One number for each neuron of a panel.
pub(super) type Panel<S> = [<S as Simd>::f32s; VECTORS];

/// Neurons of a panel.
pub(super) const fn width<S: Simd>() -> usize {
    VECTORS * S::F32_LANES
}

/// `s_p = Σ_f x_fp w_f` at every position of a block, for the neurons of a panel.
#[inline(always)]
pub(super) fn respond<S: Simd>(simd: S, x: &[Lane], w: &[Panel<S>], s: &mut [Panel<S>; BLOCK]) {
    if has_many_registers::<S>() {
        respond_at::<S, BLOCK>(simd, x, w, s, 0);
    } else {
        respond_at::<S, { BLOCK / 2 }>(simd, x, w, s, 0);
        respond_at::<S, { BLOCK / 2 }>(simd, x, w, s, BLOCK / 2);
    }
}

/// [`respond`] at `R` positions from `first` on.
#[inline(always)]
fn respond_at<S: Simd, const R: usize>(
    simd: S,
    x: &[Lane],
    w: &[Panel<S>],
    s: &mut [Panel<S>; BLOCK],
    first: usize,
) {
    let mut sums = [[simd.splat_f32s(0.0); VECTORS]; R];
    for (x, w) in x.iter().zip(w) {
        for (p, sum) in sums.iter_mut().enumerate() {
            accumulate(simd, sum, x[first + p], w);
        }
    }
    s[first..first + R].copy_from_slice(&sums);
}

/// `d_f += Σ_p x_fp c_p` over the positions of a tile, for the neurons of a panel and all features.
///
/// `x` holds one block of positions after the other, `features` of each.
#[inline(always)]
pub(super) fn correlate<S: Simd>(simd: S, x: &[Lane], features: usize, c: &[Panel<S>], d: &mut [Panel<S>]) {
    let mut first = 0;
    if has_many_registers::<S>() {
        first = correlate_by::<S, BLOCK>(simd, x, features, c, d, first);
    }
    // as many sums at a time as hide how long one takes
    first = correlate_by::<S, { BLOCK / 2 }>(simd, x, features, c, d, first);
    first = correlate_by::<S, STEP>(simd, x, features, c, d, first);
    correlate_by::<S, { STEP / 2 }>(simd, x, features, c, d, first);
}

/// [`correlate`] from one feature on, `R` at a time as long as there are so many; and the first that is left.
#[inline(always)]
fn correlate_by<S: Simd, const R: usize>(
    simd: S,
    x: &[Lane],
    features: usize,
    c: &[Panel<S>],
    d: &mut [Panel<S>],
    mut first: usize,
) -> usize {
    while first + R <= d.len() {
        correlate_at::<S, R>(simd, x, features, c, d, first);
        first += R;
    }
    first
}

/// [`correlate`] for `R` features from `first` on.
#[inline(always)]
fn correlate_at<S: Simd, const R: usize>(
    simd: S,
    x: &[Lane],
    features: usize,
    c: &[Panel<S>],
    d: &mut [Panel<S>],
    first: usize,
) {
    let mut sums = [[simd.splat_f32s(0.0); VECTORS]; R];
    for (x, c) in x.chunks_exact(features).zip(c.chunks(BLOCK)) {
        let x: &[Lane; R] = x[first..].first_chunk().expect("features come in whole steps");
        match c.first_chunk::<BLOCK>() {
            Some(c) => add_positions(simd, &mut sums, x, c),
            None => add_positions(simd, &mut sums, x, c),
        }
    }
    for (d, sum) in d[first..first + R].iter_mut().zip(sums) {
        for v in 0..VECTORS {
            d[v] = simd.add_f32s(d[v], sum[v]);
        }
    }
}

#[inline(always)]
fn add_positions<S: Simd, const R: usize>(simd: S, sums: &mut [Panel<S>; R], x: &[Lane; R], c: &[Panel<S>]) {
    for (p, c) in c.iter().enumerate().take(BLOCK) {
        for (sum, x) in sums.iter_mut().zip(x) {
            accumulate(simd, sum, x[p], c);
        }
    }
}

/// `sum += x w`.
#[inline(always)]
fn accumulate<S: Simd>(simd: S, sum: &mut Panel<S>, x: f32, w: &Panel<S>) {
    let x = simd.splat_f32s(x);
    for v in 0..VECTORS {
        sum[v] = simd.mul_add_f32s(x, w[v], sum[v]);
    }
}

/// Whether a panel at every position of a block fits into the registers.
#[inline(always)]
fn has_many_registers<S: Simd>() -> bool {
    S::REGISTER_COUNT >= 32
}

/// Work that borrows what it needs, by certain instructions. As a closure by itself it would be called by way of a shim, which
/// is not compiled for them.
pub(super) fn by<S: Simd, R>(simd: S, work: impl FnMut() -> R) -> R {
    struct Work<F>(F);
    impl<R, F: FnMut() -> R> WithSimd for Work<F> {
        type Output = R;

        #[inline(always)]
        fn with_simd<S: Simd>(mut self, _: S) -> R {
            (self.0)()
        }
    }
    simd.vectorize(Work(work))
}
