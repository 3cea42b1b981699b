//! Protocols of the literature.

use serde::{Deserialize, Serialize};

use super::{Order, OutputState, Phase, Settling, Start};
use crate::FeedbackError;

/// On which sides of the free state the two phases lie whose difference is learned.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sides {
    /// Towards the target, against none.
    Positive,
    /// None, against away from the target.
    Negative,
    /// Towards it, against away from it: the error falls like `β²`, not like `β`.
    #[default]
    Centered,
}

impl Sides {
    /// The two values, of the phase that is subtracted first, and what their difference is divided by.
    fn values(self, beta: f64) -> Result<([f64; 2], f64), FeedbackError> {
        if !beta.is_finite() || beta == 0.0 {
            return Err(FeedbackError::Beta { beta });
        }
        Ok(match self {
            Self::Positive => ([0.0, beta], beta),
            Self::Negative => ([-beta, 0.0], beta),
            Self::Centered => ([-beta, beta], 2.0 * beta),
        })
    }
}

impl Settling {
    /// Contrastive Hebbian learning with weak feedback: a free phase and one with the output clamped to the target, both from 0,
    /// layer by layer upward; `ΔW_l = γ^{l−L} (corr_clamped − corr_free)`. With a linear output it is backprop up to terms of
    /// order `γ`.
    ///
    /// In single precision the difference of the phases loses digits with each layer: take `γ ≥ 0.2`, or few layers.
    ///
    /// Source: X. Xie and H. S. Seung, "Equivalence of backpropagation and contrastive Hebbian learning in a layered network",
    /// *Neural Comput.* 15 (2003), doi:10.1162/089976603762552988.
    ///
    /// # Errors
    ///
    /// If `gamma` is not in (0, 1].
    pub fn contrastive_hebbian(gamma: f64, sweeps: usize) -> Result<Self, FeedbackError> {
        let clamped = Phase::new(OutputState::Held { share: 1.0 }, sweeps).weighing(1.0);
        let settling = Self::of(vec![Phase::free(sweeps).weighing(-1.0), clamped]);
        let settling = settling.with_gamma(gamma).with_order(Order::Upward);
        settling.check()?;
        Ok(settling)
    }

    /// Contrastive learning: from the free state, the output clamped to the target against the output held where it is.
    ///
    /// Source: J. R. Movellan, "Contrastive Hebbian learning in the continuous Hopfield model", *Connectionist Models* (1991), as in
    /// B. Scellier et al., "Energy-based learning algorithms for analog computing: a comparative study", *NeurIPS* (2023).
    pub fn contrastive(free: usize, held: usize) -> Self {
        Self::two_sided([0.0, 1.0], 1.0, free, held, |share| OutputState::Held { share })
    }

    /// Coupled learning: from the free state `o`, the output held at `o + β (y − o)`.
    ///
    /// Source: M. Stern et al., "Supervised learning in physical networks: from machine learning to learning machines", *Phys. Rev.
    /// X* 11 (2021), doi:10.1103/PhysRevX.11.021045; negative and centered: B. Scellier et al., *NeurIPS* (2023).
    ///
    /// # Errors
    ///
    /// If `beta` is 0 or not finite.
    pub fn coupled(sides: Sides, beta: f64, free: usize, held: usize) -> Result<Self, FeedbackError> {
        let (values, divisor) = sides.values(beta)?;
        Ok(Self::two_sided(values, divisor, free, held, |share| OutputState::Held { share }))
    }

    /// Equilibrium propagation: from the free state, the output pulled by `−β ∂cost/∂s`.
    ///
    /// Source: B. Scellier and Y. Bengio, "Equilibrium propagation", *Front. Comput. Neurosci.* 11 (2017),
    /// doi:10.3389/fncom.2017.00024; centered: A. Laborieux et al., *Front. Neurosci.* 15 (2021), doi:10.3389/fnins.2021.633674.
    ///
    /// # Errors
    ///
    /// If `beta` is 0 or not finite.
    pub fn equilibrium(sides: Sides, beta: f64, free: usize, nudged: usize) -> Result<Self, FeedbackError> {
        let (values, divisor) = sides.values(beta)?;
        Ok(Self::two_sided(values, divisor, free, nudged, |beta| OutputState::Nudged { beta }))
    }

    /// A free phase, and from its end two whose difference is learned; both run, also where a value is 0.
    fn two_sided(
        values: [f64; 2],
        divisor: f64,
        free: usize,
        sweeps: usize,
        output: impl Fn(f64) -> OutputState,
    ) -> Self {
        let [first, second] = values.map(|value| Phase::new(output(value), sweeps).from(Start::EndOfFirst));
        let phases = vec![Phase::free(free), first.weighing(-1.0 / divisor), second.weighing(1.0 / divisor)];
        Self::of(phases)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nudging_of_nothing_is_refused() {
        for beta in [0.0, f64::NAN, f64::INFINITY] {
            for refused in [
                Settling::equilibrium(Sides::Centered, beta, 5, 5),
                Settling::coupled(Sides::Positive, beta, 5, 5),
            ] {
                let error = refused.unwrap_err().to_string();
                assert_eq!(error, format!("beta: must be finite and not 0, got {beta}"));
            }
        }
    }

    #[test]
    fn feedback_that_is_none_or_grows_is_refused() {
        for gamma in [0.0, -0.5, 1.5, f64::NAN] {
            let error = Settling::contrastive_hebbian(gamma, 5).unwrap_err().to_string();
            assert_eq!(error, format!("gamma: must be in (0, 1], got {gamma}"));
        }
    }

    #[test]
    fn weights_of_all_phases_add_up_to_nothing() {
        for settling in [
            Settling::default(),
            Settling::contrastive(5, 5),
            Settling::contrastive_hebbian(0.5, 5).unwrap(),
            Settling::coupled(Sides::Negative, 0.3, 5, 5).unwrap(),
            Settling::equilibrium(Sides::Positive, 0.3, 5, 5).unwrap(),
        ] {
            assert_eq!(settling.phases.iter().map(|phase| phase.weight).sum::<f64>(), 0.0);
            assert!(settling.check().is_ok());
            let json = serde_json::to_string(&settling).unwrap();
            assert_eq!(serde_json::from_str::<Settling>(&json).unwrap(), settling);
        }
    }
}
