//! Bad input: refused with the value and the place, and nothing is learned from it.

use burn::{
    nn::{LinearConfig, conv::Conv2dConfig},
    optim::SgdConfig,
    tensor::{Device, Tensor},
};
use burn_hebbian::{
    feedback::{
        Chain, CostFunction, DualForm, DualPropagation, FeedbackError, Method, Phase, Pool, Settling, Sides,
    },
    nn::{Output, StatePair},
    prelude::*,
    rules::Activation,
};
use burn_hebbian_tests::values::tensor;

use crate::net::{Dense, bound, targets, values};

fn said<T>(result: Result<T, FeedbackError>) -> String {
    result.err().map(|error| error.to_string()).unwrap_or_default()
}

fn batch() -> (Tensor<2>, Tensor<2>) {
    (values(7, [5, 6], 1.0, &Device::flex()), targets(5, 3, &Device::flex()))
}

#[test]
fn chains_whose_shapes_do_not_meet() {
    let device = Device::flex();
    let conv = Local::new(Conv2dConfig::new([3, 8], [3, 3]).init(&device));
    let fc = Local::new(LinearConfig::new(72, 10).init(&device));
    let shapes = |chain: Chain| said(chain.shapes());
    let expected = "chain: edge 1: conv2d: expected [n, 3, height, width], got [1, 2, 8, 8]";
    assert_eq!(shapes(Chain::new([2, 8, 8]).layer(&conv)), expected);
    let flat = "chain: edge 1: conv2d: expected states of 3 axes, channels first, got [192]";
    assert_eq!(shapes(Chain::new([192]).layer(&conv)), flat);
    let wide = "chain: edge 2: linear: expected [.., 72], got [1, 288]";
    assert_eq!(shapes(Chain::new([3, 8, 8]).layer(&conv).layer(&fc)), wide);
    assert_eq!(shapes(Chain::new([3, 8, 8]).pooled(&conv, Pool::max(2)).layer(&fc)), "");
    assert!(
        shapes(Chain::new([3, 8, 8]).pooled(&conv, Pool::max(7))).contains("finds no window in [8, 6, 6]")
    );
    assert!(shapes(Chain::new([3, 2, 8]).layer(&conv)).contains("does not fit into the padded input"));
    assert_eq!(shapes(Chain::new([3, 8, 8])), "chain: it has no layer");
    let bent = fc.clone().with_output(Output::relu_projection());
    assert!(shapes(Chain::new([72]).layer(&bent)).contains("has an output function"));
    let triangle = Chain::new([72]).layer(&fc).with_activation(Activation::Triangle { power: 1.0 });
    assert!(shapes(triangle).contains("depends on the other neurons"));
}

#[test]
fn batches_that_are_not_the_chains() {
    let net = Dense::new(0.5, &Device::flex());
    let (x, y) = batch();
    let method = Settling::default();
    let narrow = said(method.settle(&net.chain(), x.clone().narrow(1, 0, 4), y.clone()));
    assert_eq!(narrow, "chain: expected inputs of [n, [6]], got [5, 4]");
    let few = said(method.settle(&net.chain(), x.clone(), y.clone().narrow(0, 0, 4)));
    assert_eq!(few, "targets: expected [5, 3], got [4, 3]");
    let states = said(net.chain().states(vec![values(1, [5, 5], 1.0, &Device::flex()); 3]));
    assert_eq!(states, "states of layer 2: expected [5, 4], got [5, 5]");
}

#[test]
fn settings_that_make_no_method() {
    let net = Dense::new(0.5, &Device::flex());
    let settle = |method: Settling| said(method.settle(&net.chain(), batch().0, batch().1));
    let beta = said(Settling::equilibrium(Sides::Positive, 0.0, 5, 5));
    assert_eq!(beta, "beta: must be finite and not 0, got 0");
    assert_eq!(settle(Settling::default().with_gamma(1.5)), "gamma: must be in (0, 1], got 1.5");
    assert_eq!(
        settle(Settling::default().with_bound(0.0)),
        "bound of the residual: must be positive and finite, got 0"
    );
    assert_eq!(settle(Settling::of(Vec::new())), "phases: there are none");
    assert_eq!(settle(Settling::of(vec![Phase::free(0)])), "phases: phase 1 has no sweep");
    let teach = |dual: DualPropagation| said(dual.teach(&net.chain(), batch().0, batch().1));
    let dual = |alpha, beta| DualPropagation::new(DualForm::Adjoint, alpha, beta, CostFunction::CrossEntropy);
    assert_eq!(teach(dual(1.5, 1.0)), "alpha: must be in 0..=1, got 1.5");
    assert_eq!(teach(dual(0.5, 0.0)), "beta: must be finite and not 0, got 0");
    let outside = teach(DualPropagation::default().with_sequence(vec![3, 4]));
    assert_eq!(outside, "sequence: layers are counted from 1 to 3, got 4");
    let bent = net.chain().with_output(Activation::Tanh);
    assert!(said(DualPropagation::default().teach(&bent, batch().0, batch().1)).contains("linear output"));
}

