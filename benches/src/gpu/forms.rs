//! The forms of the correlation and of the recurrence over neurons on this device: what the constants of a cost are
//! fitted to.

use burn::tensor::DType;
use burn_hebbian::{
    nn::{
        forms::{CorrelationForm, Forms, RecurrenceForm},
        internals::recurrence_product,
    },
    prelude::*,
    rules::{MatrixRecurrence, RecurrenceMask, WeightLayout},
};

use super::{
    Bench, multiplications,
    report::{Entry, head, ms, row, sizes, times},
};
use crate::grid::{CASES, Case, FORMS};

/// Images of the benches on a CPU, times this.
const BATCHES: usize = 8;

/// Measures and prints both.
pub fn measure(bench: &Bench) {
    correlations(bench);
    recurrences(
        bench,
        "subspace",
        RecurrenceMask::Full,
        &[RecurrenceForm::Gram, RecurrenceForm::Accumulated],
    );
    // of a full matrix there is no triangle
    recurrences(bench, "Sanger", RecurrenceMask::LowerTriangle, &RecurrenceForm::ALL);
}

/// Prints the head of a table of forms.
fn forms_head(what: &str, forms: &[String]) {
    let columns = [what].into_iter().chain(forms.iter().map(String::as_str));
    head(&columns.chain(["best", "chosen", "chosen / best"]).collect::<Vec<_>>());
}

/// Prints a case's times, and how far the choice is from the best.
fn forms_row(case: String, forms: &[String], times_of: &[Option<f64>], chosen: Option<usize>) {
    let known = times_of.iter().zip(forms).filter_map(|(time, form)| time.map(|time| (time, form)));
    let best = known.min_by(|a, b| a.0.total_cmp(&b.0));
    let mut cells = vec![case];
    cells.extend(times_of.iter().map(|time| ms(*time)));
    cells.push(best.map_or("–".into(), |(_, form)| form.clone()));
    cells.push(chosen.map_or("–".into(), |place| forms[place].clone()));
    cells.push(times(chosen.and_then(|place| times_of[place]), best.map(|(time, _)| time)));
    row(&cells);
}

fn correlations(bench: &Bench) {
    let forms = FORMS.map(|form| format!("{form:?}"));
    forms_head("correlation, ms", &forms);
    for case in CASES.iter().map(|case| bench.sized(case, BATCHES * case.batch)) {
        if !bench.takes(&case.to_string()) {
            continue;
        }
        let chosen = Local::new(case.conv(&bench.device)).correlation_form(case.input_dims());
        let times = FORMS.map(|form| correlation(bench, &case, form, form == chosen));
        let chosen = FORMS.iter().position(|form| *form == chosen);
        forms_row(case.to_string(), &forms, &times, chosen);
    }
}

fn correlation(bench: &Bench, case: &Case, form: CorrelationForm, chosen: bool) -> Option<f64> {
    let forms = Forms { correlation: Some(form), ..Forms::default() };
    let layer = Local::new(case.conv(&bench.device)).with_forms(forms);
    let (x, c) = (case.input(&bench.device), case.coefficients(&bench.device));
    let seconds = bench.timer.seconds(|| layer.correlate(x.clone(), c.clone()));
    let (case, flop) = (sizes(case), 2.0 * multiplications(case));
    let what = format!("{form:?}");
    let entry =
        Entry { part: "correlation", case: &case, what: &what, dtype: DType::F32, chosen, seconds, flop };
    bench.csv.add(entry);
    seconds
}

/// Neurons, fan-in and patches.
const RECURRENCES: [[usize; 3]; 12] = [
    [4096, 1024, 64],
    [1024, 1024, 64],
    [1024, 1024, 2048],
    [96, 75, 131_072],
    [384, 864, 32_768],
    [1536, 3456, 640],
    [1536, 3456, 8192],
    [64, 27, 401_408],
    [128, 576, 401_408],
    [256, 2304, 100_352],
    [512, 4608, 25_088],
    [512, 4608, 6272],
];

fn recurrences(bench: &Bench, rule: &str, mask: RecurrenceMask, forms: &[RecurrenceForm]) {
    let names: Vec<String> = forms.iter().map(|form| format!("{form:?}")).collect();
    forms_head(&format!("{rule}, ms"), &names);
    for sizes in RECURRENCES {
        let sizes = if bench.full { sizes } else { sizes.map(|size| size.min(32)) };
        let case = format!("{rule} {} neurons fan-in {} {} patches", sizes[0], sizes[1], sizes[2]);
        if bench.takes(&case) {
            let (chosen, times) = recurrence(bench, &case, sizes, mask, forms);
            forms_row(case, &names, &times, chosen);
        }
    }
}

/// The place of the chosen form, and every form's time.
fn recurrence(
    bench: &Bench,
    case: &str,
    [neurons, fan_in, patches]: [usize; 3],
    mask: RecurrenceMask,
    forms: &[RecurrenceForm],
) -> (Option<usize>, Vec<Option<f64>>) {
    let layout = WeightLayout { groups: 1, before: 1, neurons, after: fan_in };
    let factor = || bench.normal([1, 1, neurons, patches], DType::F32);
    let matrix = MatrixRecurrence { left: factor(), right: factor(), mask };
    let weight = bench.normal(layout.dims(), DType::F32);
    let chosen = RecurrenceForm::cheapest(&layout, &matrix);
    let time = |form: &RecurrenceForm| {
        let run = || recurrence_product(&layout, weight.clone(), matrix.clone(), Some(*form));
        let seconds = bench.timer.seconds(run);
        let what = format!("{form:?}");
        let (chosen, flop) = (*form == chosen, 0.0);
        bench.csv.add(Entry {
            part: "recurrence",
            case,
            what: &what,
            dtype: DType::F32,
            chosen,
            seconds,
            flop,
        });
        seconds
    };
    let times = forms.iter().map(time).collect();
    (forms.iter().position(|form| *form == chosen), times)
}
