//! From a case's family and hyper-parameters to a public configuration.

use burn_hebbian::{
    nn::Output,
    prelude::*,
    rules::{
        Activation, Bias, Competition, Gate, GroupOrder, Lateral, Neighborhood, Rate, Recombination,
        Recurrence, Reduction, Scale, Similarity, Teacher, Variance,
    },
};

use crate::case::Case;

/// A configuration of this library that a case is compared with.
pub(crate) struct Setup {
    pub(crate) rule: Rule,
    pub(crate) output: Output,
}

/// What is done with a case.
pub(crate) enum Verdict {
    /// It must come out equal.
    Run(Box<Setup>),
    /// We differ on purpose, for this reason; what we do instead has a test in the suite.
    Deviation(&'static str),
    /// The rule does not exist here yet.
    NotYet,
}

/// What is done with a case of this family.
pub(crate) fn verdict(case: &Case) -> Result<Verdict, String> {
    if let Some(reason) = deviation(&case.family) {
        return Ok(Verdict::Deviation(reason));
    }
    Ok(match rule(case)? {
        Some(rule) => Verdict::Run(Box::new(Setup { rule, output: output(case)? })),
        None => Verdict::NotYet,
    })
}

/// Families in which the reference does what nobody would want, and what it does.
const DEVIATIONS: &[(&str, &str)] = &[
    ("wta_ties_red_avg", TIES),
    ("wta_ties_red_w_avg", TIES),
    (
        "fh_teacher_groups_kwta",
        "in the reference neurons masked by the teacher win when all allowed scores are negative; here they never win",
    ),
    (
        "fh_teacher_too_many",
        "the reference silently drops a teacher that needs more neurons than there are; here it is refused",
    ),
];

const TIES: &str = "the reference lets every neuron that attains the maximum win; here exactly k win, the lower neuron first";

fn deviation(family: &str) -> Option<&'static str> {
    DEVIATIONS.iter().find(|(name, _)| *name == family).map(|(_, reason)| *reason)
}

/// Every family with a rule or a reason why there is none.
pub(crate) fn known() -> impl Iterator<Item = &'static str> {
    WITH_RULE.iter().copied().chain(DEVIATIONS.iter().map(|(name, _)| *name))
}

/// The rule of each family, and the list of these families.
macro_rules! families {
    ($case:ident; $($($family:literal)|+ => $rule:expr,)+) => {
        const WITH_RULE: &[&str] = &[$($($family),+),+];

        fn rule($case: &Case) -> Result<Option<Rule>, String> {
            Ok(Some(match $case.family.as_str() {
                $($($family)|+ => $rule,)+
                _ => return Ok(None),
            }))
        }
    };
}

