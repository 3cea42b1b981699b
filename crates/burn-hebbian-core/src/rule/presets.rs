//! The literature's rules, by name.

use alloc::vec::Vec;

use crate::{
    Abstention, Activation, AntiHebbian, Competition, Gate, Lateral, Neighborhood, Normalization, Rate,
    Recombination, Recurrence, Reduction, Rule, Scale, Similarity, Surround, Teacher, Variance,
};

impl Rule {
    /// Plain Hebb: `Δw_k = mean y_k x` with `y = w·x`. Diverges without a constraint or decay.
    ///
    /// Source: D. O. Hebb, *The Organization of Behavior* (1949), p. 62.
    pub fn hebb() -> Self {
        Self::default()
    }

    /// Oja's rule: `Δw_k = mean y_k (x − y_k w_k)`. Unit norm; every neuron finds the first principal
    /// component.
    ///
    /// Source: E. Oja, "Simplified neuron model as a principal component analyzer", *J. Math. Biol.* 15
    /// (1982), eq. 4, doi:10.1007/BF00275687.
    pub fn oja() -> Self {
        Self::hebb().with_recurrence(Recurrence::Oja)
    }

    /// Instar: `Δw_k = mean y_k (x − w_k)`. Weights move towards the patches they respond to.
    ///
    /// Source: S. Grossberg, "Adaptive pattern classification and universal recoding I", *Biol. Cybern.* 23
    /// (1976), doi:10.1007/BF00344744.
    pub fn instar() -> Self {
        Self::hebb().with_recurrence(Recurrence::Instar)
    }

    /// Oja's subspace rule: `Δw_k = mean y_k (x − Σ_j y_j w_j)`. The neurons span the principal subspace.
    ///
    /// Source: E. Oja, "Neural networks, principal components, and subspaces", *Int. J. Neural Syst.* 1
    /// (1989), doi:10.1142/S0129065789000475.
    pub fn subspace() -> Self {
        Self::hebb().with_recurrence(Recurrence::Subspace)
    }

    /// Sanger's generalized Hebbian algorithm: `Δw_k = mean y_k (x − Σ_{j≤k} y_j w_j)`. The neurons are the
    /// principal components, in order.
    ///
    /// Source: T. D. Sanger, "Optimal unsupervised learning in a single-layer linear feedforward neural
    /// network", *Neural Networks* 2 (1989), eq. 3, doi:10.1016/0893-6080(89)90044-0.
    pub fn sanger() -> Self {
        Self::hebb().with_recurrence(Recurrence::Sanger)
    }

    /// Hebbian PCA as in FastHebb: Sanger's rule on `y = activation(w·x)`, divided by `√fan-in`.
    ///
    /// Source: G. Lagani et al., "Scalable bio-inspired training of deep neural networks with FastHebb",
    /// *Neurocomputing* 595 (2024), doi:10.1016/j.neucom.2024.127867.
    pub fn hpca(activation: Activation) -> Self {
        Self::sanger().with_activation(activation).with_scale(Scale::InverseSqrtFanIn)
    }

    /// Nonlinear Hebbian PCA with adaptive variance: [`hpca`](Self::hpca) with `y = σ tanh((s − μ) / σ + μ)`, mean and
    /// variance running along per neuron.
    ///
    /// Source: G. Lagani, "HebbianLearning" (code, 2020–2023), there `hpcat_ada`.
    pub fn hpca_adaptive() -> Self {
        Self::hpca(Activation::Tanh).with_variance(Variance::running())
    }

    /// BCM: `Δw_k = mean y_k (y_k − θ_k) x` with `y = max(w·x, 0)` and `θ_k` the running mean of `y_k²`. Neurons become
    /// selective for some of the patterns.
    ///
    /// Source: E. L. Bienenstock, L. N. Cooper and P. W. Munro, "Theory for the development of neuron selectivity",
    /// *J. Neurosci.* 2 (1982), doi:10.1523/JNEUROSCI.02-01-00032.1982; threshold by N. Intrator and L. N. Cooper,
    /// *Neural Networks* 5 (1992), doi:10.1016/S0893-6080(05)80003-6.
    pub fn bcm() -> Self {
        Self::hebb().with_activation(Activation::Relu).with_gate(Gate::Bcm { momentum: 0.1 })
    }

