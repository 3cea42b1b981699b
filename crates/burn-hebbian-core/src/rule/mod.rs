//! The composition of stages that the literature's rules are.

mod composition;
mod json;
mod presets;
mod timed;

use alloc::{sync::Arc, vec, vec::Vec};
use burn::config::Config;
use core::fmt;
use num_traits::Float;

use crate::{
    Abstention, Activation, Bias, Bounds, Competition, Finish, Gate, Homeostasis, Lateral, LocalRule,
    Normalization, Rate, Recurrence, Reduction, Scale, Similarity, Surround, Teacher, Timing, Variance,
    WeightLayout,
};

/// A rule as a composition of stages, each a field; presets are named after the literature.
///
/// ```text
/// s = surround(similarity(x, w)) + bias    y = activation(s)·t    z = lateral(competition(s, t))    g = gate(z, y, s)·t
/// ΔW = rate · normalize( scale · reduce Σ [ m g (x − recurrence(g, y, W)) + homeostasis(y) W ] )
/// ```
///
/// with `t` the teacher's value (1 where the layer ignores it) and `m` the third factor (1 if there is none).
///
/// In JSON a rule is the name of a preset, a preset with its arguments, or its stages; a stage beside a preset takes the
/// place of the preset's, a stage that is missing elsewhere is plain Hebb's, and what is unknown is refused. It is written
/// in the shortest of these forms.
///
/// ```
/// use burn_hebbian_core::{Reduction, Rule, Scale};
///
/// let read = |json| serde_json::from_str::<Rule>(json).unwrap();
/// assert_eq!(read(r#""swta""#), Rule::swta());
/// assert_eq!(read(r#"{"preset":"soft_hebb","temperature":1}"#), Rule::soft_hebb(1.0));
/// let mean = Rule::k_wta(3).with_reduction(Reduction::Mean);
/// assert_eq!(read(r#"{"preset":"k_wta","k":3,"reduction":"mean"}"#), mean);
/// let scaled = Rule::oja().with_scale(Scale::InverseSqrtFanIn);
/// assert_eq!(read(r#"{"recurrence":"oja","scale":"inverse_sqrt_fan_in"}"#), scaled);
///
/// let written = |rule| serde_json::to_string(&rule).unwrap();
/// assert_eq!(written(Rule::swta()), r#""swta""#);
/// assert_eq!(written(Rule::soft_hebb(0.65)), r#"{"preset":"soft_hebb","temperature":0.65}"#);
/// assert_eq!(written(scaled), r#"{"recurrence":"oja","scale":"inverse_sqrt_fan_in"}"#);
/// ```
#[derive(Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Rule {
    /// How alike patch and weight vector are.
    pub similarity: Similarity,
    /// How responses at neighboring positions act on each other.
    pub surround: Surround,
    /// Whether the layer's bias is part of the similarity, and learns.
    pub bias: Bias,
    /// From similarity to activity.
    pub activation: Activation,
    /// Whether the activation's width follows the similarities.
    pub variance: Variance,
    /// Which neurons sit out.
    pub abstention: Abstention,
    /// Which neurons learn from a patch.
    pub competition: Competition,
    /// How winners take their neighbors along.
    pub lateral: Lateral,
    /// Which neurons the label lets learn.
    pub teacher: Teacher,
    /// From competition and activity to the coefficient.
    pub gate: Gate,
    /// What holds the weights back.
    pub recurrence: Recurrence,
    /// What keeps neurons active.
    pub homeostasis: Homeostasis,
    /// Whether it learns from the timing of spikes; then the stages above are left out, but for homeostasis.
    pub timing: Timing,
    /// From the sums over patches to the update.
    pub finish: Finish,
}

impl Config for Rule {}

/// Hands every stage, its type and where it is in a rule to a macro, and then what else it is given.
macro_rules! each_stage {
    ($then:ident $($more:tt)*) => {
        $then! {
            similarity: $crate::Similarity [similarity],
            surround: $crate::Surround [surround],
            bias: $crate::Bias [bias],
            activation: $crate::Activation [activation],
            variance: $crate::Variance [variance],
            abstention: $crate::Abstention [abstention],
            competition: $crate::Competition [competition],
            lateral: $crate::Lateral [lateral],
            teacher: $crate::Teacher [teacher],
            gate: $crate::Gate [gate],
            recurrence: $crate::Recurrence [recurrence],
            homeostasis: $crate::Homeostasis [homeostasis],
            timing: $crate::Timing [timing],
            reduction: $crate::Reduction [finish.reduction],
            tangent: bool [finish.tangent],
            scale: $crate::Scale [finish.scale],
            normalization: $crate::Normalization [finish.normalization],
            rate: $crate::Rate [finish.rate],
            bounds: $crate::Bounds [finish.bounds],
            $($more)*
        }
    };
}
pub(crate) use each_stage;

/// The stages that differ from plain Hebb.
impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hebb, mut out) = (Self::default(), f.debug_struct("Rule"));
        macro_rules! stages {
            ($($stage:ident: $type:ty [$($path:tt)+],)+) => {$(
                if self.$($path)+ != hebb.$($path)+ {
                    out.field(stringify!($stage), &self.$($path)+);
                }
            )+};
        }
        each_stage!(stages);
        out.finish()
    }
}

impl Rule {
    /// The bias a layer starts with, `[groups · neurons]`, if the rule learns it: the log of equal shares.
    pub fn initial_bias(&self, layout: &WeightLayout) -> Option<Vec<f32>> {
        let temperature = self.competition.temperature().filter(|_| self.bias == Bias::LogPrior)?;
        let log_share = -Float::ln(layout.neurons as f64) * temperature;
        Some(vec![log_share as f32; layout.total_neurons()])
    }

    /// With another similarity.
    pub fn with_similarity(mut self, similarity: Similarity) -> Self {
        self.similarity = similarity;
        self
    }

    /// With surround modulation.
    pub fn with_surround(mut self, surround: Surround) -> Self {
        self.surround = surround;
        self
    }

    /// With a bias that learns, or not.
    pub fn with_bias(mut self, bias: Bias) -> Self {
        self.bias = bias;
        self
    }

    /// With an activation whose width follows the similarities, or not.
    pub fn with_variance(mut self, variance: Variance) -> Self {
        self.variance = variance;
        self
    }

    /// With neurons that sit out, or not.
    pub fn with_abstention(mut self, abstention: Abstention) -> Self {
        self.abstention = abstention;
        self
    }

    /// With homeostasis.
    pub fn with_homeostasis(mut self, homeostasis: Homeostasis) -> Self {
        self.homeostasis = homeostasis;
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

    /// With another rule of spikes.
    pub fn with_timing(mut self, timing: Timing) -> Self {
        self.timing = timing;
        self
    }

    /// With another reduction.
    pub fn with_reduction(mut self, reduction: Reduction) -> Self {
        self.finish.reduction = reduction;
        self
    }

    /// With another scale.
    pub fn with_scale(mut self, scale: Scale) -> Self {
        self.finish.scale = scale;
        self
    }

    /// With another normalization.
    pub fn with_normalization(mut self, normalization: Normalization) -> Self {
        self.finish.normalization = normalization;
        self
    }

    /// With another rate for each neuron.
    pub fn with_rate(mut self, rate: Rate) -> Self {
        self.finish.rate = rate;
        self
    }

    /// With other bounds of the weights.
    pub fn with_bounds(mut self, bounds: Bounds) -> Self {
        self.finish.bounds = bounds;
        self
    }
}

impl From<Rule> for Arc<dyn LocalRule> {
    fn from(rule: Rule) -> Self {
        Arc::new(rule)
    }
}
