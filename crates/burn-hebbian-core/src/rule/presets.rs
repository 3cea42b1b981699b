//! The literature's rules, by name.

use alloc::vec::Vec;

use crate::{
    Abstention, Activation, AntiHebbian, Competition, Gate, Lateral, Neighborhood, Normalization, Rate,
    Recombination, Recurrence, Reduction, Rule, Scale, Similarity, Surround, Teacher, Variance,
};

impl Rule {
    /// Plain Hebb: `Δw_k = mean y_k x` with `y = w·x`. Diverges without a constraint or decay.
    ///
    /// ```
    /// # use burn::tensor::Device;
    /// # use burn_hebbian_core::{DenseView, Rule, Signals};
    /// # let device = Device::flex();
    /// let layer = DenseView::from_data([[1.0, 0.0]], [[2.0, 3.0]], &device); // y = 2
    /// let update = layer.update(&Rule::hebb(), Signals::none()).unwrap();
    /// update.into_data().assert_eq(&[[4.0, 6.0]].into(), false); // y x
    /// ```
    ///
    /// Source: D. O. Hebb, *The Organization of Behavior* (1949), p. 62.
    pub fn hebb() -> Self {
        Self::default()
    }

    /// Oja's rule: `Δw_k = mean y_k (x − y_k w_k)`. Unit norm; every neuron finds the first principal
    /// component.
    ///
    /// ```
    /// # use burn::tensor::Device;
    /// # use burn_hebbian_core::{DenseView, Rule, Signals};
    /// # let device = Device::flex();
    /// let layer = DenseView::from_data([[1.0, 0.0]], [[1.0, 1.0]], &device); // y = 1
    /// let update = layer.update(&Rule::oja(), Signals::none()).unwrap();
    /// update.into_data().assert_eq(&[[0.0, 1.0]].into(), false); // y (x − y w)
    /// ```
    ///
    /// Source: E. Oja, "Simplified neuron model as a principal component analyzer", *J. Math. Biol.* 15
    /// (1982), eq. 4, doi:10.1007/BF00275687.
    pub fn oja() -> Self {
        Self::hebb().with_recurrence(Recurrence::Oja)
    }

    /// Instar: `Δw_k = mean y_k (x − w_k)`. Weights move towards the patches they respond to.
    ///
    /// ```
    /// # use burn::tensor::Device;
    /// # use burn_hebbian_core::{DenseView, Rule, Signals};
    /// # let device = Device::flex();
    /// let layer = DenseView::from_data([[1.0, 0.0]], [[2.0, 3.0]], &device); // y = 2
    /// let update = layer.update(&Rule::instar(), Signals::none()).unwrap();
    /// update.into_data().assert_eq(&[[2.0, 6.0]].into(), false); // y (x − w)
    /// ```
    ///
    /// Source: S. Grossberg, "Adaptive pattern classification and universal recoding I", *Biol. Cybern.* 23
    /// (1976), doi:10.1007/BF00344744.
    pub fn instar() -> Self {
        Self::hebb().with_recurrence(Recurrence::Instar)
    }

    /// Oja's subspace rule: `Δw_k = mean y_k (x − Σ_j y_j w_j)`. The neurons span the principal subspace.
    ///
    /// ```
    /// # use burn::tensor::Device;
    /// # use burn_hebbian_core::{DenseView, Rule, Signals};
    /// # let device = Device::flex();
    /// // two neurons alike: y = 1 for both, and Σ y w = (2, 0)
    /// let layer = DenseView::from_data([[1.0, 0.0], [1.0, 0.0]], [[1.0, 1.0]], &device);
    /// let update = layer.update(&Rule::subspace(), Signals::none()).unwrap();
    /// update.into_data().assert_eq(&[[-1.0, 1.0], [-1.0, 1.0]].into(), false);
    /// ```
    ///
    /// Source: E. Oja, "Neural networks, principal components, and subspaces", *Int. J. Neural Syst.* 1
    /// (1989), doi:10.1142/S0129065789000475.
    pub fn subspace() -> Self {
        Self::hebb().with_recurrence(Recurrence::Subspace)
    }

    /// Sanger's generalized Hebbian algorithm: `Δw_k = mean y_k (x − Σ_{j≤k} y_j w_j)`. The neurons are the
    /// principal components, in order.
    ///
    /// ```
    /// # use burn::tensor::Device;
    /// # use burn_hebbian_core::{DenseView, Rule, Signals};
    /// # let device = Device::flex();
    /// // two neurons alike: the first learns as by Oja's rule, the second what the first leaves
    /// let layer = DenseView::from_data([[1.0, 0.0], [1.0, 0.0]], [[1.0, 1.0]], &device);
    /// let update = layer.update(&Rule::sanger(), Signals::none()).unwrap();
    /// update.into_data().assert_eq(&[[0.0, 1.0], [-1.0, 1.0]].into(), false);
    /// ```
    ///
    /// Source: T. D. Sanger, "Optimal unsupervised learning in a single-layer linear feedforward neural
    /// network", *Neural Networks* 2 (1989), eq. 3, doi:10.1016/0893-6080(89)90044-0.
    pub fn sanger() -> Self {
        Self::hebb().with_recurrence(Recurrence::Sanger)
    }