    /// Sparse coding by learned inhibition: outputs `z` of [`AntiHebbian`] competition, `Δw_k = mean z_k (x − w_k)`.
    /// Each neuron learns to be active in a share `target` of the patches, and outputs decorrelate. Wants a rate of
    /// about 0.02.
    ///
    /// Source: P. Földiák, *Biol. Cybern.* 64 (1990), doi:10.1007/BF02331346; his rates of 0.1 for inhibition and 0.02
    /// for thresholds, and his gain of 10.
    pub fn foldiak(target: f64) -> Self {
        let inhibition = AntiHebbian { target, rate: 0.1, threshold_rate: 0.02, gain: 10.0, steps: 20 };
        Self::instar().with_competition(Competition::AntiHebbian(inhibition)).with_gate(Gate::Competition)
    }

    /// Hard winner-take-all with surround modulation: `y` is the cosine, convolved over positions with a difference of
    /// Gaussians; `Δw_k = Σ y_k (x − w_k)` over the patches that `k` wins, divided by its largest magnitude.
    ///
    /// Source: J. J. Nimmo and E. Mondragón, "Advancing the biological plausibility and efficacy of Hebbian
    /// convolutional neural networks" (2025); their cosine takes the norm of `w` over channels alone.
    pub fn surround_wta() -> Self {
        Self::instar()
            .with_similarity(Similarity::Cosine)
            .with_surround(Surround::difference_of_gaussians())
            .with_competition(Competition::KWinners { k: 1, losers: 0.0 })
            .with_reduction(Reduction::Sum)
            .with_normalization(Normalization::MaxPerGroup)
    }

    /// Hard winner-take-all in which neurons that won often sit out at random, so that all get their turn.
    ///
    /// Source: G. Lagani, "HebbianLearning" (code, 2020–2023).
    pub fn abstaining_wta(seed: u64) -> Self {
        Self::hard_wta().with_abstention(Abstention::Random { seed })
    }

    /// Hard winner-take-all: the neuron most alike by `((cos+1)/2)²` moves towards the patch,
    /// `Δw_k = mean over wins (x − w_k)`. Finds cluster centers.
    ///
    /// Source: G. Lagani, master's thesis, University of Pisa (2019); competition after D. E. Rumelhart and
    /// D. Zipser, "Feature discovery by competitive learning", *Cogn. Sci.* 9 (1985),
    /// doi:10.1207/s15516709cog0901_5.
    pub fn hard_wta() -> Self {
        Self::k_wta(1)
    }

    /// k-winners-take-all: as [`hard_wta`](Self::hard_wta) with exactly `k` winners a patch.
    pub fn k_wta(k: usize) -> Self {
        Self::competitive(Competition::KWinners { k, losers: 0.0 })
    }

    /// Soft winner-take-all as in FastHebb: `z = softmax(s / 0.02)` on `s = ((cos+1)/2)²`,
    /// `Δw_k = Σ z_k² (x − w_k) / Σ z_k`.
    ///
    /// Source: G. Lagani et al., *Neurocomputing* 595 (2024), doi:10.1016/j.neucom.2024.127867.
    pub fn swta() -> Self {
        Self::competitive(Competition::Softmax { temperature: 0.02 })
    }

    /// Self-organizing map: as [`hard_wta`](Self::hard_wta), but the winner takes its neighbors on a map of `size`
    /// along, less and less far.
    ///
    /// Source: T. Kohonen, *Biol. Cybern.* 43 (1982), doi:10.1007/BF00337288; as in G. Lagani, master's thesis,
    /// University of Pisa (2019).
    pub fn som(size: impl Into<Vec<usize>>) -> Self {
        let neighborhood = Neighborhood::Gaussian;
        Self::hard_wta().with_lateral(Lateral::Map {
            size: size.into(),
            neighborhood,
            sigma: None,
            tau: 1000.0,
        })
    }

