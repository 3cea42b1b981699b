//! What can be wrong with a rule's configuration, found before training starts.

use alloc::{string::String, vec::Vec};

/// A rule that cannot train the layer it was given.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RuleError {
    /// More winners than neurons that compete, or none.
    #[error("k-winners: k must be in 1..={neurons}, got {k}")]
    Winners {
        /// The configured number of winners.
        k: usize,
        /// Neurons in one group of the layer.
        neurons: usize,
    },
    /// A competition among fewer than two neurons.
    #[error(
        "{competition}: competition acts within a group and needs at least 2 neurons there, got {neurons} \
         (neurons / groups = {total} / {groups})"
    )]
    GroupTooSmall {
        /// The name of the competition.
        competition: &'static str,
        /// Neurons in one group of the layer.
        neurons: usize,
        /// Neurons of the whole layer.
        total: usize,
        /// Groups of the layer.
        groups: usize,
    },
    /// A value that must be positive and finite is not.
    #[error("{name}: must be positive and finite, got {value}")]
    NotPositive {
        /// The name of the value.
        name: &'static str,
        /// The value.
        value: f64,
    },
    /// A value that a single-precision number cannot hold: it would be 0 or infinite in the middle of a pass.
    #[error("{name}: must be 0 or a normal number of f32, of a magnitude in 1.2e-38..=3.4e38, got {value:e}")]
    NotSingle {
        /// The name of the value.
        name: &'static str,
        /// The value.
        value: f64,
    },
    /// A value that must be at least 1 is not.
    #[error("{name}: must be finite and at least 1, got {value}")]
    BelowOne {
        /// The name of the value.
        name: &'static str,
        /// The value.
        value: f64,
    },
    /// A share, target or momentum outside 0..=1.
    #[error("{name}: must be in 0..=1, got {value}")]
    NotAShare {
        /// The name of the value.
        name: &'static str,
        /// The value.
        value: f64,
    },
    /// A rank to push away that is the winner's, or that no neuron has.
    #[error("ranked competition: k must be in 2..={neurons}, got {k}")]
    Rank {
        /// The configured rank.
        k: usize,
        /// Neurons in one group of the layer.
        neurons: usize,
    },
    /// A map whose cells are not the neurons of a group.
    #[error(
        "map: 1 to 3 axes with one cell for each of the group's {neurons} neurons, got {size:?} with {cells} cells"
    )]
    Map {
        /// The configured size.
        size: Vec<usize>,
        /// Its number of cells.
        cells: usize,
        /// Neurons in one group of the layer.
        neurons: usize,
    },
    /// A value that must be finite is not.
    #[error("{name}: must be finite, got {value}")]
    NotFinite {
        /// The name of the value.
        name: &'static str,
        /// The value.
        value: f64,
    },
    /// Class groups that do not fit into the layer's neurons.
    #[error(
        "teacher groups: {classes} classes of {per_class} neurons need {needed} neurons, the layer has {neurons}"
    )]
    TeacherTooWide {
        /// Number of classes.
        classes: usize,
        /// Neurons reserved for each class.
        per_class: usize,
        /// Neurons needed for all classes.
        needed: usize,
        /// Neurons of the layer.
        neurons: usize,
    },
    /// Class groups without a class or without a neuron.
    #[error(
        "teacher groups: classes and neurons per class must be at least 1, got {classes} and {per_class}"
    )]
    TeacherEmpty {
        /// Number of classes.
        classes: usize,
        /// Neurons reserved for each class.
        per_class: usize,
    },
    /// No teacher for a rule that learns from one.
    #[error(
        "this rule learns from a teacher: pass one with Signals::none().with_teacher(one_hot), of {columns} columns"
    )]
    TeacherMissing {
        /// The columns it should have.
        columns: usize,
    },
    /// A teacher without rows, or of other columns than the rule has classes or the layer neurons.
    #[error(
        "teacher: expected [images, {expected}] for a layer of {neurons} neurons, got [{rows}, {columns}]"
    )]
    TeacherShape {
        /// The columns it should have.
        expected: usize,
        /// Neurons of the layer.
        neurons: usize,
        /// Its rows.
        rows: usize,
        /// Its columns.
        columns: usize,
    },
    /// A third factor without rows, or of other columns than the layer has neurons.
    #[error("third factor: expected [1 or images, 1 or {neurons}], got [{rows}, {columns}]")]
    ThirdFactorShape {
        /// Neurons of the layer.
        neurons: usize,
        /// Its rows.
        rows: usize,
        /// Its columns.
        columns: usize,
    },
    /// An apical signal of other groups, neurons or positions than the layer has.
    #[error(
        "apical signal: expected [1 or images, 1 or {}, 1 or {}, {}], got {got:?}",
        .expected[0], .expected[1], positions(.expected[2])
    )]
    ApicalShape {
        /// Groups, neurons of each, and positions; 0 if those are not known yet.
        expected: [usize; 3],
        /// Its shape.
        got: [usize; 4],
    },
    /// No third factor for a rule that learns by one.
    #[error(
        "{rule}: learns by a signal: pass one with Signals::none().with_apical_for(path, signal) or with_third_factor"
    )]
    SignalMissing {
        /// The name of the rule.
        rule: &'static str,
    },
    /// Neurons that do not fall into groups of one size.
    #[error(
        "class competition: {neurons} neurons do not fall into groups of 2 classes or more, got {classes}"
    )]
    ClassGroups {
        /// Number of classes.
        classes: usize,
        /// Neurons of the layer.
        neurons: usize,
    },
    /// A third factor that is not one number an image.
    #[error("forward-forward: the third factor is the sign of each image, [images, 1]; got {got:?}")]
    SignShape {
        /// Its shape, or that of an apical signal.
        got: Vec<usize>,
    },
    /// A value that must not be negative, or is not finite.
    #[error("{name}: must be finite and at least 0, got {value}")]
    Negative {
        /// The name of the value.
        name: &'static str,
        /// The value.
        value: f64,
    },
    /// A signal with rows that do not belong to the images of a pass.
    #[error(
        "{signal}: {rows} rows for {images} images; there must be one for each, or for each of equal parts of them"
    )]
    SignalRows {
        /// The name of the signal.
        signal: &'static str,
        /// Its rows.
        rows: usize,
        /// The images.
        images: usize,
    },
    /// A surround kernel without a center.
    #[error("surround modulation: the size must be odd, got {size}")]
    SurroundSize {
        /// The configured size.
        size: usize,
    },
    /// A surround that is not wider than its center.
    #[error("surround modulation: the surround must be wider than the center, got {surround} and {center}")]
    SurroundWidths {
        /// The configured width of the center.
        center: f64,
        /// The configured width of the surround.
        surround: f64,
    },
    /// A least weight that is not below the largest.
    #[error("bounds of weights: the least must be below the largest, got {min} and {max}")]
    Bounds {
        /// The least weight.
        min: f64,
        /// The largest weight.
        max: f64,
    },
    /// Rates of other neurons than the layer has.
    #[error("rates of each neuron: expected {neurons} pairs for as many neurons, got {rates}")]
    RatesPerNeuron {
        /// Neurons of the layer.
        neurons: usize,
        /// Pairs of rates.
        rates: usize,
    },
    /// Images that are no whole number of trains.
    #[error("trains of {steps} steps: {images} images are no whole number of them")]
    Span {
        /// Steps of a train.
        steps: usize,
        /// Images there are.
        images: usize,
    },
    /// A rule of spikes in a forward pass, or on responses.
    #[error(
        "this rule learns from spikes: run the layer by `Synapses::currents`, and teach it by `Synapses::learn_from`"
    )]
    SpikesMissing,
    /// Stages that contradict each other.
    #[error("{0}")]
    Stages(&'static str),
    /// An error of a rule outside this crate.
    #[error("{0}")]
    Custom(String),
}

