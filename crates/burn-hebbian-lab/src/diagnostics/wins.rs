//! How often each neuron won.

use burn::tensor::Tensor;

/// How often each neuron responded most strongly, over a window of batches.
///
/// A neuron wins a patch if no other neuron of its group responds more strongly to it; the first of equals wins.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use burn_hebbian_lab::diagnostics::Wins;
///
/// let mut wins = Wins::new(1, 3);
/// // two images, one group, three neurons, one position
/// wins.add(Tensor::from_data([[[[0.1], [0.9], [0.0]]], [[[0.8], [0.2], [0.0]]]], &Device::flex()));
/// assert_eq!(wins.counts(), [1, 1, 0]);
/// assert_eq!(wins.dead(), 1.0 / 3.0);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wins {
    neurons: usize,
    /// Group by group.
    counts: Vec<u64>,
}

impl Wins {
    /// An empty window of a layer with so many groups of so many neurons.
    ///
    /// # Panics
    ///
    /// If there is no neuron.
    pub fn new(groups: usize, neurons: usize) -> Self {
        assert!(groups * neurons > 0, "wins: {groups} groups of {neurons} neurons have none that could win");
        Self { neurons, counts: vec![0; groups * neurons] }
    }

    /// The winners of one batch of responses `[n, groups, neurons, positions]`.
    pub fn of(responses: Tensor<4>) -> Self {
        let [_, groups, neurons, _] = responses.dims();
        let mut wins = Self::new(groups, neurons);
        wins.add(responses);
        wins
    }

    /// Counts the winners of responses `[n, groups, neurons, positions]`; reads one number a patch from the device.
    ///
    /// # Panics
    ///
    /// If the responses have other groups or neurons.
    pub fn add(&mut self, responses: Tensor<4>) {
        let [_, groups, neurons, positions] = responses.dims();
        assert!(
            (groups, neurons) == (self.groups(), self.neurons),
            "wins: responses have {groups} groups of {neurons} neurons, the window {} of {}",
            self.groups(),
            self.neurons
        );
        let winners = responses.argmax(2).into_data(); // [n, groups, 1, positions]
        for (patch, winner) in winners.iter::<i64>().enumerate() {
            let group = patch / positions % groups;
            self.counts[group * neurons + winner as usize] += 1;
        }
    }

    /// The patches that each neuron won, group by group.
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// Groups of the layer.
    pub fn groups(&self) -> usize {
        self.counts.len() / self.neurons
    }

    /// The share of neurons that won nothing.
    pub fn dead(&self) -> f64 {
        let dead = self.counts.iter().filter(|wins| **wins == 0).count();
        dead as f64 / self.counts.len() as f64
    }

    /// How evenly the neurons of a group share the wins, `H / log k` with `H = −Σ p_k log p_k` and `p_k` the share of the
    /// wins of neuron `k`; the mean over groups. 1 if all win equally often, 0 if one wins everything.
    ///
    /// A lone neuron shares evenly; a group without wins shares nothing, 0.
    pub fn entropy(&self) -> f64 {
        let groups = self.counts.chunks_exact(self.neurons);
        groups.map(normalized_entropy).sum::<f64>() / self.groups() as f64
    }
}

fn normalized_entropy(counts: &[u64]) -> f64 {
    let total = counts.iter().sum::<u64>() as f64;
    if total == 0.0 {
        return 0.0;
    }
    if counts.len() == 1 {
        return 1.0;
    }
    let shares = counts.iter().filter(|count| **count > 0).map(|count| *count as f64 / total);
    shares.map(|share| -share * share.ln()).sum::<f64>() / (counts.len() as f64).ln()
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    const TOLERANCE: f64 = 1e-12;

    /// Responses in which, of two groups of three neurons, those given win each of `n · positions` patches.
    fn won_by(winners: &[[[usize; 4]; 2]]) -> Tensor<4> {
        let value = |i: usize| {
            let (n, group, neuron, position) = (i / 24, i / 12 % 2, i / 4 % 3, i % 4);
            if winners[n][group][position] == neuron { 1.0 } else { -(i as f32) / 100.0 }
        };
        let values: Vec<f32> = (0..24 * winners.len()).map(value).collect();
        Tensor::<1>::from_floats(values.as_slice(), &Device::flex()).reshape([winners.len(), 2, 3, 4])
    }

    #[test]
    fn the_strongest_of_its_group_wins_at_each_position() {
        let mut wins = Wins::of(won_by(&[[[0, 1, 1, 1], [2, 2, 2, 2]]]));
        assert_eq!(wins.counts(), [1, 3, 0, 0, 0, 4]);
        assert_eq!(wins.dead(), 0.5);
        wins.add(won_by(&[[[2, 0, 0, 1], [2, 2, 2, 1]]]));
        assert_eq!(wins.counts(), [3, 4, 1, 0, 1, 7]);
        assert_eq!(wins.dead(), 1.0 / 6.0);
    }

    #[test]
    fn entropy_is_that_of_the_shares() {
        let entropy = |counts: &[u64]| Wins { neurons: counts.len(), counts: counts.to_vec() }.entropy();
        assert!((entropy(&[5, 5, 5, 5]) - 1.0).abs() < TOLERANCE);
        assert_eq!(entropy(&[0, 7, 0]), 0.0);
        assert!((entropy(&[5, 5, 0, 0]) - 0.5).abs() < TOLERANCE, "log 2 / log 4");
        assert_eq!((entropy(&[0, 0]), entropy(&[3])), (0.0, 1.0));
    }

    #[test]
    fn groups_have_entropies_of_their_own() {
        let wins = Wins { neurons: 2, counts: vec![4, 4, 9, 0] };
        assert!((wins.entropy() - 0.5).abs() < TOLERANCE);
    }

    #[test]
    #[should_panic(expected = "wins: responses have 2 groups of 3 neurons, the window 1 of 6")]
    fn other_neurons_are_refused() {
        Wins::new(1, 6).add(won_by(&[[[0; 4]; 2]]));
    }
}