families! {
    case;
    "hebb_plain" | "hebb_plain_nostep" => Rule::hebb().with_scale(adaptive_step(case)?),
    "hebb_plain_relu" => Rule::hebb().with_activation(Activation::Relu).with_scale(adaptive_step(case)?),
    "instar" => Rule::instar(),
    "instar_sgn" => Rule::instar().with_recurrence(Recurrence::SignedInstar),
    "instar_sgn_wavg" => {
        Rule::instar().with_recurrence(Recurrence::SignedInstar).with_reduction(Reduction::Weighted)
    },
    "instar_lrncmp_false" => Rule::instar().with_competition(Competition::Activity),
    "instar_softwta_zy" => Rule::instar().with_competition(softmax(case)?),
    "wta_red_avg" | "kwta_red_avg" => winners(case)?.with_reduction(Reduction::Mean),
    "wta_red_w_avg" | "kwta_red_w_avg" => winners(case)?,
    "softwta" | "softwta_red_avg" => soft(case)?.with_reduction(Reduction::Mean),
    "softwta_red_w_avg" => soft(case)?,
    "hwta_factory_eswta" => Rule::swta().with_competition(softmax(case)?),
    "hwta_factory_kwta" | "th_wta_rcos2" => Rule::hard_wta(),
    "hwta_cos_kwta" | "th_wta_cos" => Rule::hard_wta().with_similarity(Similarity::Cosine),
    "th_wta_dot" => Rule::hard_wta().with_similarity(Similarity::Dot),
    "th_wta_rcos1_hebb" => {
        Rule::hard_wta().with_similarity(Similarity::RaisedCosine { power: 1.0 }).with_gate(Gate::Hebb)
    },
    "th_wta_losers" => Rule::hard_wta()
        .with_competition(Competition::KWinners { k: 1, losers: case.number("lfb_value")? }),
    "pswta" => Rule::swta().with_competition(Competition::PowerSoftmax { power: case.number("p")? }),
    "hpca_linear" | "hpca_relu" | "hpca_tanh" | "hpca_linear_nostep" => {
        Rule::hpca(activation(case)?).with_scale(adaptive_step(case)?)
    },
    "hpca_wavg" => Rule::hpca(Activation::Linear).with_reduction(Reduction::Weighted),
    "hpca_lrncmp_false" => Rule::hpca(Activation::Linear).with_competition(Competition::Activity),
    "hpca_gatebase_lrncmp_false" => Rule::hpca(Activation::Linear)
        .with_competition(Competition::Activity)
        .with_gate(Gate::Competition),
    "oja" => Rule::oja().with_scale(adaptive_step(case)?),
    "hpcarepo_linear" => Rule::sanger(),
    "hpcarepo_relu" => Rule::sanger().with_activation(Activation::Relu),
    "hpcarepo_linear_wavg" => Rule::sanger().with_reduction(Reduction::Weighted),
    "th_wta_gauss" => Rule::hard_wta().with_similarity(Similarity::Gaussian { sigma: None }),
    "gate_diff_softwta" => Rule::instar()
        .with_competition(Competition::Softmax { temperature: 1.0 })
        .with_gate(Gate::Difference),
    "gate_smax" => winners(case)?
        .with_recurrence(Recurrence::Instar)
        .with_reduction(Reduction::Mean)
        .with_gate(Gate::SoftmaxDifference),
    "hpca_yprime_tanh" => Rule::hpca(Activation::Tanh).with_gate(Gate::Derivative),
    "ica_true" => ica(false, false),
    "hica_true" => ica(true, false),
    "ica_nrm_true" => ica(false, true),
    "hica_nrm_true" => ica(true, true),
    "ica_factory" => ica_of_factory(false, false),
    "hica_factory" => ica_of_factory(true, false),
    "ica_nrm_factory" => ica_of_factory(false, true),
    "hica_nrm_factory" => ica_of_factory(true, true),
    "ica_gatehebb" => ica_of_factory(false, false).with_gate(Gate::Hebb),
    "hica_gatehebb" => ica_of_factory(true, false).with_gate(Gate::Hebb),
    "ica_nrm_gatehebb" => ica_of_factory(false, true).with_gate(Gate::Hebb),
    "hica_nrm_gatehebb" => ica_of_factory(true, true).with_gate(Gate::Hebb),
    "ica_nrm_factory_varadaptive" => ica_of_factory(false, true).with_variance(variance(case)),
    "hpca_varadaptive_tanh" => Rule::hpca_adaptive().with_variance(variance(case)),
    "softhebb_linear_soft_bias" => {
        let temperature = temperature(case)?;
        soft_hebb(case)?.with_competition(Competition::Softmax { temperature }).with_bias(Bias::LogPrior)
    },
    "ica_complement_split" => Rule::ica(case.number("ratio")?).with_scale(Scale::InverseSqrtFanIn),
    "softhebb_demo"
    | "softhebb_demo_nopad"
    | "softhebb_demo_radius25"
    | "softhebb_conv_antihebb"
    | "softhebb_conv_antihebb_power1"
    | "softhebb_conv_stride2"
    | "softhebb_linear_antihebb"
    | "softhebb_conv_antihebb_zeropad_constlr" => soft_hebb(case)?,
    "softhebb_conv_soft" | "softhebb_linear_soft" => {
        let rule = soft_hebb(case)?;
        let temperature = temperature(case)?;
        rule.with_competition(Competition::Softmax { temperature })
    },
    "softhebb_conv_hard" | "softhebb_linear_hard" => {
        soft_hebb(case)?.with_competition(Competition::KWinners { k: 1, losers: 0.0 })
    },
    "fh_som_gauss" | "th_som_gauss" => som(case, Neighborhood::Gaussian)?,
    "fh_som_dog" | "th_som_dog" => som(case, Neighborhood::DifferenceOfGaussians)?,
    "th_som_exp" => som(case, Neighborhood::Exponential)?,
    "th_som_doe" => som(case, Neighborhood::DifferenceOfExponentials)?,
    "fh_teacher_final" | "th_teacher_fc" | "th_teacher_conv3" => Rule::teacher(),
    "th_teacher_fc_hebb" => Rule::teacher().with_gate(Gate::Hebb),
    "th_teacher_competitive" => Rule::hard_wta().with_teacher(Teacher::PerNeuron),
    "fh_teacher_groups_rcos_kwta" => Rule::hard_wta().with_teacher(class_groups(case)?),
    "fh_teacher_groups_eswta" => {
        soft(case)?.with_reduction(Reduction::Mean).with_teacher(class_groups(case)?)
    },
    "fh_teacher_groups_hpca" => Rule::hpca(Activation::Linear).with_teacher(class_groups(case)?),
}

