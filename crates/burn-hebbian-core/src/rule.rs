//! Rules: the open trait, and the composition of stages that the literature's rules are.

use alloc::{sync::Arc, vec::Vec};
use burn::{config::Config, tensor::Tensor};
use core::fmt::Debug;
use serde::{Deserialize, Serialize};

use crate::{
    Activation, Activity, Competition, Factors, Finish, Gate, Lateral, Normalization, Rate, Recurrence,
    Reduction, RuleError, Scale, Similarity, Teacher, WeightLayout, recurrence::Stages,
};

/// A local learning rule: what a layer saw goes in, factors of the update come out.
///
/// A rule knows nothing of kernels, strides or batches; one implementation serves every layer geometry. It
/// keeps no state between calls.
pub trait LocalRule: Debug + Send + Sync {
    /// The factors of the update for one activity.
    fn factors(&self, activity: &Activity) -> Factors;

    /// What happens to the sums; the mean over patches unless the rule says otherwise.
    fn finish(&self) -> Finish {
        Finish::new(Reduction::Mean)
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

/// A rule as a composition of stages, each a field; presets are named after the literature.
///
/// ```text
/// s = similarity(x, w)    y = activation(s)·t    z = lateral(competition(s, t))    g = gate(z, y)·t
/// ΔW = rate · normalise( scale · reduce Σ g (x − recurrence(g, y, W)) )
/// ```
///
/// with `t` the teacher's value (1 where the layer ignores it). A field missing in JSON takes its default;
/// an unknown one is refused.
///
/// ```
/// use burn_hebbian_core::{Competition, Rule};
///
/// let rule = Rule::swta().with_competition(Competition::Softmax { temperature: 0.05 });
/// let json = serde_json::to_string(&rule).unwrap();
/// assert_eq!(serde_json::from_str::<Rule>(&json).unwrap(), rule);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Rule {
    /// How alike patch and weight vector are.
    pub similarity: Similarity,
    /// From similarity to activity.
    pub activation: Activation,
    /// Which neurons learn from a patch.
    pub competition: Competition,
    /// How winners take their neighbours along.
    pub lateral: Lateral,
    /// Which neurons the label lets learn.
    pub teacher: Teacher,
    /// From competition and activity to the coefficient.
    pub gate: Gate,
    /// What holds the weights back.
    pub recurrence: Recurrence,
    /// From the sum over patches to the update.
    pub reduction: Reduction,
    /// A constant factor.
    pub scale: Scale,
    /// What the largest value of the update becomes.
    pub normalization: Normalization,
    /// Each neuron's own rate.
    pub rate: Rate,
}

impl Config for Rule {}

impl Rule {
    /// With another similarity.
    pub fn with_similarity(mut self, similarity: Similarity) -> Self {
        self.similarity = similarity;
        self
    }

    /// With another activation.
    pub fn with_activation(mut self, activation: Activation) -> Self {
        self.activation = activation;
        self
    }

    /// With another competition.
    pub fn with_competition(mut self, competition: Competition) -> Self {
        self.competition = competition;
        self
    }

    /// With lateral feedback.
    pub fn with_lateral(mut self, lateral: Lateral) -> Self {
        self.lateral = lateral;
        self
    }

    /// With a teacher.
    pub fn with_teacher(mut self, teacher: Teacher) -> Self {
        self.teacher = teacher;
        self
    }

    /// With another gate.
    pub fn with_gate(mut self, gate: Gate) -> Self {
        self.gate = gate;
        self
    }

    /// With another recurrence.
    pub fn with_recurrence(mut self, recurrence: Recurrence) -> Self {
        self.recurrence = recurrence;
        self
    }

    /// With another reduction.
    pub fn with_reduction(mut self, reduction: Reduction) -> Self {
        self.reduction = reduction;
        self
    }

    /// With another scale.
    pub fn with_scale(mut self, scale: Scale) -> Self {
        self.scale = scale;
        self
    }

    /// With another normalisation.
    pub fn with_normalization(mut self, normalization: Normalization) -> Self {
        self.normalization = normalization;
        self
    }

    /// With another rate for each neuron.
    pub fn with_rate(mut self, rate: Rate) -> Self {
        self.rate = rate;
        self
    }

    /// Whether a stage after the similarity reads it, or the activity made from it, beside the competition.
    fn reads_similarity(&self) -> bool {
        self.competition == Competition::Activity
            || self.gate.reads_activity()
            || self.recurrence.reads_activity()
    }

    /// Refuses stages that contradict each other, whatever the layer.
    fn check_stages(&self) -> Result<(), RuleError> {
        let everyone = self.competition == Competition::None && self.teacher == Teacher::Ignored;
        if self.lateral != Lateral::None && !matches!(self.competition, Competition::KWinners { .. }) {
            return Err(RuleError::Stages(
                "lateral feedback spreads winners: it needs the competition `k_winners`",
            ));
        }
        if everyone && self.gate == Gate::Competition {
            return Err(RuleError::Stages(
                "gate `competition` without a competition or a teacher: every neuron would learn every patch alike",
            ));
        }
        Ok(())
    }
}

impl LocalRule for Rule {
    fn factors(&self, activity: &Activity) -> Factors {
        let similarity = activity.similarity(&self.similarity);
        let teacher = self.teacher.expand(activity.signals(), &activity.layout(), similarity.dims()[0]);
        let teacher = teacher.as_ref();
        // what nobody reads later is handed on, not kept: its buffer is free to be worked on
        let s = self.reads_similarity().then(|| similarity.clone());
        let y = s.clone().map(|s| taught(self.activation.apply(s), teacher));
        let z = self.lateral.of(self.competition.of(similarity, y.as_ref(), teacher), activity);
        let kept = if self.recurrence.reads_competition() { z.clone() } else { None };
        let g = self.gate.of(z, y.as_ref(), s.as_ref(), &self.activation);
        let g = g.unwrap_or_else(|| activity.dot().ones_like());
        let (c, weights) = self.reduction.weigh(taught(g, teacher));
        self.recurrence.of(Stages { c, y, z: kept, s }).with_mass_of(weights)
    }

    fn finish(&self) -> Finish {
        Finish::new(self.reduction)
            .with_scale(self.scale)
            .with_tangent(self.recurrence.is_tangent())
            .with_normalization(self.normalization)
            .with_rate(self.rate)
    }

    fn initial_state(&self, _layout: &WeightLayout) -> Option<Vec<f32>> {
        self.lateral.initial_state()
    }

    fn next_state(
        &self,
        state: Tensor<1>,
        _statistics: Option<Tensor<1>>,
        _layout: &WeightLayout,
    ) -> Tensor<1> {
        self.lateral.next_state(state)
    }

    fn check(&self, layout: &WeightLayout) -> Result<(), RuleError> {
        self.check_stages()?;
        self.similarity.check()?;
        self.activation.check()?;
        self.rate.check()?;
        self.lateral.check(layout)?;
        self.competition.check(layout)?;
        self.teacher.check(layout)
    }
}

fn taught(values: Tensor<4>, teacher: Option<&Tensor<4>>) -> Tensor<4> {
    match teacher {
        None => values,
        Some(teacher) => values * teacher.clone(),
    }
}

impl From<Rule> for Arc<dyn LocalRule> {
    fn from(rule: Rule) -> Self {
        Arc::new(rule)
    }
}
