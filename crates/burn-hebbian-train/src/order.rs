//! Orders of items that depend on a seed and an epoch alone.

/// `0..n` in an order of its own for every seed and epoch; the same on every machine, whatever ran before.
pub fn shuffled(n: usize, seed: u64, epoch: usize) -> Vec<usize> {
    let mut random = SplitMix::new(seed).then(epoch as u64);
    let mut order: Vec<usize> = (0..n).collect();
    for last in (1..n).rev() {
        order.swap(last, random.below(last + 1));
    }
    order
}

/// `0..n` in order.
pub fn in_order(n: usize) -> Vec<usize> {
    (0..n).collect()
}

/// The generator SplitMix64.
///
/// Source: G. L. Steele, D. Lea and C. H. Flood, "Fast splittable pseudorandom number generators", OOPSLA (2014),
/// doi:10.1145/2660193.2660195.
#[derive(Debug, Clone)]
pub struct SplitMix(u64);

impl SplitMix {
    /// The sequence of a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A sequence of its own for every `key`.
    pub fn then(mut self, key: u64) -> Self {
        Self(self.next() ^ key)
    }

    /// The next 64 bits.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number in `0..1`, of the 24 bits that an `f32` holds exactly.
    pub fn unit(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1u32 << 24) as f32
    }

    /// A whole number in −most..=most.
    pub fn shift(&mut self, most: usize) -> isize {
        self.below(2 * most + 1) as isize - most as isize
    }

    /// A number below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.next()) * n as u128) >> 64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_holds_everything_once_and_repeats() {
        let order = shuffled(50, 3, 1);
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..50).collect::<Vec<_>>());
        assert_eq!(order, shuffled(50, 3, 1));
        assert!(shuffled(0, 3, 1).is_empty());
    }

    /// A checkpoint of today must resume tomorrow.
    #[test]
    fn an_order_is_always_the_same() {
        assert_eq!(shuffled(8, 7, 2), [5, 1, 3, 4, 6, 0, 7, 2]);
    }

    #[test]
    fn seeds_and_epochs_differ() {
        let orders = [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(seed, epoch)| shuffled(50, seed, epoch));
        for (i, order) in orders.iter().enumerate() {
            assert!(orders[i + 1..].iter().all(|other| other != order));
        }
    }

    /// Each of 6 places gets each of 6 items about equally often: 4000 ± 5 deviations of 57.
    #[test]
    fn every_place_is_fair() {
        let mut counts = [[0; 6]; 6];
        for epoch in 0..24_000 {
            for (place, item) in shuffled(6, 1, epoch).into_iter().enumerate() {
                counts[place][item] += 1;
            }
        }
        assert!(counts.iter().flatten().all(|count: &i32| (count - 4000).abs() < 290), "{counts:?}");
    }
}
