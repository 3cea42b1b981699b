//! Rules with a decay of the user's.

use alloc::vec::Vec;
use core::fmt;

use burn::tensor::Tensor;

use crate::{
    Activity, Factors, Finish, LocalRule, Recurrence, Reduction, Rule, RuleError, Signals, Similarity,
    WeightLayout, precision::whole,
};

/// A rule whose decay `γ(x, w)` is a function of the user's: `ΔW_k = reduce Σ (c_k x − γ_k w_k)`.
///
/// Made by [`Rule::decaying`]. With `γ = c` it is the instar, with `γ = c y` Oja's rule.
pub struct Decaying<F> {
    rule: Rule,
    gamma: F,
}

impl Rule {
    /// This rule's coefficients with a decay of your own: `gamma` answers `γ(x, w)` of every patch and neuron,
    /// `[n, groups, neurons, positions]` or what broadcasts to it.
    ///
    /// The rule must have no [`Recurrence`] of its own, and a reduction by sum or mean.
    ///
    /// ```
    /// # use burn::tensor::Device;
    /// use burn_hebbian_core::{Activity, DenseView, Rule, Signals};
    /// # let device = Device::flex();
    ///
    /// // Hebb with the same decay everywhere: Δw_k = mean (y_k x − 0.5 w_k)
    /// let rule = Rule::hebb().decaying(|activity: &Activity| activity.dot().full_like(0.5));
    /// let layer = DenseView::from_data([[1.0, 0.0]], [[2.0, 1.0]], &device); // y x = (4, 2)
    /// let update = layer.update(&rule, Signals::none()).unwrap();
    /// update.into_data().assert_eq(&[[3.5, 2.0]].into(), false);
    /// ```
    pub fn decaying<F>(self, gamma: F) -> Decaying<F>
    where
        F: Fn(&Activity) -> Tensor<4> + Send + Sync,
    {
        Decaying { rule: self, gamma }
    }
}

impl<F> fmt::Debug for Decaying<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decaying").field("rule", &self.rule).finish_non_exhaustive()
    }
}

impl<F> LocalRule for Decaying<F>
where
    F: Fn(&Activity) -> Tensor<4> + Send + Sync,
{
    fn factors(&self, activity: &Activity) -> Factors {
        let gamma = whole((self.gamma)(activity)).expand(activity.dot().dims());
        self.rule.factors(activity).with_growth(gamma.neg())
    }

    fn finish(&self) -> Finish {
        self.rule.finish()
    }

    fn similarity(&self) -> Similarity {
        self.rule.similarity()
    }

    fn initial_state(&self, layout: &WeightLayout) -> Option<Vec<f32>> {
        self.rule.initial_state(layout)
    }

    fn statistics_len(&self, layout: &WeightLayout) -> usize {
        self.rule.statistics_len(layout)
    }

    fn next_state(
        &self,
        state: Tensor<1>,
        statistics: Option<Tensor<1>>,
        layout: &WeightLayout,
    ) -> Tensor<1> {
        self.rule.next_state(state, statistics, layout)
    }

    fn learns_bias(&self) -> bool {
        self.rule.learns_bias()
    }

    fn bias_update(
        &self,
        bias: Tensor<1>,
        statistics: Option<Tensor<1>>,
        layout: &WeightLayout,
    ) -> Tensor<1> {
        self.rule.bias_update(bias, statistics, layout)
    }

    fn check_signals(&self, signals: &Signals, layout: &WeightLayout) -> Result<(), RuleError> {
        self.rule.check_signals(signals, layout)
    }

    fn check_images(&self, signals: &Signals, images: usize) -> Result<(), RuleError> {
        self.rule.check_images(signals, images)
    }

    fn check(&self, layout: &WeightLayout) -> Result<(), RuleError> {
        if self.rule.learns_from_spikes() {
            return Err(RuleError::Stages("rules of spikes take no decay of your own"));
        }
        if self.rule.recurrence != Recurrence::None || self.rule.finish.reduction == Reduction::Weighted {
            return Err(RuleError::Stages(
                "a decay of your own takes the place of the recurrence, and needs a reduction by sum or mean",
            ));
        }
        self.rule.check(layout)
    }
}
