//! The open trait of local learning rules.

use alloc::vec::Vec;
use core::fmt::Debug;

use burn::tensor::Tensor;

use crate::{
    Activity, Factors, Finish, PointwiseRule, Reduction, RuleError, Signals, Similarity, Span, WeightLayout,
};

/// A local learning rule: what a layer saw goes in, factors of the update come out.
///
/// A rule knows nothing of kernels, strides or batches; one implementation serves every layer geometry. It
/// keeps no state between calls.
///
/// Its `Debug` is what tells it from other rules: in checkpoints, and where a layer that is bound anew keeps the state of the
/// same rule. It is to show all that the rule depends on; a rule around another one shows that one.
///
/// ```
/// # use burn::tensor::Device;
/// use burn_hebbian_core::{Activity, DenseView, Factors, LocalRule, Signals};
/// # let device = Device::flex();
///
/// /// `Δw_k = mean y_k (x − 2 w_k)`.
/// #[derive(Debug)]
/// struct TwiceTheDecay;
///
/// impl LocalRule for TwiceTheDecay {
///     fn factors(&self, activity: &Activity) -> Factors {
///         let y = activity.dot();
///         Factors::decaying(y.clone(), y.mul_scalar(2.0))
///     }
/// }
///
/// let layer = DenseView::from_data([[1.0, 0.0]], [[3.0, 1.0]], &device); // y = 3
/// let update = layer.update(&TwiceTheDecay, Signals::none()).unwrap();
/// update.into_data().assert_eq(&[[3.0, 3.0]].into(), false);
/// ```
pub trait LocalRule: Debug + Send + Sync {
    /// The factors of the update for one activity.
    fn factors(&self, activity: &Activity) -> Factors;

    /// What happens to the sums; the mean over patches unless the rule says otherwise.
    fn finish(&self) -> Finish {
        Finish::new(Reduction::Mean)
    }

    /// Whether the sums of a batch are those of its parts, so that a layer may work through it in blocks of images.
    ///
    /// Not so for rules that look at the statistics of a batch before they learn from it.
    fn adds_up(&self) -> bool {
        false
    }

    /// How alike the rule finds patch and weight vector, for those who look on: diagnostics tell winners by it.
    fn similarity(&self) -> Similarity {
        Similarity::Dot
    }

    /// The stages that the rule consists of, if it learns from each patch by what the responses to it and norms tell, and
    /// by nothing else: a layer may then compute the sums in one pass over its input instead of calling
    /// [`factors`](Self::factors), and has to come to the same.
    fn pointwise(&self) -> Option<PointwiseRule> {
        None
    }

    /// The state that the rule keeps between steps, at the start of training; `None` if it keeps none.
    ///
    /// State lives in the model beside the layer's weight, so that records, checkpoints and device moves carry it.
    fn initial_state(&self, layout: &WeightLayout) -> Option<Vec<f32>> {
        let _ = layout;
        None
    }

    /// Number of statistics in the rule's [`Factors`]: sums, from which the next state is made.
    fn statistics_len(&self, layout: &WeightLayout) -> usize {
        let _ = layout;
        0
    }

    /// The state after a step, from the state in it and the statistics summed over all its micro-batches.
    ///
    /// Called once a step, after all summing; in a step of several micro-batches all of them see the old state.
    fn next_state(
        &self,
        state: Tensor<1>,
        statistics: Option<Tensor<1>>,
        layout: &WeightLayout,
    ) -> Tensor<1> {
        let _ = (statistics, layout);
        state
    }

    /// Whether the rule trains the layer's bias too; then layers must have one.
    fn learns_bias(&self) -> bool {
        false
    }

    /// Whether a layer without a bias is refused; as long as the rule [learns it](Self::learns_bias), unless it says otherwise.
    fn needs_bias(&self) -> bool {
        self.learns_bias()
    }

    /// Whether layers learn from states that are handed to them, as [`GivenStates`](crate::GivenStates), and not from their
    /// forward passes: [`factors`](Self::factors) is then never asked.
    fn learns_from_given_states(&self) -> bool {
        false
    }

    /// The update `Δb` (ascent) of the layer's bias, `[groups · neurons]`, from the statistics of a step; called once a
    /// step, after all summing, of rules that [learn the bias](Self::learns_bias).
    fn bias_update(
        &self,
        bias: Tensor<1>,
        statistics: Option<Tensor<1>>,
        layout: &WeightLayout,
    ) -> Tensor<1> {
        let _ = (statistics, layout);
        bias.zeros_like()
    }

    /// Refuses signals that the rule cannot learn by on a layer like this; called before a pass.
    ///
    /// # Errors
    ///
    /// A [`RuleError`] that states what was expected and what there is.
    fn check_signals(&self, signals: &Signals, layout: &WeightLayout) -> Result<(), RuleError> {
        let _ = (signals, layout);
        Ok(())
    }

    /// Refuses signals whose rows do not belong to so many images: to a linear layer, all leading dimensions are images.
    ///
    /// # Errors
    ///
    /// A [`RuleError`] that states both numbers.
    fn check_images(&self, signals: &Signals, images: usize) -> Result<(), RuleError> {
        let _ = (signals, images);
        Ok(())
    }

    /// Whether the rule learns from spikes, decided by neurons outside of the layer; then a forward pass teaches nothing.
    fn learns_from_spikes(&self) -> bool {
        false
    }

    /// Refuses spikes that lie in time as the rule cannot learn from them.
    ///
    /// # Errors
    ///
    /// A [`RuleError`] that says why.
    fn check_span(&self, span: &Span) -> Result<(), RuleError> {
        let _ = span;
        Ok(())
    }

    /// Refuses a layer that the rule cannot train; called before training.
    ///
    /// # Errors
    ///
    /// A [`RuleError`] that states the offending value.
    fn check(&self, layout: &WeightLayout) -> Result<(), RuleError> {
        let _ = layout;
        Ok(())
    }
}
