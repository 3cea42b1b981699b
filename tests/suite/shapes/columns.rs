//! Linear layers whose weight is stored column by column.

use burn::{
    module::{Module, Param},
    nn::{Linear, LinearConfig, LinearLayout},
    tensor::{DType, Device, Tensor},
};
use burn_hebbian::{
    nn::observe::{GradientFlow, collect},
    prelude::*,
    rules::WeightLayout,
};
use burn_hebbian_tests::values::{assert_close, tensor, vec};
use libtest_mimic::Trial;

use super::{Cast, message, observed};
use crate::{on_flex, rules::rules};

pub(super) fn trials() -> Vec<Trial> {
    vec![
        on_flex("shapes::columns_first_forward", columns_first_forward),
        on_flex("shapes::columns_first_learn", columns_first_learn),
        on_flex("shapes::columns_first_records", columns_first_records),
    ]
}

fn columns_first(bias: bool, device: &Device) -> Linear {
    LinearConfig::new(4, 3).with_bias(bias).with_layout(LinearLayout::Col).init(device)
}

fn columns_first_forward(device: &Device) {
    for bias in [true, false] {
        let plain = columns_first(bias, device);
        let local = Local::new(plain.clone());
        let x = tensor::<3>(1, [2, 5, 4], device);
        assert_close(
            "before the first use",
            &vec(local.forward(x.clone())),
            &vec(plain.forward(x.clone())),
            1e-6,
        );
        assert_close("after", &vec(local.forward(x.clone())), &vec(plain.forward(x)), 1e-6);
        let got = message(|| local.forward(Tensor::<2>::ones([5, 3], device)));
        assert_eq!(got, "linear: expected [.., 4], got [5, 3]");
    }
}

/// As a layer of rows does, whether its weight was used before or not.
fn columns_first_learn(device: &Device) {
    for (name, rule) in rules(3) {
        let local = Local::new(columns_first(false, device)).with_rule(rule.clone());
        let announced =
            || collect(|| local.visit(&mut Nothing)).1.layers.pop().expect("a local layer").layout;
        let expected = WeightLayout { groups: 1, before: 4, neurons: 3, after: 1 };
        assert_eq!(announced(), expected, "{name}, before the first use");
        let x = tensor::<2>(1, [6, 4], device);
        let (_, got) = observed(&local, rule.clone(), GradientFlow::Block, |local| local.forward(x.clone()));
        assert_eq!(announced(), expected, "{name}, after");
        let mut rows = LinearConfig::new(4, 3).with_bias(false).init(device);
        rows.weight = Param::from_data(local.layer().weight.val().into_data(), device);
        let rows = Local::new(rows).with_rule(rule.clone());
        let (_, rows) = observed(&rows, rule.clone(), GradientFlow::Block, |rows| rows.forward(x));
        assert_close(name, &vec(got.numerator.into_values()), &vec(rows.numerator.into_values()), 1e-6);
    }
}

struct Nothing;

impl burn::module::ModuleVisitor for Nothing {}

fn columns_first_records(device: &Device) {
    let x = || tensor::<2>(1, [5, 4], device);
    for bias in [true, false] {
        let plain = columns_first(bias, device);
        let expected = vec(plain.forward(x()));
        let record = || plain.clone().into_record();
        let local = Local::new(columns_first(bias, device)).with_rule(Rule::swta());
        drop(collect(|| local.visit(&mut Nothing)));
        let local = local.load_record(record());
        assert_close("plain into local", &vec(local.forward(x())), &expected, 1e-6);
        let back = columns_first(bias, device).load_record(local.into_record());
        assert_close("local into plain", &vec(back.forward(x())), &expected, 1e-6);
        let again = Local::new(columns_first(bias, device)).load_record(record());
        let again = again.map(&mut Cast(DType::F32));
        assert_close("mapped", &vec(again.forward(x())), &expected, 1e-6);
    }
}
