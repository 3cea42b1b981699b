//! How the stages of a rule work together.

use alloc::{boxed::Box, vec::Vec};

use burn::tensor::Tensor;

use crate::{
    Abstention, Activation, Activity, Bias, Competition, Factors, Finish, Gate, Homeostasis, Lateral,
    LocalRule, PointwiseRule, Recurrence, Reduction, Rule, RuleError, Signals, Similarity, Span, Surround,
    Teacher, Timing, Variance, WeightLayout,
    stages::memory::{Memory, Seen, Stage, blank},
    stages::recurrence::Stages,
    stages::timing,
    stages::variance::Scaled,
};

/// The stages that may keep state, in the order in which states and statistics lie.
#[derive(Clone, Copy)]
enum Slot {
    /// First: outputs find it there.
    Variance,
    Activation,
    Abstention,
    Competition,
    Lateral,
    Gate,
    Bias,
    Homeostasis,
    Timing,
}

const SLOTS: usize = 9;

/// A state or statistics vector, taken apart by stage.
struct Parts([Option<Tensor<1>>; SLOTS]);

impl Parts {
    fn of(&self, slot: Slot) -> Option<Tensor<1>> {
        self.0[slot as usize].clone()
    }
}

/// What a stage keeps, if anything.
type Kept = Option<Box<dyn Memory>>;

/// What each stage keeps.
struct Memories([Kept; SLOTS]);

impl Memories {
    fn iter(&self) -> impl Iterator<Item = &dyn Memory> {
        self.0.iter().flatten().map(|memory| &**memory)
    }

    /// Takes a vector of all stages' values apart.
    fn split(&self, values: Option<Tensor<1>>, len: impl Fn(&dyn Memory) -> usize) -> Parts {
        let mut at = 0;
        Parts(self.0.each_ref().map(|memory| {
            let len = memory.as_ref().map_or(0, |memory| len(&**memory));
            at += len;
            values.as_ref().filter(|_| len > 0).map(|values| values.clone().narrow(0, at - len, len))
        }))
    }

    fn states(&self, activity: &Activity) -> Parts {
        let keeps = self.iter().any(|memory| memory.state_len() > 0);
        self.split(keeps.then(|| activity.state()), |memory| memory.state_len())
    }

    /// Whether a stage rests where a step is blank.
    fn rests(&self) -> bool {
        self.iter().any(|memory| memory.rests())
    }

    /// The statistics of all stages, end to end, and the signal if a stage rests without one.
    fn statistics(&self, seen: &Seen, states: &Parts, activity: &Activity) -> Option<Tensor<1>> {
        let of =
            |(memory, state): (&Kept, &Option<Tensor<1>>)| memory.as_ref()?.statistics(seen, state.clone());
        let signal = self.rests().then(|| blank::signal(activity));
        let parts: Vec<_> = self.0.iter().zip(&states.0).filter_map(of).chain(signal).collect();
        (!parts.is_empty()).then(|| Tensor::cat(parts, 0))
    }
}

/// What a rule sees before it decides who learns.
struct Sight {
    seen: Seen,
    /// What the activation was applied to; there with the activity.
    scaled: Option<Scaled>,
    /// The outcome of the competition.
    z: Option<Tensor<4>>,
    teacher: Option<Tensor<4>>,
}

impl Rule {
    fn stages(&self) -> [&dyn Stage; SLOTS] {
        [
            &self.variance,
            &self.activation,
            &self.abstention,
            &self.competition,
            &self.lateral,
            &self.gate,
            &self.bias,
            &self.homeostasis,
            &self.timing,
        ]
    }

    /// What [`Homeostasis::Threshold`] adds to each neuron's threshold, `[groups · neurons]`, out of the rule's state.
    pub fn thresholds(&self, state: Tensor<1>, layout: &WeightLayout) -> Option<Tensor<1>> {
        let states = self.memories(layout).split(Some(state), |memory| memory.state_len());
        states.of(Slot::Homeostasis)
    }

    fn memories(&self, layout: &WeightLayout) -> Memories {
        Memories(self.stages().map(|stage| stage.memory(layout)))
    }

    /// Whether a stage after the similarity reads it, or the activity made from it, beside the competition.
    fn reads_similarity(&self) -> bool {
        self.competition == Competition::Activity
            || self.competition.reads_similarity()
            || self.activation.reads_similarity()
            || self.variance != Variance::Fixed
            || self.gate.reads_activity()
            || self.recurrence.reads_activity()
            || self.homeostasis != Homeostasis::None
    }

    /// Whether statistics are made of the competition's outcome.
    fn reads_outcome(&self) -> bool {
        self.abstention != Abstention::None || self.bias != Bias::Frozen || self.competition.reads_outcome()
    }