#[test]
fn states_that_do_not_settle_teach_nothing() {
    let (x, y) = batch();
    let (net, mut optim) = bound(Dense::new(0.5, &Device::flex()));
    let method = Settling::equilibrium(Sides::Centered, 0.25, 4, 4).unwrap().with_bound(1e-9);
    let (settled, seen) =
        optim.observe(&net, Signals::none(), |net| method.teach(&net.chain(), x.clone(), y.clone())).unwrap();
    match settled {
        Err(FeedbackError::Unsettled { phase: 1, sweeps: 4, residual, bound }) => assert!(residual > bound),
        other => panic!("{other:?}"),
    }
    assert_eq!(seen.unreached().len(), 3);
    assert!(optim.step(0.1, net.clone(), seen.local_only()).is_err());
    // unless that is what was asked for
    let (settled, _) = method.with_fixed_sweeps().learn(&optim, &net, Dense::chain, x, y).unwrap();
    assert!(settled.residual() > 1e-9);
}

#[test]
fn layers_that_do_not_learn_from_states() {
    let (x, y) = batch();
    let net = Dense::new(0.5, &Device::flex());
    let (net, optim) = Plan::new().local(".*", Rule::swta()).init(net, SgdConfig::new()).unwrap();
    let other = said(Settling::default().learn(&optim, &net, Dense::chain, x.clone(), y.clone()));
    assert!(other.starts_with("layer `first`: it was handed states, and learns by Rule"), "{other}");
    let (net, optim) = bound(Dense::new(0.5, &Device::flex()));
    let stranger = net.clone();
    fn of<'m>(_: &'m Dense, net: &'m Dense) -> Chain<'m> {
        net.chain()
    }
    let (report, seen) = optim
        .observe(&net, Signals::none(), |copy| Settling::default().teach(&of(copy, &stranger), x, y))
        .unwrap();
    assert!(report.is_ok());
    assert_eq!(seen.unreached().len(), 3, "only the copy that is observed learns");
}

#[test]
fn states_that_are_no_pair() {
    let device = Device::flex();
    let layer: HebbianLinear = LinearConfig::new(6, 3).init(&device).into();
    let plan = Plan::new().local(".*", LocalTraining::from_given_states());
    let (layer, optim) = plan.init(layer, SgdConfig::new()).unwrap();
    let refused = |below: [usize; 2], above: [usize; 2], weight: f64| {
        let pair = StatePair::new(tensor::<2>(1, below, &device), tensor::<2>(2, above, &device), weight);
        let seen = optim.observe(&layer, Signals::none(), |layer| layer.observe_at(&[pair]));
        seen.err().map(|error| error.to_string()).unwrap_or_default()
    };
    assert_eq!(refused([4, 6], [4, 3], 1.0), "");
    assert!(refused([4, 6], [5, 3], 1.0).ends_with("a state above [4, 6] must be [4, 3], got [5, 3]"));
    assert!(refused([4, 6], [4, 2], 1.0).ends_with("a state above [4, 6] must be [4, 3], got [4, 2]"));
    assert!(refused([4, 6], [4, 3], f64::NAN).ends_with("the weight of a phase must be finite, got NaN"));
}

#[test]
fn signals_whose_positions_are_not_the_layers() {
    let device = Device::flex();
    let conv = Local::new(Conv2dConfig::new([2, 4], [3, 3]).init(&device)).with_rule(Rule::hebb());
    let (conv, optim) = Plan::new().init(conv, SgdConfig::new()).unwrap();
    let learn = |dims: [usize; 4]| {
        let signals = Signals::none().with_apical(Tensor::ones(dims, &device));
        let seen = optim.observe(&conv, signals, |conv| conv.forward(tensor::<4>(1, [3, 2, 6, 5], &device)));
        seen.err().map(|error| error.to_string()).unwrap_or_default()
    };
    assert_eq!(learn([3, 1, 4, 12]), "");
    let error = learn([3, 1, 4, 11]);
    assert!(error.ends_with("expected [1 or images, 1 or 1, 1 or 4, 1 or 12], got [3, 1, 4, 11]"), "{error}");
    assert!(learn([3, 1, 5, 12]).contains("apical signal"));
    assert!(learn([2, 1, 4, 12]).contains("2 rows for 3 images"));
}
