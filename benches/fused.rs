//! The fused pass against one operation after the other, and both against the products they are made of.
//!
//! `cargo bench -p burn-hebbian-benches --bench fused [-- ROUNDS [NAME]]`: medians of so many rounds (15), for the shapes
//! whose name contains NAME; `scaling` names one layer that grows in every direction.

use burn::tensor::{Device, Distribution, Tensor};
use burn_hebbian::{
    nn::forms::{CorrelationForm, Forms},
    prelude::*,
    rules::Activation,
};
use burn_hebbian_benches::{
    alternatives::{ALLOWED, asked, median, medians},
    grid::{CASES, Case, SCALING},
};

fn main() {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let (rounds, name) = asked();
    println!(
        "flex (rayon, simd), {threads} threads, medians of {rounds} rounds; a step is forward pass and update"
    );
    println!(
        "floor: forward pass and the fastest form of the correlation; products: two, in the layer's sizes"
    );
    for (rule_name, rule) in
        [("SWTA", Rule::swta()), ("HPCA", Rule::hpca(Activation::Relu)), ("Hebb", Rule::hebb())]
    {
        table(rule_name, &rule, rounds, &name);
    }
}

fn table(rule_name: &str, rule: &Rule, rounds: usize, name: &str) {
    println!(
        "\n| {rule_name} | floor, ms | floor / products | parts / floor | fused / floor | fused / products | chosen / better |"
    );
    println!("|---|---|---|---|---|---|---|");
    let mut regrets = Vec::new();
    let cases: &[Case] = if name == "scaling" { &SCALING } else { &CASES };
    for case in cases.iter().filter(|case| case.to_string().contains(name) && case.neurons_of_group() > 1) {
        let Times { floor, products, parts, fused, chosen } = time(case, rule, rounds);
        let regret = chosen / parts.min(fused);
        println!(
            "| {case} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} | {regret:.2} |",
            1e3 * floor,
            floor / products,
            parts / floor,
            fused / floor,
            fused / products,
        );
        regrets.push(regret);
    }
    if !regrets.is_empty() {
        let within = regrets.iter().filter(|regret| **regret <= ALLOWED).count();
        let (all, worst) = (regrets.len(), regrets.iter().copied().fold(0.0, f64::max));
        println!(
            "\nwithin 10 % of the better way: {within} of {all}; median {:.2}, worst {worst:.2}",
            median(regrets)
        );
    }
}

/// Seconds.
struct Times {
    floor: f64,
    products: f64,
    parts: f64,
    fused: f64,
    chosen: f64,
}

fn time(case: &Case, rule: &Rule, rounds: usize) -> Times {
    let device = Device::flex();
    let (conv, x, c) = (case.conv(&device), case.input(&device), case.coefficients(&device));
    let layer = Local::new(conv.clone()).with_rule(rule.clone());
    let form = layer.correlation_form(x.dims());
    let step = |correlation: Option<CorrelationForm>| {
        let forms = Forms { correlation, ..Forms::default() };
        let bound = Plan::new().bind(layer.clone().with_forms(forms));
        let ((layer, plan), x) = (bound.expect("the rule fits"), x.clone());
        move || {
            let observed = plan.observe(&layer, Signals::none(), |layer| layer.forward(x.clone()));
            let (output, seen) = observed.expect("the layer is bound");
            drop((output, plan.finish(layer.clone(), seen.local_only()).expect("finite")));
        }
    };
    let products = products(case, &device);
    let gradient = Local::new(conv.clone());
    let (again, coefficients) = (x.clone(), c.clone());
    let forward = x.clone();
    let alternatives: [Box<dyn Fn()>; 6] = [
        Box::new(move || drop(conv.forward(forward.clone()))),
        Box::new(move || drop(gradient.correlate(again.clone(), coefficients.clone()))),
        Box::new(products),
        Box::new(step(Some(form))),
        Box::new(step(Some(CorrelationForm::Fused))),
        Box::new(step(None)),
    ];
    let times = medians(rounds, &alternatives);
    Times {
        floor: times[0] + times[1],
        products: times[2],
        parts: times[3],
        fused: times[4],
        chosen: times[5],
    }
}

/// Responses and correlation as products of matrices that lie ready.
fn products(case: &Case, device: &Device) -> impl Fn() + use<> {
    let [_, _, height, width] = case.coefficients(device).dims();
    let (groups, neurons) = (case.groups, case.neurons_of_group());
    let fan_in = case.channels[0] / groups * case.kernel * case.kernel;
    let patches = case.batch * height * width;
    let normal = |dims: [usize; 3]| Tensor::<3>::random(dims, Distribution::Normal(0.0, 1.0), device);
    let (w, x) = (normal([groups, neurons, fan_in]), normal([groups, fan_in, patches]));
    let (c, x_transposed) = (normal([groups, neurons, patches]), normal([groups, patches, fan_in]));
    move || {
        drop(w.clone().matmul(x.clone()));
        drop(c.clone().matmul(x_transposed.clone()));
    }
}
