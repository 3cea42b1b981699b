//! Plasticity by the timing of spikes.

mod pairs;
mod rank_order;

use alloc::boxed::Box;

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::{
    Activity, Factors, Part, RuleError, Span, WeightLayout,
    stages::memory::{Memory, Seen, Stage},
};

pub use pairs::{Dependence, Pairs};
pub use rank_order::{Growth, RankOrder, Rates};

/// Whether a rule learns from the timing of spikes, and how.
///
/// Such a rule learns from spikes on both sides that are decided outside of the layer, by neurons over time; it has no similarity,
/// activation, competition or recurrence of its own. Layers are taught by `Synapses::learn_from`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Timing {
    /// It learns from responses.
    #[default]
    None,
    /// By the order of first spikes: what came before a winner's spike, and what did not.
    RankOrder(RankOrder),
    /// By all pairs of spikes, through their traces.
    Pairs(Pairs),
}

impl Timing {
    /// What the rule makes of spikes, if it is a rule of spikes; `state` is this stage's own.
    pub(crate) fn factors(&self, activity: &Activity, state: Option<Tensor<1>>) -> Option<Factors> {
        match self {
            Self::None => None,
            Self::RankOrder(rule) => Some(rule.factors(activity, state)),
            Self::Pairs(rule) => Some(rule.factors(activity)),
        }
    }

    /// Refuses what the rule cannot learn from.
    pub(crate) fn check_span(&self, span: &Span) -> Result<(), RuleError> {
        match self {
            Self::Pairs(pairs) if span.part == Part::Trains && !pairs.pre.is_linear() => {
                Err(RuleError::Stages(
                    "a trace that spikes set cannot be folded: teach the layer from traces, side by side",
                ))
            }
            Self::RankOrder(_) if span.part != Part::Trains => {
                Err(RuleError::Stages("rank-order STDP learns from winners, not from traces"))
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn check(&self, layout: &WeightLayout) -> Result<(), RuleError> {
        match self {
            Self::None => Ok(()),
            Self::RankOrder(rule) => rule.check(layout),
            Self::Pairs(rule) => rule.check(),
        }
    }
}

impl Stage for Timing {
    fn memory(&self, _layout: &WeightLayout) -> Option<Box<dyn Memory>> {
        match self {
            Self::RankOrder(RankOrder { growth: Some(_), .. }) => Some(Box::new(rank_order::Presented)),
            _ => None,
        }
    }
}

/// What stages that keep something see of spikes.
pub(crate) fn seen(activity: &Activity) -> Seen {
    let dot = activity.whole_dot();
    let span = activity.span();
    let [images, ..] = dot.dims();
    match span {
        // the spikes were counted with the other part
        Some(Span { part: Part::Depression, .. }) => Seen { s: Some(dot.zeros_like()), ..Seen::default() },
        _ => {
            let presentations = images / span.map_or(1, |span| span.steps.max(1));
            Seen { s: Some(dot), presentations, ..Seen::default() }
        }
    }
}
