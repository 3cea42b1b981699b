//! What holds the weights back: decay and interaction between neurons.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::{Factors, MatrixRecurrence, RecurrenceMask};

/// The term `K · W` that keeps the weights bounded, from coefficients `c`, activities `y`, the competition's
/// outcome `z` and similarities `s`.
///
/// ```
/// # use burn::tensor::Device;
/// use burn_hebbian_core::{DenseView, Recurrence, Rule, Signals};
/// # let device = Device::flex();
///
/// let layer = DenseView::from_data([[1.0, 0.0]], [[2.0, 1.0]], &device); // c = y = 2
/// for (recurrence, expected) in [
///     (Recurrence::None, [[4.0, 2.0]]),   // y x
///     (Recurrence::Instar, [[2.0, 2.0]]), // y (x − w)
///     (Recurrence::Oja, [[0.0, 2.0]]),    // y (x − y w)
/// ] {
///     let update = layer.update(&Rule::hebb().with_recurrence(recurrence), Signals::none()).unwrap();
///     update.into_data().assert_eq(&expected.into(), false);
/// }
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Recurrence {
    /// Nothing: plain Hebb, unbounded.
    #[default]
    None,
    /// `Σ c (x − w)`: weights move towards the patches they win.
    Instar,
    /// `Σ c (x − sign(c) w)`: a negative coefficient pushes away and still decays.
    SignedInstar,
    /// `Σ x (c − w)`, per input tap: weights move towards the output that an input meets.
    Outstar,
    /// `Σ c (x − y w)`: weights converge to unit norm.
    Oja,
    /// `Σ c_k (x − Σ_j y_j w_j)`: the neurons span the principal subspace.
    Subspace,
    /// `Σ c_k (x − Σ_{j≤k} y_j w_j)`: the neurons are the principal components, in order.
    Sanger,
    /// `Σ c_k (w_k − z_k Σ_j r_j s_j w_j)`, without a term in `x`: independent components of whitened input.
    Ica {
        /// Only `j ≤ k`.
        hierarchical: bool,
        /// Only the recombined part, projected onto the tangent of the sphere: norms stay as they are.
        normalized: bool,
        /// The factor `r` of the similarities that are recombined.
        recombination: Recombination,
    },
}

/// What similarities are multiplied with before they are recombined.
///
/// ```
/// # use burn::tensor::Device;
/// use burn_hebbian_core::{
///     Activation, Activity, DenseView, Recombination, Recurrence, Rule, Signals, Similarity,
/// };
/// # let device = Device::flex();
///
/// // y = s = 2: w − y r s w
/// let layer = DenseView::from_data([[1.0, 0.0]], [[2.0, 1.0]], &device);
/// for (recombination, expected) in
///     [(Recombination::Similarity, [[-3.0, 0.0]]), (Recombination::Activity, [[-7.0, 0.0]])]
/// {
///     let ica = Recurrence::Ica { hierarchical: false, normalized: false, recombination };
///     let rule = Rule::ica(0.0).with_activation(Activation::Linear).with_recurrence(ica);
///     let update = layer.update(&rule, Signals::none()).unwrap();
///     update.into_data().assert_eq(&expected.into(), false);
/// }
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Recombination {
    /// `r = 1`: the textbook's rule.
    #[default]
    Similarity,
    /// `r = y`.
    Activity,
}

/// What a recurrence is made of, each `[n, groups, neurons, positions]`.
pub(crate) struct Stages {
    /// The coefficients.
    pub(crate) c: Tensor<4>,
    /// There if the recurrence [reads](Recurrence::reads_activity) it.
    pub(crate) y: Option<Tensor<4>>,
    /// There if the recurrence [reads](Recurrence::reads_competition) it and it is not 1 everywhere.
    pub(crate) z: Option<Tensor<4>>,
    /// There with `y`.
    pub(crate) s: Option<Tensor<4>>,
}

impl Stages {
    fn activity(&self) -> Tensor<4> {
        self.y.clone().expect("activities are kept for the recurrences that read them")
    }

    fn similarity(&self) -> Tensor<4> {
        self.s.clone().expect("similarities are kept for the recurrences that read them")
    }
}

impl Recurrence {
    /// The factors `corr(x, c) − K · W`.
    pub(crate) fn of(&self, stages: Stages) -> Factors {
        let c = stages.c.clone();
        match *self {
            Self::None => Factors::new(c),
            Self::Instar => Factors::instar(c),
            Self::SignedInstar => Factors::signed_instar(c),
            Self::Outstar => Factors::outstar(c),
            Self::Oja => Factors::oja(c, stages.activity()),
            Self::Subspace => Factors::subspace(c, stages.activity()),
            Self::Sanger => Factors::sanger(c, stages.activity()),
            Self::Ica { hierarchical, normalized, recombination } => {
                let left = stages.z.clone().map_or_else(|| c.clone(), |z| c.clone() * z);
                let right = match recombination {
                    Recombination::Similarity => stages.similarity(),
                    Recombination::Activity => stages.activity() * stages.similarity(),
                };
                let mask = if hierarchical { RecurrenceMask::LowerTriangle } else { RecurrenceMask::Full };
                let product = Factors::recurrence(MatrixRecurrence { left, right, mask });
                // the tangent projection takes out what is along w_k, the growing term with it
                if normalized { product } else { product.with_growth(c) }
            }
        }
    }

    /// Whether the recurrence reads the activity or the similarity.
    pub(crate) fn reads_activity(&self) -> bool {
        matches!(self, Self::Oja | Self::Subspace | Self::Sanger | Self::Ica { .. })
    }

    /// Whether the recurrence reads the competition's outcome.
    pub(crate) fn reads_competition(&self) -> bool {
        matches!(self, Self::Ica { .. })
    }

    /// Whether the finished update is projected onto the tangent of the sphere.
    pub(crate) fn is_tangent(&self) -> bool {
        matches!(self, Self::Ica { normalized: true, .. })
    }
}
