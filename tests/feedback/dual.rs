//! Dual propagation against backprop.

use burn::tensor::{Device, Tensor, activation::relu};
use burn_hebbian::{
    feedback::{Chain, CostFunction, DualForm, DualPropagation, FastDualPropagation, Pool},
    rules::Activation,
};

use crate::net::{Convolutional, Dense, bound, descent, distance, learned, targets, values};

/// So small a nudging that no unit of these nets changes its sign.
const BETA: f64 = 1e-4;

fn dense(net: &Dense) -> Chain<'_> {
    net.chain().with_activation(Activation::Relu)
}

fn convolutional(net: &Convolutional) -> Chain<'_> {
    net.chain(Pool::max(2)).with_activation(Activation::Relu)
}

#[test]
fn both_forms_are_backprop_where_no_unit_changes_sign() {
    let device = Device::flex();
    let (x, y) = (values::<2>(7, [5, 6], 1.0, &device), targets(5, 3, &device));
    let subject = bound(Dense::new(0.8, &device));
    let twin = Dense::new(0.8, &device.clone().autodiff());
    for cost in [CostFunction::CrossEntropy, CostFunction::SquaredError, CostFunction::SumOfSquares] {
        let expected = descent(&twin, cost, twin.forward(x.clone().autodiff(), relu), y.clone());
        let learn = |form, alpha, beta| {
            let method = DualPropagation::new(form, alpha, beta, cost);
            distance(&learned(&method, &subject, dense, x.clone(), y.clone()), &expected)
        };
        for alpha in [0.0, 0.3, 0.5, 1.0] {
            let error = learn(DualForm::Adjoint, alpha, BETA);
            assert!(error < 1e-10, "{cost:?}, α = {alpha}: {error}");
        }
        assert!(learn(DualForm::Original, 0.5, BETA) < 1e-10);
        // its mean leaves the forward state for any other share
        assert!(learn(DualForm::Original, 0.0, BETA) > 1e-7);
    }
}

#[test]
fn pooled_convolutions_learn_as_by_backprop() {
    let device = Device::flex();
    let (x, y) = (values::<4>(9, [3, 2, 8, 6], 1.0, &device), targets(3, 3, &device));
    let twin = Convolutional::new(0.5, &device.clone().autodiff());
    let forward = twin.forward(x.clone().autodiff());
    let expected = descent(&twin, CostFunction::CrossEntropy, forward, y.clone());
    let subject = bound(Convolutional::new(0.5, &device));
    let adjoint = DualPropagation::new(DualForm::Adjoint, 0.5, BETA, CostFunction::CrossEntropy);
    assert!(distance(&learned(&adjoint, &subject, convolutional, x.clone(), y.clone()), &expected) < 1e-9);
    let fast = FastDualPropagation::new(BETA, CostFunction::CrossEntropy);
    assert!(distance(&learned(&fast, &subject, convolutional, x.clone(), y.clone()), &expected) < 1e-9);
    // far from small, units change sign, and it is something else
    let wide = FastDualPropagation::new(100.0, CostFunction::CrossEntropy);
    assert!(distance(&learned(&wide, &subject, convolutional, x, y), &expected) > 1e-3);
}

#[test]
fn repeated_sweeps_are_followed() {
    let device = Device::flex();
    let (x, y) = (values::<2>(7, [5, 6], 1.0, &device), targets(5, 3, &device));
    let subject = bound(Dense::new(0.8, &device));
    let learn = |sequence: Vec<usize>| {
        let method = DualPropagation::default().with_sequence(sequence);
        learned(&method, &subject, dense, x.clone(), y.clone())
    };
    let down = learned(&DualPropagation::default(), &subject, dense, x.clone(), y.clone());
    assert_eq!(learn(vec![3, 2, 1]), down);
    assert_ne!(learn(vec![3, 2, 1, 2, 3, 2, 1]), down);
    let nothing: Tensor<1> = Tensor::from_data(learn(vec![1, 2]).as_slice(), &device);
    assert_eq!(nothing.abs().sum().into_scalar::<f32>(), 0.0, "no output, no error");
}