    /// Hebbian PCA as in FastHebb: Sanger's rule on `y = activation(w·x)`, divided by `√fan-in`.
    ///
    /// ```
    /// # use burn::tensor::Device;
    /// # use burn_hebbian_core::{Activation, DenseView, Rule, Signals};
    /// # let device = Device::flex();
    /// // four inputs: Oja's (0, 1, 0, 0) for the first neuron, by 1/√4
    /// let weight = [[1.0, 0.0, 0.0, 0.0], [-1.0, 0.0, 0.0, 0.0]];
    /// let layer = DenseView::from_data(weight, [[1.0, 1.0, 0.0, 0.0]], &device);
    /// let update = layer.update(&Rule::hpca(Activation::Relu), Signals::none()).unwrap();
    /// update.into_data().assert_eq(&[[0.0, 0.5, 0.0, 0.0], [0.0; 4]].into(), false); // max(−1, 0) = 0
    /// ```
    ///
    /// Source: G. Lagani et al., "Scalable bio-inspired training of deep neural networks with FastHebb",
    /// *Neurocomputing* 595 (2024), doi:10.1016/j.neucom.2024.127867.
    pub fn hpca(activation: Activation) -> Self {
        Self::sanger().with_activation(activation).with_scale(Scale::InverseSqrtFanIn)
    }

    /// Nonlinear Hebbian PCA with adaptive variance: [`hpca`](Self::hpca) with `y = σ tanh((s − μ) / σ + μ)`, mean and
    /// variance running along per neuron.
    ///
    /// ```
    /// # use burn::tensor::{Device, Tolerance};
    /// # use burn_hebbian_core::{DenseView, Rule, Signals};
    /// # let device = Device::flex();
    /// // s = 1 and 3, of mean 2 and variance 2: a tenth of the way there, from mean 0 and variance 1
    /// let layer = DenseView::from_data([[1.0, 0.0]], [[1.0, 0.0], [3.0, 0.0]], &device);
    /// let state = layer.step(&Rule::hpca_adaptive(), Signals::none()).unwrap().state.unwrap();
    /// state.into_data().assert_approx_eq::<f32>(&[0.2, 1.1].into(), Tolerance::default());
    /// ```
    ///
    /// Source: G. Lagani, "HebbianLearning" (code, 2020–2023), there `hpcat_ada`.
    pub fn hpca_adaptive() -> Self {
        Self::hpca(Activation::Tanh).with_variance(Variance::running())
    }

