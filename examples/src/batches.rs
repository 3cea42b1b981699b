//! Seeded orders of a data set.

use rand::{SeedableRng, rngs::StdRng, seq::SliceRandom};

/// `0..n` in an order of its own for every seed and epoch.
pub fn shuffled(n: usize, seed: u64, epoch: usize) -> Vec<usize> {
    // Epochs far apart, so that epoch 1 of seed 0 is not epoch 0 of seed 1.
    let mut random = StdRng::seed_from_u64(seed.wrapping_add((epoch as u64) << 32));
    let mut order: Vec<usize> = (0..n).collect();
    order.shuffle(&mut random);
    order
}

/// `0..n` in order.
pub fn in_order(n: usize) -> Vec<usize> {
    (0..n).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_holds_everything_once_and_repeats() {
        let order = shuffled(50, 3, 1);
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, in_order(50));
        assert_eq!(order, shuffled(50, 3, 1));
    }

    #[test]
    fn seeds_and_epochs_differ() {
        let orders = [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(seed, epoch)| shuffled(50, seed, epoch));
        for (i, order) in orders.iter().enumerate() {
            assert!(orders[i + 1..].iter().all(|other| other != order));
        }
    }
}