    /// From the similarity to the competition's outcome.
    fn see(&self, activity: &Activity, states: &Parts) -> Sight {
        let layout = activity.layout();
        let similarity = self.surround.of(self.similarity.of(activity), activity);
        let similarity = self.bias.shift(similarity, activity);
        let teacher = self.teacher.expand(activity.signals(), &layout, similarity.dims()[0]);
        let teacher = teacher.map(|teacher| teacher.cast(similarity.dtype()));
        // what nobody reads later is handed on, not kept: its buffer is free to be worked on
        let s = self.reads_similarity().then(|| similarity.clone());
        let scaled = s.clone().map(|s| self.variance.scale(s, states.of(Slot::Variance), &layout));
        let activate = |scaled: &Scaled| {
            let y = self.activation.of(scaled.u.clone(), states.of(Slot::Activation), &layout);
            times(scaled.rescale(y), teacher.as_ref())
        };
        let y = scaled.as_ref().map(activate);
        let present = self.abstention.of(states.of(Slot::Abstention), &layout);
        let allowed = match (&teacher, &present) {
            (Some(teacher), Some(present)) => Some(teacher.clone() * present.clone()),
            (teacher, present) => teacher.as_ref().or(present.as_ref()).cloned(),
        };
        let state = states.of(Slot::Competition);
        let z = self.competition.of(similarity, y.as_ref(), allowed.as_ref(), state, &layout);
        let z = z.map(|z| times(z, present.as_ref()));
        let outcome = z.clone().filter(|_| self.reads_outcome());
        Sight { seen: Seen { s, y, z: outcome, ..Seen::default() }, scaled, z, teacher }
    }

    /// Refuses stages that contradict each other, whatever the layer.
    fn check_stages(&self) -> Result<(), RuleError> {
        let no_competition = matches!(self.competition, Competition::None | Competition::Activity);
        if self.lateral != Lateral::None && !matches!(self.competition, Competition::KWinners { .. }) {
            return Err(RuleError::Stages(
                "lateral feedback spreads winners: it needs the competition `k_winners`",
            ));
        }
        if self.competition == Competition::None
            && self.teacher == Teacher::Ignored
            && self.gate == Gate::Competition
        {
            return Err(RuleError::Stages(
                "gate `competition` without a competition or a teacher: every neuron would learn every patch alike",
            ));
        }
        if no_competition && self.abstention != Abstention::None {
            return Err(RuleError::Stages(
                "neurons that sit out have nothing to sit out from: abstention needs a competition",
            ));
        }
        if self.recurrence == Recurrence::Outstar && self.finish.reduction == Reduction::Weighted {
            return Err(RuleError::Stages(
                "the outstar's decay is the same for all neurons: it cannot be weighted by neuron",
            ));
        }
        self.bias.check(&self.competition)
    }
}

impl LocalRule for Rule {
    fn factors(&self, activity: &Activity) -> Factors {
        let layout = activity.layout();
        let memories = self.memories(&layout);
        let states = memories.states(activity);
        if let Some(mut factors) = self.timing.factors(activity, states.of(Slot::Timing)) {
            factors.statistics = memories.statistics(&timing::seen(activity), &states, activity);
            return factors;
        }
        let Sight { seen, scaled, z, teacher } = self.see(activity, &states);
        let statistics = memories.statistics(&seen, &states, activity);
        let z = self.lateral.of(z, states.of(Slot::Lateral));
        let kept = if self.recurrence.reads_competition() { z.clone() } else { None };
        let slope = || {
            let u = scaled.map_or_else(|| seen.similarity(), |scaled| scaled.u);
            self.activation.derivative_of(u, states.of(Slot::Activation), &layout)
        };
        let g = self.gate.of(z, &seen, slope, states.of(Slot::Gate), &layout);
        let g = g.unwrap_or_else(|| activity.whole_dot().ones_like());
        let (c, weights) = self.finish.reduction.weigh(times(g, teacher.as_ref()));
        let c = times(c, activity.third_factor().as_ref());
        let growth = self.homeostasis.growth(seen.y.as_ref(), activity);
        let mut factors = self.recurrence.of(Stages { c, y: seen.y, z: kept, s: seen.s });
        if let Some(growth) = growth {
            factors = factors.with_growth(times(growth, weights.as_ref()));
        }
        if let Some(statistics) = statistics {
            factors = factors.with_statistics(statistics);
        }
        factors.with_mass_of(weights)
    }

    fn finish(&self) -> Finish {
        self.finish.with_tangent(self.finish.tangent || self.recurrence.is_tangent())
    }

    fn adds_up(&self) -> bool {
        let adaptive = matches!(self.competition, Competition::AdaptiveSoftmax { .. });
        // presentations are spread over time
        self.variance == Variance::Fixed && !adaptive && self.timing == Timing::None
    }

