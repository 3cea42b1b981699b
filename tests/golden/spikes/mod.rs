//! Golden vectors of spikes: neurons, STDP, first-spike layers, computed by the authors' own code.
//!
//! Every case of the folder `HEBBIAN_GOLDEN_SPIKES`, or of `../shared/golden-spikes` beside the project; without either the test is
//! listed as ignored. A family and its settings become a public configuration; what comes out is compared, nothing else.

mod case;
mod layers;
mod neurons;
mod pairs;
mod rank_order;
mod rewarded;
mod thresholds;

use std::{env, path::PathBuf};

use libtest_mimic::{Failed, Trial};

use case::{Case, load_cases};

/// What became of a case.
enum Outcome {
    Passed,
    /// There is nothing here that it could be compared with.
    NotYet,
}

pub(crate) fn trial() -> Trial {
    let absent = folder().is_none();
    Trial::test("golden_spikes", golden_spikes).with_ignored_flag(absent)
}

/// The folder of all cases, or `None` if it was not asked for and is not there.
fn folder() -> Option<PathBuf> {
    let asked = env::var_os("HEBBIAN_GOLDEN_SPIKES").map(PathBuf::from);
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/golden-spikes");
    asked.or_else(|| Some(beside).filter(|beside| beside.is_dir()))
}

fn golden_spikes() -> Result<(), Failed> {
    let folder =
        folder().ok_or("HEBBIAN_GOLDEN_SPIKES is not set and there is no ../shared/golden-spikes")?;
    let (mut passed, mut failed, mut not_yet) = (0, 0, 0);
    for case in load_cases(&folder)? {
        match run(&case) {
            Ok(Outcome::Passed) => passed += 1,
            Ok(Outcome::NotYet) => {
                println!("not yet    {} ({})", case.name, case.family);
                not_yet += 1;
            }
            Err(error) => {
                println!("FAILED     {} ({}): {error}", case.name, case.family);
                failed += 1;
            }
        }
    }
    println!("golden spikes: {passed} passed, {failed} failed, {not_yet} not yet, 0 deviations");
    match (passed, failed) {
        (0, 0) => Err("no golden case was compared".into()),
        (_, 0) => Ok(()),
        _ => Err(format!("{failed} golden cases failed").into()),
    }
}

fn run(case: &Case) -> Result<Outcome, String> {
    let compare: fn(&Case) -> Result<(), String> = match case.family.as_str() {
        "neuron_snntorch" => neurons::snntorch,
        "neuron_spikingjelly_lif" => neurons::spikingjelly_lif,
        "neuron_spikingjelly_if" => neurons::spikingjelly_if,
        "neuron_norse_lif" => neurons::norse_lif,
        "neuron_norse_lif_refrac" => neurons::norse_lif_refrac,
        "neuron_norse_iaf" => neurons::norse_iaf,
        "neuron_bindsnet_lif" => neurons::bindsnet_lif,
        "neuron_bindsnet_if" => neurons::bindsnet_if,
        "stdp_trace" => pairs::stdp_trace,
        "stdp_norse" => pairs::norse,
        "stdp_ngclearn_dense" => pairs::ngclearn_dense,
        "stdp_ngclearn_conv" | "stdp_ngclearn_conv_transposed" => pairs::ngclearn_convolution,
        "stdp_bindsnet" => pairs::bindsnet,
        "fold_identity" => pairs::fold_identity,
        "mstdp" => rewarded::mstdp,
        "mstdpet" => rewarded::mstdpet,
        "rank_encode" => rank_order::encode,
        "rank_stdp" => rank_order::stdp,
        "rank_deep" => rank_order::deep,
        "rank_rstdp" => rank_order::rewarded,
        "adaptive_threshold" => thresholds::adaptive,
        _ => return Ok(Outcome::NotYet),
    };
    compare(case)?;
    match case.compared() {
        0 => Err("nothing was compared".into()),
        _ => Ok(Outcome::Passed),
    }
}
