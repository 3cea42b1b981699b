//! The code against a loop that sorts, in `f64`.

use burn::tensor::{Device, Tensor, TensorData, Tolerance, module::avg_pool2d, ops::AvgPoolOptions};

use super::{NearestCode, portable};

/// Images, neurons, positions; all differ, and positions fill no whole lanes.
const SIZES: [usize; 3] = [3, 41, 23];

/// Numbers without a pattern, some of them equal.
fn similarities([n, neurons, positions]: [usize; 3]) -> Vec<f32> {
    let number = |i: usize| ((i * 7919 + 13) % 211) as f32 / 37.0 - 2.5;
    (0..n * neurons * positions).map(number).collect()
}

fn tensor<const D: usize>(values: &[f32], dims: [usize; D]) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values.to_vec(), dims), &Device::flex())
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

/// `[n, 2 · neurons, positions]`, position by position: sorted distances to the patch, then to its negative.
fn expected(s: &[f32], [n, neurons, positions]: [usize; 3], near: usize) -> Vec<f32> {
    let mut code = vec![0.0; 2 * n * neurons * positions];
    for image in 0..n {
        for position in 0..positions {
            for sign in 0..2 {
                let of = |neuron: usize| {
                    let s = f64::from(s[(image * neurons + neuron) * positions + position]);
                    // ‖x − w‖² of neurons of length 1, less what all have in common
                    if sign == 0 { -2.0 * s } else { 2.0 * s }
                };
                let mut distances: Vec<f64> = (0..neurons).map(of).collect();
                distances.sort_by(f64::total_cmp);
                let farthest = distances[near - 1];
                for neuron in 0..neurons {
                    let bit = if of(neuron) <= farthest { 1.0 } else { 0.0 };
                    code[((image * 2 + sign) * neurons + neuron) * positions + position] = bit;
                }
            }
        }
    }
    code
}

#[test]
fn codes_are_those_of_sorted_distances() {
    let s = similarities(SIZES);
    for share in [0.0, 0.1, 0.4, 0.5, 0.8, 1.0] {
        let code = NearestCode::new(share).unwrap();
        let near = code.near(SIZES[1]);
        let expected = expected(&s, SIZES, near);
        assert_eq!(values(code.apply(tensor(&s, SIZES))), expected, "flex, {share}");
        assert_eq!(values(portable::code(tensor(&s, SIZES), near)), expected, "portable, {share}");
    }
}

#[test]
fn as_many_are_near_as_the_share_says() {
    let code = NearestCode::new(0.4).unwrap();
    assert_eq!([1, 2, 5, 512, 2048].map(|neurons| code.near(neurons)), [1, 1, 2, 205, 819]);
    assert_eq!(NearestCode::new(0.0).unwrap().near(7), 1);
    let error = NearestCode::new(1.5).unwrap_err().to_string();
    assert_eq!(error, "share of near neurons: must be in 0..=1, got 1.5");
    let distinct: Vec<f32> = (0..300).map(|i| ((i * 7) % 300) as f32).collect();
    let ones = values(code.apply(tensor(&distinct, [1, 300]))).iter().sum::<f32>();
    assert_eq!(ones, 240.0, "120 of each sign");
}

/// Images of 5 × 7 positions.
#[test]
fn windows_are_averaged_as_burns_pooling_does() {
    let s = tensor(&similarities([2, 19, 35]), [2, 19, 5, 7]);
    let code = NearestCode::new(0.4).unwrap();
    for (size, stride) in [(2, 1), (3, 2), (5, 5), (1, 1)] {
        let options = AvgPoolOptions::new([size; 2]).with_stride([stride; 2]);
        let expected = avg_pool2d(code.apply(s.clone()), options).into_data();
        let found = code.pooled(s.clone(), size, stride).into_data();
        assert_eq!(found.shape(), expected.shape());
        found.assert_approx_eq::<f32>(&expected, Tolerance::absolute(1e-6));
    }
}

#[test]
fn what_cannot_be_compared_stays_so() {
    let mut s = similarities([1, 5, 3]);
    s[4] = f32::NAN; // neuron 1 at position 1
    let code = NearestCode::new(0.4).unwrap();
    let by_portable = portable::code(tensor(&s, [1, 5, 3]), 2);
    for found in [code.apply(tensor(&s, [1, 5, 3])), by_portable] {
        for (at, bit) in values(found).into_iter().enumerate() {
            assert_eq!(bit.is_nan(), at % 3 == 1, "{at}: {bit}");
        }
    }
}

#[test]
fn no_gradient_passes() {
    let device = Device::flex().autodiff();
    let s = Tensor::<2>::from_data([[1.0, 2.0, 3.0]], &device).require_grad();
    let y = NearestCode::new(0.4).unwrap().apply(s.clone());
    assert!(y.is_autodiff());
    let grads = ((y * 2.0).sum() + s.clone().sum()).backward();
    assert_eq!(values(s.grad(&grads).unwrap()), [1.0; 3]);
}