    fn similarity(&self) -> Similarity {
        self.similarity
    }

    fn pointwise(&self) -> Option<PointwiseRule> {
        // names every field, so that a new stage cannot be ignored
        let Self {
            similarity,
            surround: Surround::None,
            bias: Bias::Frozen,
            activation,
            variance: Variance::Fixed,
            abstention: Abstention::None,
            competition,
            lateral: Lateral::None,
            teacher: Teacher::Ignored,
            gate,
            recurrence,
            homeostasis: Homeostasis::None,
            timing: Timing::None,
            finish: Finish { reduction, tangent: _, scale: _, normalization: _, rate: _, bounds: _ },
        } = *self
        else {
            return None;
        };
        let keeps = matches!(activation, Activation::AdaptiveScore { .. })
            || matches!(competition, Competition::AdaptiveSoftmax { .. } | Competition::AntiHebbian(_))
            || matches!(gate, Gate::Bcm { .. });
        (!keeps).then_some(PointwiseRule { similarity, activation, competition, gate, recurrence, reduction })
    }

    fn initial_state(&self, layout: &WeightLayout) -> Option<Vec<f32>> {
        let state: Vec<f32> = self.memories(layout).iter().flat_map(|memory| memory.initial()).collect();
        (!state.is_empty()).then_some(state)
    }

    fn statistics_len(&self, layout: &WeightLayout) -> usize {
        let memories = self.memories(layout);
        memories.iter().map(|memory| memory.statistics_len()).sum::<usize>() + usize::from(memories.rests())
    }

    fn next_state(
        &self,
        state: Tensor<1>,
        statistics: Option<Tensor<1>>,
        layout: &WeightLayout,
    ) -> Tensor<1> {
        let memories = self.memories(layout);
        let states = memories.split(Some(state), |memory| memory.state_len());
        let saw = statistics.as_ref().filter(|_| memories.rests()).map(blank::saw);
        let statistics = memories.split(statistics, |memory| memory.statistics_len());
        let next = |((memory, state), statistics): ((&Kept, Option<Tensor<1>>), _)| {
            let (memory, state) = (memory.as_ref()?, state?);
            let next = memory.next(state.clone(), statistics);
            Some(match saw.clone().filter(|_| memory.rests()) {
                Some(saw) => blank::unless_blank(state, next, saw),
                None => next,
            })
        };
        let parts = memories.0.iter().zip(states.0).zip(statistics.0).filter_map(next).collect();
        Tensor::cat(parts, 0)
    }

    fn learns_bias(&self) -> bool {
        self.bias != Bias::Frozen
    }

    fn bias_update(
        &self,
        bias: Tensor<1>,
        statistics: Option<Tensor<1>>,
        layout: &WeightLayout,
    ) -> Tensor<1> {
        let nothing = bias.zeros_like();
        let memories = self.memories(layout);
        let saw = statistics.as_ref().filter(|_| memories.rests()).map(blank::saw);
        let statistics = memories.split(statistics, |memory| memory.statistics_len()).of(Slot::Bias);
        match (statistics, saw, self.competition.temperature()) {
            (Some(statistics), Some(saw), Some(temperature)) => {
                let update = self.bias.update(bias, statistics, temperature, layout);
                blank::unless_blank(nothing, update, saw)
            }
            _ => nothing,
        }
    }

    fn check_signals(&self, signals: &Signals, layout: &WeightLayout) -> Result<(), RuleError> {
        self.teacher.check_signal(signals, layout)?;
        signals.check_third_factor(layout)
    }

    fn check_images(&self, signals: &Signals, images: usize) -> Result<(), RuleError> {
        self.teacher.check_images(signals, images)?;
        signals.check_third_factor_images(images)
    }

    fn learns_from_spikes(&self) -> bool {
        self.timing != Timing::None
    }

    fn check_span(&self, span: &Span) -> Result<(), RuleError> {
        self.timing.check_span(span)
    }

    fn check(&self, layout: &WeightLayout) -> Result<(), RuleError> {
        self.check_stages()?;
        self.similarity.check()?;
        self.surround.check()?;
        self.activation.check()?;
        self.variance.check()?;
        self.gate.check()?;
        self.homeostasis.check()?;
        self.finish.rate.check()?;
        self.finish.bounds.check()?;
        self.timing.check(layout)?;
        // after what is no number, which is not like itself
        self.check_timed()?;
        self.lateral.check(layout)?;
        self.competition.check(layout)?;
        self.teacher.check(layout)
    }
}

/// `values · factor`, a factor of `None` being 1.
fn times(values: Tensor<4>, factor: Option<&Tensor<4>>) -> Tensor<4> {
    match factor {
        None => values,
        Some(factor) => values * factor.clone(),
    }
}