/// What the reference class of the family hands on.
fn output(case: &Case) -> Result<Output, String> {
    Ok(match case.family.as_str() {
        "hwta_factory_eswta" | "hwta_factory_kwta" => Output::relu_projection(),
        "th_wta_cos" => Output::relu_cosine(),
        "hwta_cos_kwta" | "pswta" | "fh_teacher_final" | "fh_teacher_groups_rcos_kwta" => {
            Output::projection()
        }
        "th_wta_dot" | "th_wta_gauss" => Output::default(),
        family
            if ["th_wta", "th_teacher", "th_som", "fh_som"].iter().any(|start| family.starts_with(start)) =>
        {
            Output::projection()
        }
        "hpca_varadaptive_tanh" | "ica_nrm_factory_varadaptive" => {
            Output::new(Similarity::Dot, Activation::Tanh).with_variance(variance(case))
        }
        "hpca_yprime_tanh" => Output::new(Similarity::Dot, Activation::Tanh),
        family if family.starts_with("ica") || family.starts_with("hica") => {
            let sub_gaussian = case.number("ratio").unwrap_or(0.0);
            Output::new(Similarity::Dot, Activation::Score { sub_gaussian })
        }
        "hebb_plain_relu" | "hpcarepo_relu" => Output::new(Similarity::Dot, Activation::Relu),
        "hpca_linear" | "hpca_relu" | "hpca_tanh" | "hpca_linear_nostep" => {
            Output::new(Similarity::Dot, activation(case)?)
        }
        _ => Output::default(),
    })
}

/// The reference's defaults where `hyper` names none.
fn variance(case: &Case) -> Variance {
    let momentum = case.number("beta").unwrap_or(0.1);
    Variance::Running { momentum, epsilon: case.number("eps").unwrap_or(1e-5) }
}

fn adaptive_step(case: &Case) -> Result<Scale, String> {
    Ok(if case.flag("adaptive_step")? { Scale::InverseSqrtFanIn } else { Scale::None })
}

/// The activation that `hyper` names; linear where it names none.
fn activation(case: &Case) -> Result<Activation, String> {
    match case.text("activation").unwrap_or("linear") {
        "linear" => Ok(Activation::Linear),
        "relu" => Ok(Activation::Relu),
        "tanh" => Ok(Activation::Tanh),
        other => Err(format!("hyper.activation: `{other}` is unknown")),
    }
}

fn softmax(case: &Case) -> Result<Competition, String> {
    Ok(Competition::Softmax { temperature: case.number("temperature")? })
}

/// Winners by dot product; one where `hyper` gives no number.
fn winners(case: &Case) -> Result<Rule, String> {
    let k = case.integer("k").unwrap_or(1);
    Ok(Rule::k_wta(k).with_similarity(Similarity::Dot))
}

fn soft(case: &Case) -> Result<Rule, String> {
    Ok(Rule::swta().with_similarity(Similarity::Dot).with_competition(softmax(case)?))
}

fn class_groups(case: &Case) -> Result<Teacher, String> {
    Ok(Teacher::ClassGroups {
        classes: case.integer("classes")?,
        per_class: case.integer("teacher_distrib")?,
        order: GroupOrder::FreeFirst,
    })
}

/// The textbook's independent component analysis, divided by the root of the fan-in.
fn ica(hierarchical: bool, normalized: bool) -> Rule {
    let recombination = Recombination::Similarity;
    Rule::ica(0.0)
        .with_recurrence(Recurrence::Ica { hierarchical, normalized, recombination })
        .with_scale(Scale::InverseSqrtFanIn)
}

/// As the reference's factory builds it: no competition, and activities recombined.
fn ica_of_factory(hierarchical: bool, normalized: bool) -> Rule {
    let recombination = Recombination::Activity;
    ica(hierarchical, normalized)
        .with_recurrence(Recurrence::Ica { hierarchical, normalized, recombination })
        .with_competition(Competition::None)
}

/// `hyper` gives the inverse; a hard competition has none.
fn temperature(case: &Case) -> Result<f64, String> {
    Ok(case.number("t_invert")?.recip())
}

fn soft_hebb(case: &Case) -> Result<Rule, String> {
    let rule = Rule::soft_hebb(temperature(case).unwrap_or(1.0));
    let constant = case.flag("adaptive_lr").is_ok_and(|adaptive| !adaptive);
    Ok(if constant {
        rule.with_rate(Rate::One)
    } else {
        rule.with_rate(Rate::NormDeviation { power: case.number("power_lr")? })
    })
}

/// The map's own radius is the reference's `sigma`.
fn som(case: &Case, neighborhood: Neighborhood) -> Result<Rule, String> {
    let size = case.integers("map")?;
    Ok(Rule::hard_wta().with_lateral(Lateral::Map {
        size,
        neighborhood,
        sigma: None,
        tau: case.number("tau")?,
    }))
}