    /// BCM: `Δw_k = mean y_k (y_k − θ_k) x` with `y = max(w·x, 0)` and `θ_k` the running mean of `y_k²`. Neurons become
    /// selective for some of the patterns.
    ///
    /// ```
    /// # use burn::tensor::{Device, Tensor};
    /// # use burn_hebbian_core::{DenseView, Rule, Signals};
    /// # let device = Device::flex();
    /// let layer = DenseView::from_data([[1.0, 0.0]], [[2.0, 1.0]], &device); // y = 2
    /// for (theta, expected) in [(0.0, [[8.0, 4.0]]), (3.0, [[-4.0, -2.0]])] {
    ///     let layer = layer.clone().with_state(Tensor::from_data([theta], &device));
    ///     let update = layer.update(&Rule::bcm(), Signals::none()).unwrap();
    ///     update.into_data().assert_eq(&expected.into(), false); // y (y − θ) x
    /// }
    /// ```
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
    /// ```
    /// # use burn::tensor::{Device, Tolerance};
    /// # use burn_hebbian_core::{DenseView, Rule, Signals};
    /// # let device = Device::flex();
    /// // s = 9 and −9 settle to z = 1 and 0
    /// let layer = DenseView::from_data([[1.0, 0.0], [-1.0, 0.0]], [[9.0, 3.0]], &device);
    /// let step = layer.step(&Rule::foldiak(0.5), Signals::none()).unwrap();
    /// let close = Tolerance::<f32>::default();
    /// step.weight.into_data().assert_approx_eq(&[[8.0, 3.0], [0.0, 0.0]].into(), close); // z (x − w)
    /// // no inhibition between neurons that were not active together; thresholds move by 0.02 (z − 0.5)
    /// let state = step.state.unwrap().into_data();
    /// state.assert_approx_eq(&[0.0, 0.0, 0.0, 0.0, 0.01, -0.01].into(), close);
    /// ```
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
    /// ```
    /// # use burn::tensor::{Device, Tolerance};
    /// # use burn_hebbian_core::{DenseView, Rule, Signals};
    /// # let device = Device::flex();
    /// // a linear layer has no neighboring positions; the cosines are 0.6 and 0.8
    /// let layer = DenseView::from_data([[1.0, 0.0], [0.0, 1.0]], [[3.0, 4.0]], &device);
    /// let update = layer.update(&Rule::surround_wta(), Signals::none()).unwrap();
    /// let expected = [[0.0, 0.0], [1.0, 1.0]].into(); // 0.8 (x − w), divided by 2.4
    /// update.into_data().assert_approx_eq::<f32>(&expected, Tolerance::default());
    /// ```
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
    /// ```
    /// # use burn::tensor::{Device, Tensor};
    /// # use burn_hebbian_core::{DenseView, LayerView, LocalRule, Rule, Signals};
    /// # let device = Device::flex();
    /// let rule = Rule::abstaining_wta(1);
    /// let layer = DenseView::from_data([[1.0, 0.0], [0.0, 1.0]], [[3.0, 1.0]], &device);
    /// let mut state = rule.initial_state(&layer.layout()).unwrap();
    /// state[0] = 5.0; // the first neuron is most alike, but has won five times and sits out
    /// let layer = layer.with_state(Tensor::from_data(state.as_slice(), &device));
    /// let update = layer.update(&rule, Signals::none()).unwrap();
    /// update.into_data().assert_eq(&[[0.0, 0.0], [3.0, 0.0]].into(), false);
    /// ```
    ///
    /// Source: G. Lagani, "HebbianLearning" (code, 2020–2023).
    pub fn abstaining_wta(seed: u64) -> Self {
        Self::hard_wta().with_abstention(Abstention::Random { seed })
    }

    /// Hard winner-take-all: the neuron most alike by `((cos+1)/2)²` moves towards the patch,
    /// `Δw_k = mean over wins (x − w_k)`. Finds cluster centers.
    ///
    /// ```
    /// # use burn::tensor::Device;
    /// # use burn_hebbian_core::{DenseView, Rule, Signals};
    /// # let device = Device::flex();
    /// // the first neuron is most alike
    /// let layer = DenseView::from_data([[1.0, 0.0], [0.0, 1.0]], [[3.0, 1.0]], &device);
    /// let update = layer.update(&Rule::hard_wta(), Signals::none()).unwrap();
    /// update.into_data().assert_eq(&[[2.0, 1.0], [0.0, 0.0]].into(), false); // x − w
    /// ```
    ///
    /// Source: G. Lagani, master's thesis, University of Pisa (2019); competition after D. E. Rumelhart and
    /// D. Zipser, "Feature discovery by competitive learning", *Cogn. Sci.* 9 (1985),
    /// doi:10.1207/s15516709cog0901_5.
    pub fn hard_wta() -> Self {
        Self::k_wta(1)
    }

    /// k-winners-take-all: as [`hard_wta`](Self::hard_wta) with exactly `k` winners a patch.
    ///
    /// ```
    /// # use burn::tensor::Device;
    /// # use burn_hebbian_core::{DenseView, Rule, Signals};
    /// # let device = Device::flex();
    /// // the third neuron is least alike
    /// let layer = DenseView::from_data([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]], [[2.0, 1.0]], &device);
    /// let update = layer.update(&Rule::k_wta(2), Signals::none()).unwrap();
    /// update.into_data().assert_eq(&[[1.0, 1.0], [2.0, 0.0], [0.0, 0.0]].into(), false); // x − w
    /// ```
    pub fn k_wta(k: usize) -> Self {
        Self::competitive(Competition::KWinners { k, losers: 0.0 })
    }

    /// Soft winner-take-all as in FastHebb: `z = softmax(s / 0.02)` on `s = ((cos+1)/2)²`,
    /// `Δw_k = Σ z_k² (x − w_k) / Σ z_k`.
    ///
    /// ```
    /// # use burn::tensor::Device;
    /// # use burn_hebbian_core::{DenseView, Rule, Signals};
    /// # let device = Device::flex();
    /// // both neurons are as much alike: z = 1/2
    /// let layer = DenseView::from_data([[1.0, 0.0], [0.0, 1.0]], [[1.0, 1.0]], &device);
    /// let update = layer.update(&Rule::swta(), Signals::none()).unwrap();
    /// update.into_data().assert_eq(&[[0.0, 0.5], [0.5, 0.0]].into(), false); // z (x − w)
    /// ```
    ///
    /// Source: G. Lagani et al., *Neurocomputing* 595 (2024), doi:10.1016/j.neucom.2024.127867.
    pub fn swta() -> Self {
        Self::competitive(Competition::Softmax { temperature: 0.02 })
    }

