//! Rules of spikes, by name.

use crate::{Bounds, Homeostasis, Pairs, RankOrder, Rates, Reduction, Rule, RuleError, Timing};

impl Rule {
    /// STDP by the order of first spikes: at the spike of a winner, inputs that have spiked by then change its weights by
    /// `plus · w (1 − w)`, those that have not by `minus · w (1 − w)`; published 0.004 and −0.003. Step at rate 1.
    ///
    /// Weights are to start between 0 and 1, and stay there. Without the stabilizer `w (1 − w)`: [`Bounds::Hard`] by
    /// [`with_bounds`](Self::with_bounds).
    ///
    /// ```
    /// # use burn::tensor::{Device, Tensor, Tolerance};
    /// # use burn_hebbian_core::{DenseView, Rule, Signals, Span};
    /// # let device = Device::flex();
    /// // two inputs, of which the first has spiked when the first neuron wins; the second neuron does not
    /// let layer = DenseView::from_data([[0.5, 0.2], [0.5, 0.2]], [[1.0, 0.0]], &device);
    /// let winners = Tensor::from_data([[1.0, 0.0]], &device);
    /// let layer = layer.with_responses(winners, Span::trains(1));
    /// let update = layer.update(&Rule::rank_order_stdp(0.4, -0.3), Signals::none()).unwrap();
    /// let expected = [[0.1, -0.048], [0.0, 0.0]]; // 0.4 · 0.5 · 0.5, −0.3 · 0.2 · 0.8
    /// update.into_data().assert_approx_eq::<f32>(&expected.into(), Tolerance::default());
    /// ```
    ///
    /// Source: S. R. Kheradpisheh et al., "STDP-based spiking deep convolutional neural networks for object recognition",
    /// *Neural Networks* 99 (2018), doi:10.1016/j.neunet.2017.12.005.
    pub fn rank_order_stdp(plus: f64, minus: f64) -> Self {
        Self::spiking(Timing::RankOrder(RankOrder::new(Rates { plus, minus })))
            .with_bounds(Bounds::Soft { min: 0.0, max: 1.0 })
    }

    /// STDP by all pairs of spikes: `Δw = plus Σ_t corr(x_t, s_post,t) − minus Σ_t corr(s_pre,t, y_t)` with traces `x` of the
    /// input's spikes and `y` of the neurons' that decay by `e^(−1/τ)` a step; weights stop at 0 and 1. Time constants in steps.
    ///
    /// Other traces, dependence on the weights, bounds: [`Pairs`] and [`with_bounds`](Self::with_bounds).
    ///
    /// ```
    /// # use burn::tensor::{Device, Tensor, Tolerance};
    /// # use burn_hebbian_core::{DenseView, Rule, Signals, Span};
    /// # let device = Device::flex();
    /// // of two inputs, the first spikes a step before the neuron, the second a step after it
    /// let layer = DenseView::from_data([[0.5, 0.5]], [[1.0, 0.0], [0.0, 0.0], [0.0, 1.0]], &device);
    /// let spikes = Tensor::from_data([[0.0], [1.0], [0.0]], &device);
    /// let layer = layer.with_responses(spikes, Span::trains(3));
    /// let update = layer.update(&Rule::stdp(10.0, 20.0, 0.2, 0.1), Signals::none()).unwrap();
    /// let expected = [[0.2 * f32::exp(-0.1), -0.1 * f32::exp(-0.05)]];
    /// update.into_data().assert_approx_eq::<f32>(&expected.into(), Tolerance::default());
    /// ```
    ///
    /// Source: S. Song, K. D. Miller and L. F. Abbott, "Competitive Hebbian learning through spike-timing-dependent synaptic
    /// plasticity", *Nat. Neurosci.* 3 (2000), doi:10.1038/78829; with traces A. Morrison et al., *Biol. Cybern.* 98 (2008).
    pub fn stdp(tau_plus: f64, tau_minus: f64, plus: f64, minus: f64) -> Self {
        Self::spiking(Timing::Pairs(Pairs::new(tau_plus, tau_minus, plus, minus)))
            .with_bounds(Bounds::Hard { min: 0.0, max: 1.0 })
    }

    fn spiking(timing: Timing) -> Self {
        Self { timing, ..Self::default() }.with_reduction(Reduction::Sum)
    }

    /// Refuses stages that a rule of spikes leaves out, and a homeostasis that only such a rule has.
    pub(super) fn check_timed(&self) -> Result<(), RuleError> {
        let threshold = matches!(self.homeostasis, Homeostasis::Threshold { .. });
        if self.timing == Timing::None {
            return match threshold {
                true => Err(RuleError::Stages("thresholds that spikes raise are for rules of spikes")),
                false => Ok(()),
            };
        }
        if !threshold && self.homeostasis != Homeostasis::None {
            return Err(RuleError::Stages("of homeostasis, rules of spikes have `threshold` alone"));
        }
        if self.finish.reduction != Reduction::Sum {
            return Err(RuleError::Stages("rules of spikes sum over images and steps: reduction `sum`"));
        }
        let Self { timing, homeostasis, finish, .. } = self.clone();
        if (Self { timing, homeostasis, finish, ..Self::default() }) != *self {
            return Err(RuleError::Stages(
                "rules of spikes have no similarity, activation, competition, teacher, gate or recurrence of their own",
            ));
        }
        Ok(())
    }
}