    /// Teacher neuron of an output layer: `Δw_c = mean over the images of class c of (x − w_c)`; the weights
    /// converge to the class means. Score with [`Similarity::Projection`].
    ///
    /// Source: G. Lagani, master's thesis, University of Pisa (2019).
    pub fn teacher() -> Self {
        Self::competitive(Competition::None).with_teacher(Teacher::PerNeuron)
    }

    /// Outstar: `Δw_kj = mean x_j (y_k − w_kj)`. A weight moves towards the output that its input meets.
    ///
    /// Source: S. Grossberg, "Some nonlinear networks capable of learning a spatial pattern of arbitrary
    /// complexity", *Proc. Natl. Acad. Sci.* 59 (1968), doi:10.1073/pnas.59.2.368.
    pub fn outstar() -> Self {
        Self::hebb().with_recurrence(Recurrence::Outstar)
    }

    /// SoftHebb with anti-Hebbian losers: `P = softmax(u / T)`, `c = P` for the winner and `−P` for the losers,
    /// `D_k = Σ c_k (x − u_k w_k)`, divided by `max |D|` of each group, with the rate `|‖w_k‖ − 1|^½`: norms
    /// converge to 1. The layers of the paper start at norm 25 and learn with rates of 0.005 to 0.08.
    ///
    /// Source: A. Journé et al., "Hebbian deep learning without feedback", ICLR 2023, eqs. 2 and 3.
    pub fn soft_hebb(temperature: f64) -> Self {
        Self::oja()
            .with_competition(Competition::SignedSoftmax { temperature })
            .with_gate(Gate::Competition)
            .with_reduction(Reduction::Sum)
            .with_normalization(Normalization::MaxPerGroup)
            .with_rate(Rate::NormDeviation { power: 0.5 })
    }

    /// Krotov–Hopfield: `u = (sign(w) |w|^(p−1)) · x`, the winner learns with 1, the neuron of rank `k` with
    /// `−delta`, `ΔW_k = Σ c_k (x − u_k w_k)`, divided by its largest magnitude. `Σ |w|^p` converges to 1.
    ///
    /// Source: D. Krotov and J. J. Hopfield, "Unsupervised learning by competing hidden units", *Proc. Natl.
    /// Acad. Sci.* 116 (2019), doi:10.1073/pnas.1820458116.
    pub fn krotov(p: f64, k: usize, delta: f64) -> Self {
        Self::oja()
            .with_similarity(Similarity::Lebesgue { p })
            .with_competition(Competition::Ranked { k, delta })
            .with_gate(Gate::Competition)
            .with_reduction(Reduction::Sum)
            .with_normalization(Normalization::MaxPerGroup)
    }

    /// Independent component analysis: `Δw_k = mean (w_k − f(s_k) Σ_j s_j w_j)` with `f = tanh s` for
    /// super-Gaussian units and `s − tanh s` for sub-Gaussian ones, the last share of each group. Wants whitened
    /// input and no more neurons than inputs.
    ///
    /// Source: A. J. Bell and T. J. Sejnowski, *Neural Comput.* 7 (1995), doi:10.1162/neco.1995.7.6.1129, by the
    /// natural gradient of S. Amari, A. Cichocki and H. H. Yang, NIPS 1995.
    pub fn ica(sub_gaussian: f64) -> Self {
        Self::hebb()
            .with_activation(Activation::Score { sub_gaussian })
            .with_competition(Competition::Activity)
            .with_gate(Gate::One)
            .with_recurrence(Recurrence::Ica {
                hierarchical: false,
                normalized: false,
                recombination: Recombination::Similarity,
            })
    }

    /// Neurons move towards the patches they win, the mean over wins.
    fn competitive(competition: Competition) -> Self {
        Self::default()
            .with_similarity(Similarity::RaisedCosine { power: 2.0 })
            .with_competition(competition)
            .with_gate(Gate::Competition)
            .with_recurrence(Recurrence::SignedInstar)
            .with_reduction(Reduction::Weighted)
    }
}