/// As a message says how many positions a signal may have.
fn positions(known: usize) -> String {
    if known == 0 { String::from("positions") } else { alloc::format!("1 or {known}") }
}

/// Refuses a value that is not positive and finite.
pub(crate) fn positive(name: &'static str, value: f64) -> Result<(), RuleError> {
    if value.is_finite() && value > 0.0 {
        single(name, value)
    } else {
        Err(RuleError::NotPositive { name, value })
    }
}

/// Refuses a finite value that `f32` cannot hold: tensors take scalars in their own type.
pub(crate) fn single(name: &'static str, value: f64) -> Result<(), RuleError> {
    let held = value as f32;
    if value == 0.0 || held.is_normal() { Ok(()) } else { Err(RuleError::NotSingle { name, value }) }
}

/// Refuses a value that is not finite.
pub(crate) fn finite(name: &'static str, value: f64) -> Result<(), RuleError> {
    if value.is_finite() { single(name, value) } else { Err(RuleError::NotFinite { name, value }) }
}

/// Refuses a value below 1.
pub(crate) fn at_least_one(name: &'static str, value: f64) -> Result<(), RuleError> {
    if value.is_finite() && value >= 1.0 {
        single(name, value)
    } else {
        Err(RuleError::BelowOne { name, value })
    }
}

