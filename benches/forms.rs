//! The forms of the correlation and of the recurrence over neurons, and which of them layers choose.
//!
//! `cargo bench -p burn-hebbian-benches --bench forms [-- ROUNDS [NAME]]`: medians of so many rounds (15), for the shapes
//! whose name contains NAME.

use burn::tensor::{Device, Distribution, Tensor};
use burn_hebbian::{
    nn::{
        forms::{Forms, RecurrenceForm},
        internals::recurrence_product,
    },
    prelude::*,
    rules::{MatrixRecurrence, RecurrenceMask, WeightLayout},
};
use burn_hebbian_benches::{
    alternatives::{ALLOWED, asked, median, medians},
    grid::{CASES, Case, FORMS},
};

fn main() {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let (rounds, name) = asked();
    println!(
        "flex (rayon, simd), {threads} threads, medians of {rounds} rounds, times in multiples of the best form's"
    );
    correlations(rounds, &name);
    recurrences(rounds, &name);
}

fn correlations(rounds: usize, name: &str) {
    let mut table = Table::new("correlation", FORMS.map(|form| format!("{form:?}")).to_vec());
    for case in CASES.iter().filter(|case| case.to_string().contains(name)) {
        let (chosen, times) = correlation(case, rounds);
        table.row(&case.to_string(), &times, chosen);
    }
    table.finish();
}

/// The place of the chosen form, and every form's time.
fn correlation(case: &Case, rounds: usize) -> (usize, Vec<f64>) {
    let device = Device::flex();
    let (conv, x, c) = (case.conv(&device), case.input(&device), case.coefficients(&device));
    let chosen = Local::new(conv.clone()).correlation_form(x.dims());
    let runs = FORMS.map(|form| {
        let forms = Forms { correlation: Some(form), ..Forms::default() };
        let layer = Local::new(conv.clone()).with_forms(forms);
        let (x, c) = (x.clone(), c.clone());
        move || drop(layer.correlate(x.clone(), c.clone()))
    });
    let chosen = FORMS.iter().position(|form| *form == chosen);
    (chosen.expect("one of all"), medians(rounds, &runs))
}

/// Neurons, fan-in and patches.
const RECURRENCES: [[usize; 3]; 13] = [
    [4096, 1024, 64],
    [1024, 1024, 1],
    [1024, 1024, 64],
    [1024, 1024, 512],
    [1024, 1024, 2048],
    [512, 2304, 64],
    [256, 512, 64],
    [96, 75, 50176],
    [128, 864, 9216],
    [192, 1152, 6400],
    [256, 1728, 576],
    [512, 4608, 196],
    [1536, 3456, 490],
];

fn recurrences(rounds: usize, name: &str) {
    // of a full matrix there is no triangle
    let subspace = [RecurrenceForm::Gram, RecurrenceForm::Accumulated];
    recurrences_of("subspace", RecurrenceMask::Full, &subspace, rounds, name);
    recurrences_of("Sanger", RecurrenceMask::LowerTriangle, &RecurrenceForm::ALL, rounds, name);
}

fn recurrences_of(what: &str, mask: RecurrenceMask, forms: &[RecurrenceForm], rounds: usize, name: &str) {
    let mut table = Table::new(what, forms.iter().map(|form| format!("{form:?}")).collect());
    for sizes @ [neurons, fan_in, patches] in RECURRENCES {
        let shape = format!("{what} {neurons} neurons, fan-in {fan_in}, {patches} patches");
        if shape.contains(name) {
            let (chosen, times) = recurrence(sizes, mask, forms, rounds);
            table.row(&shape, &times, chosen);
        }
    }
    table.finish();
}

/// The place of the chosen form, and every form's time.
fn recurrence(
    [neurons, fan_in, patches]: [usize; 3],
    mask: RecurrenceMask,
    forms: &[RecurrenceForm],
    rounds: usize,
) -> (usize, Vec<f64>) {
    let normal =
        |dims: [usize; 4]| Tensor::<4>::random(dims, Distribution::Normal(0.0, 1.0), &Device::flex());
    let layout = WeightLayout { groups: 1, before: 1, neurons, after: fan_in };
    let factor = || normal([patches, 1, neurons, 1]);
    let matrix = MatrixRecurrence { left: factor(), right: factor(), mask };
    let weight = normal(layout.dims());
    let run = |form: &RecurrenceForm| {
        let (weight, matrix, form) = (weight.clone(), matrix.clone(), *form);
        move || drop(recurrence_product(&layout, weight.clone(), matrix.clone(), Some(form)))
    };
    let runs: Vec<_> = forms.iter().map(run).collect();
    let chosen = RecurrenceForm::cheapest(&layout, &matrix);
    let chosen = forms.iter().position(|form| *form == chosen);
    (chosen.expect("one of all"), medians(rounds, &runs))
}

/// Prints rows as they come, and at the end how far the choices are from the best.
struct Table {
    what: String,
    forms: Vec<String>,
    regrets: Vec<f64>,
}

impl Table {
    fn new(what: &str, forms: Vec<String>) -> Self {
        Self { what: what.to_string(), forms, regrets: Vec::new() }
    }

    fn head(&self) {
        println!("\n| {} | {} | chosen |", self.what, self.forms.join(" | "));
        println!("|---|{}---|", "---|".repeat(self.forms.len()));
    }

    fn row(&mut self, shape: &str, times: &[f64], chosen: usize) {
        if self.regrets.is_empty() {
            self.head();
        }
        let best = times.iter().copied().fold(f64::INFINITY, f64::min);
        let mark = |(form, time): (usize, &f64)| {
            let mark = if form == chosen { "**" } else { "" };
            format!("{mark}{:.2}{mark}", time / best)
        };
        let cells: Vec<String> = times.iter().enumerate().map(mark).collect();
        let regret = times[chosen] / best;
        println!("| {shape} | {} | {} {regret:.2} |", cells.join(" | "), self.forms[chosen]);
        self.regrets.push(regret);
    }

    fn finish(self) {
        if self.regrets.is_empty() {
            return;
        }
        let within = self.regrets.iter().filter(|regret| **regret <= ALLOWED).count();
        let worst = self.regrets.iter().copied().fold(1.0, f64::max);
        let all = self.regrets.len();
        let median = median(self.regrets);
        println!("\nwithin 10 % of the best: {within} of {all}; median {median:.2}, worst {worst:.2}");
    }
}
