//! What a step of a layer on plain tensors refuses, and what it says.

use alloc::string::{String, ToString};

use burn::tensor::{Device, Tensor};

use crate::{Activity, DenseView, Factors, Finish, LocalRule, Reduction, Rule, Signals};

fn view() -> DenseView {
    DenseView::from_data([[1.0, 0.0], [0.5, 2.0]], [[1.0, 1.0]], &Device::flex())
}

fn refused(view: &DenseView, rule: &dyn LocalRule) -> String {
    view.step(rule, Signals::none()).err().map(|error| error.to_string()).unwrap_or_default()
}

#[test]
#[should_panic = "dense view: inputs have 3 values, neurons 2 weights"]
fn inputs_of_another_length() {
    drop(DenseView::from_data([[1.0, 0.0]], [[1.0, 1.0, 1.0]], &Device::flex()));
}

#[test]
fn no_inputs() {
    let device = Device::flex();
    let none = DenseView::new(Tensor::ones([2, 3], &device), Tensor::ones([0, 3], &device));
    assert_eq!(refused(&none, &Rule::oja()), "nothing can be learned from no inputs");
}

#[test]
fn more_winners_than_neurons() {
    let message = refused(&view(), &Rule::k_wta(3));
    assert!(message.contains("got 3"), "{message}");
}

#[test]
fn a_state_of_another_length() {
    let one = Tensor::from_floats([1.0], &Device::flex());
    let message = refused(&view().with_state(one), &Rule::bcm());
    assert!(
        message.starts_with("state: the rule states ") && message.ends_with("values, got 1"),
        "{message}"
    );
}

/// A rule with a mean by its neurons' mass that hands over none.
#[derive(Debug)]
struct Massless;

impl LocalRule for Massless {
    fn factors(&self, activity: &Activity) -> Factors {
        Factors::new(activity.dot())
    }

    fn finish(&self) -> Finish {
        Finish { reduction: Reduction::Weighted, ..Finish::default() }
    }
}

#[test]
fn a_weighted_mean_without_mass() {
    assert_eq!(
        refused(&view(), &Massless),
        "a weighted reduction divides by Factors::with_mass_of, got none"
    );
}

#[test]
fn a_bias_to_learn_without_one() {
    let rule = Rule::soft_hebb(1.0).with_bias(crate::Bias::LogPrior);
    assert_eq!(refused(&view(), &rule), "this rule learns the bias: give one by `with_bias`");
    let with_bias = view().with_bias(Tensor::zeros([2], &Device::flex()));
    assert_eq!(refused(&with_bias, &rule), "");
}