/// Refuses a signal whose rows are not those of equal parts of the images.
pub(crate) fn rows(signal: &'static str, rows: usize, images: usize) -> Result<(), RuleError> {
    let fits = rows > 0 && images.is_multiple_of(rows);
    if fits { Ok(()) } else { Err(RuleError::SignalRows { signal, rows, images }) }
}

/// Refuses a value that is no share.
pub(crate) fn share(name: &'static str, value: f64) -> Result<(), RuleError> {
    if (0.0..=1.0).contains(&value) { single(name, value) } else { Err(RuleError::NotAShare { name, value }) }
}

#[cfg(test)]
mod tests {
    use crate::*;

    const LAYOUT: WeightLayout = WeightLayout { groups: 1, before: 1, neurons: 4, after: 6 };

    /// A rule for every number that a rule has.
    fn rules(v: f64) -> Vec<(&'static str, Rule)> {
        let competition = |competition| Rule::swta().with_competition(competition);
        let activation = |activation| Rule::oja().with_activation(activation);
        let similarity = |similarity| Rule::swta().with_similarity(similarity);
        let inhibition = AntiHebbian { target: 0.1, rate: 0.1, threshold_rate: 0.1, gain: 10.0, steps: 3 };
        let anti = |inhibition| Rule::foldiak(0.1).with_competition(Competition::AntiHebbian(inhibition));
        let surround = |center_sigma, surround_sigma| {
            Rule::hebb().with_surround(Surround::DifferenceOfGaussians {
                size: 3,
                center_sigma,
                surround_sigma,
            })
        };
        let map = |sigma, tau| {
            let (size, neighborhood) = (Vec::from([4]), Neighborhood::Gaussian);
            Rule::hard_wta().with_lateral(Lateral::Map { size, neighborhood, sigma: Some(sigma), tau })
        };
        let threshold = |increase, decay| {
            Rule::stdp(2.0, 2.0, 0.1, 0.1).with_homeostasis(Homeostasis::Threshold { increase, decay })
        };
        let criterion = Criterion::Kurtosis;
        Vec::from([
            ("softmax temperature", competition(Competition::Softmax { temperature: v })),
            ("softmax temperature", competition(Competition::SignedSoftmax { temperature: v })),
            (
                "softmax temperature",
                competition(Competition::AdaptiveSoftmax { temperature: v, momentum: 0.1 }),
            ),
            ("momentum", competition(Competition::AdaptiveSoftmax { temperature: 1.0, momentum: v })),
            ("power softmax", competition(Competition::PowerSoftmax { power: v })),
            ("loser", competition(Competition::KWinners { k: 1, losers: v })),
            ("delta", competition(Competition::Ranked { k: 2, delta: v })),
            ("target", anti(AntiHebbian { target: v, ..inhibition })),
            ("rate", anti(AntiHebbian { rate: v, ..inhibition })),
            ("threshold rate", anti(AntiHebbian { threshold_rate: v, ..inhibition })),
            ("gain", anti(AntiHebbian { gain: v, ..inhibition })),
            ("raised cosine", similarity(Similarity::RaisedCosine { power: v })),
            ("gaussian sigma", similarity(Similarity::Gaussian { sigma: Some(v) })),
            ("Lebesgue", similarity(Similarity::Lebesgue { p: v })),
            ("power", activation(Activation::Repu { power: v })),
            ("slope", activation(Activation::HardSigmoid { slope: v })),
            ("slope", activation(Activation::Sigmoid { slope: v, threshold: 0.0 })),
            ("threshold", activation(Activation::Sigmoid { slope: 1.0, threshold: v })),
            ("triangle", activation(Activation::Triangle { power: v })),
            ("share", activation(Activation::Score { sub_gaussian: v })),
            ("momentum", activation(Activation::AdaptiveScore { criterion, momentum: v })),
            ("momentum", Rule::oja().with_variance(Variance::Running { momentum: v, epsilon: 0.1 })),
            ("epsilon", Rule::oja().with_variance(Variance::Running { momentum: 0.1, epsilon: v })),
            ("BCM", Rule::bcm().with_gate(Gate::Bcm { momentum: v })),
            ("target", Rule::hebb().with_homeostasis(Homeostasis::Scaling { target: v, rate: 1.0 })),
            ("rate", Rule::hebb().with_homeostasis(Homeostasis::Scaling { target: 1.0, rate: v })),
            ("norm deviation", Rule::oja().with_rate(Rate::NormDeviation { power: v })),
            ("center sigma", surround(v, 2e50)),
            ("surround", surround(1e-3, v)),
            ("map radius", map(v, 1.0)),
            ("tau", map(1.0, v)),
            ("early", Rule::rank_order_stdp(v, -0.1)),
            ("late", Rule::rank_order_stdp(0.1, v)),
            ("input's trace", Rule::stdp(v, 2.0, 0.1, 0.1)),
            ("neurons' trace", Rule::stdp(2.0, v, 0.1, 0.1)),
            ("potentiation", Rule::stdp(2.0, 2.0, v, 0.1)),
            ("depression", Rule::stdp(2.0, 2.0, 0.1, v)),
            ("least weight", Rule::hebb().with_bounds(Bounds::Hard { min: v, max: 1e60 })),
            ("largest weight", Rule::hebb().with_bounds(Bounds::Soft { min: 0.0, max: v })),
            ("increase", threshold(v, 0.5)),
            ("decay", threshold(0.5, v)),
        ])
    }