    /// Self-organizing map: as [`hard_wta`](Self::hard_wta), but the winner takes its neighbors on a map of `size`
    /// along, less and less far.
    ///
    /// ```
    /// # use burn::tensor::{Device, Tolerance};
    /// # use burn_hebbian_core::{DenseView, Rule, Signals};
    /// # let device = Device::flex();
    /// // the neuron in the middle wins and moves by x − w, its neighbors by exp(−1/2) of that
    /// let layer = DenseView::from_data([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]], [[0.0, 2.0]], &device);
    /// let update = layer.update(&Rule::som([3]), Signals::none()).unwrap();
    /// let h = f32::exp(-0.5);
    /// let expected = [[-h, 2.0 * h], [0.0, 1.0], [h, 2.0 * h]].into();
    /// update.into_data().assert_approx_eq::<f32>(&expected, Tolerance::default());
    /// ```
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
    /// ```
    /// # use burn::tensor::{Device, Tensor};
    /// # use burn_hebbian_core::{DenseView, Rule, Signals};
    /// # let device = Device::flex();
    /// // two images of the first class, one of the second
    /// let layer = DenseView::from_data([[0.0; 2]; 2], [[2.0, 0.0], [4.0, 0.0], [0.0, 1.0]], &device);
    /// let classes = Tensor::from_data([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]], &device);
    /// let update = layer.update(&Rule::teacher(), Signals::none().with_teacher(classes)).unwrap();
    /// update.into_data().assert_eq(&[[3.0, 0.0], [0.0, 1.0]].into(), false); // to the means
    /// ```
    ///
    /// Source: G. Lagani, master's thesis, University of Pisa (2019).
    pub fn teacher() -> Self {
        Self::competitive(Competition::None).with_teacher(Teacher::PerNeuron)
    }

    /// Outstar: `Δw_kj = mean x_j (y_k − w_kj)`. A weight moves towards the output that its input meets.
    ///
    /// ```
    /// # use burn::tensor::Device;
    /// # use burn_hebbian_core::{DenseView, Rule, Signals};
    /// # let device = Device::flex();
    /// let layer = DenseView::from_data([[1.0, 0.0]], [[2.0, 1.0]], &device); // y = 2
    /// let update = layer.update(&Rule::outstar(), Signals::none()).unwrap();
    /// update.into_data().assert_eq(&[[2.0, 2.0]].into(), false); // x_j (y − w_j)
    /// ```
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
    /// ```
    /// # use burn::tensor::{Device, Tolerance};
    /// # use burn_hebbian_core::{DenseView, Rule, Signals};
    /// # let device = Device::flex();
    /// // u = 2 for both: P = 1/2, the first neuron wins; D = (−1.5, 0.5) and (−0.5, 1.5), and | ‖w‖ − 1 | = 1
    /// let layer = DenseView::from_data([[2.0, 0.0], [0.0, 2.0]], [[1.0, 1.0]], &device);
    /// let update = layer.update(&Rule::soft_hebb(1.0), Signals::none()).unwrap();
    /// let expected = [[-1.0, 1.0 / 3.0], [-1.0 / 3.0, 1.0]].into();
    /// update.into_data().assert_approx_eq::<f32>(&expected, Tolerance::default());
    /// ```
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
    /// ```
    /// # use burn::tensor::Device;
    /// # use burn_hebbian_core::{DenseView, Rule, Signals};
    /// # let device = Device::flex();
    /// // u = 2 and 1: x − 2 w for the first neuron, −0.5 (x − w) for the second
    /// let layer = DenseView::from_data([[1.0, 0.0], [0.0, 1.0]], [[2.0, 1.0]], &device);
    /// let update = layer.update(&Rule::krotov(2.0, 2, 0.5), Signals::none()).unwrap();
    /// update.into_data().assert_eq(&[[0.0, 1.0], [-1.0, 0.0]].into(), false);
    /// ```
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
    /// ```
    /// # use burn::tensor::{Device, Tolerance};
    /// # use burn_hebbian_core::{DenseView, Rule, Signals};
    /// # let device = Device::flex();
    /// // s = (2, 0), and Σ s w = (2, 0)
    /// let layer = DenseView::from_data([[1.0, 0.0], [0.0, 1.0]], [[2.0, 0.0]], &device);
    /// let update = layer.update(&Rule::ica(0.0), Signals::none()).unwrap();
    /// let expected = [[1.0 - 2.0 * f32::tanh(2.0), 0.0], [0.0, 1.0]].into();
    /// update.into_data().assert_approx_eq::<f32>(&expected, Tolerance::default());
    /// ```
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