    #[test]
    fn numbers_that_f32_cannot_hold_are_refused_with_their_value() {
        for v in [1e-50, 1e50, 1e-40, 4e38] {
            for (name, rule) in rules(v) {
                let error = rule.check(&LAYOUT).expect_err(name).to_string();
                let value = [format!("{v}"), format!("{v:e}")];
                assert!(value.iter().any(|value| error.contains(value)), "{name}: {error}");
                assert!(error.contains(name), "{name}: {error}");
            }
        }
        for (name, rule) in rules(0.5) {
            let fits =
                rule.check(&LAYOUT).is_ok() || ["Lebesgue", "center sigma", "least weight"].contains(&name);
            assert!(fits, "{name}: {:?}", rule.check(&LAYOUT));
        }
    }

    #[test]
    fn widths_whose_square_f32_cannot_hold_are_refused() {
        for sigma in [1e-20, 1e20] {
            let rule = Rule::swta().with_similarity(Similarity::Gaussian { sigma: Some(sigma) });
            let error = rule.check(&LAYOUT).unwrap_err().to_string();
            assert!(error.contains("gaussian sigma squared"), "{error}");
        }
    }

    #[test]
    fn class_groups_do_not_wrap() {
        let half = 1 << (usize::BITS / 2);
        let teacher = Teacher::ClassGroups { classes: half, per_class: half, order: GroupOrder::FreeFirst };
        let error = Rule::swta().with_teacher(teacher).check(&LAYOUT).unwrap_err();
        assert!(matches!(error, RuleError::TeacherTooWide { neurons: 4, .. }), "{error}");
    }
}
