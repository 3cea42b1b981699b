use burn_hebbian_core::{Activation, LocalRule, RecurrenceMask, Rule};

use super::*;
use crate::fused::pointwise::{Neurons, Patch, inverse_norm};

/// Sizes that fill no block, against loops in twice the precision.
#[test]
fn sums_are_those_of_loops() {
    let numbers =
        |count: usize, step: f32| -> Vec<f32> { (0..count).map(|i| (i as f32 * step).sin()).collect() };
    for (images, fan_in, neurons) in [(1, 1, 2), (3, 5, 17), (2, 70, 130), (32, 9, 33)] {
        let (x, w) = (numbers(images * fan_in, 0.37), numbers(fan_in * neurons, 0.71));
        let rules = [Rule::swta(), Rule::hebb(), Rule::oja(), Rule::soft_hebb(0.5)];
        let recurrent = [Rule::hpca(Activation::Relu), Rule::sanger(), Rule::subspace()];
        for rule in rules.into_iter().chain(recurrent) {
            let stages = Pointwise::of(rule.pointwise().expect("pointwise")).expect("can be fused");
            let job = LinearJob::new([images, fan_in], neurons, stages.clone()).expect("few images");
            let [dot, taught, mass] = job.compute(&x, &w);
            let products = job.products();
            let correlation = products.values(&x, &w, &taught);
            assert_bounded(&products.bounds(&x, &taught), &correlation);
            assert_descends(&products, &x, &w, &taught, &correlation);
            let at = |i: usize, k: usize| -> f64 {
                let products = |f: usize| f64::from(x[i * fan_in + f]) * f64::from(w[f * neurons + k]);
                (0..fan_in).map(products).sum()
            };
            for (place, dot) in dot.iter().enumerate() {
                assert!((f64::from(*dot) - at(place / neurons, place % neurons)).abs() < 1e-5);
            }
            // the same rule on the responses, neuron by neuron
            let norm = |k: usize| (0..fan_in).map(|f| w[f * neurons + k].powi(2)).sum::<f32>();
            let inverse_norms: Vec<f32> = (0..neurons).map(|k| inverse_norm(norm(k))).collect();
            let [mut decay, mut total] = [(); 2].map(|()| vec![0.0; neurons]);
            let (mut c, mut y) = (dot.clone(), vec![0.0; dot.len()]);
            let rows = c.chunks_exact_mut(neurons).zip(y.chunks_exact_mut(neurons));
            for ((values, activity), x) in rows.zip(x.chunks_exact(fan_in)) {
                let energy = x.iter().map(|x| x * x).sum();
                let mut sums = Neurons { inverse_norms: &inverse_norms, decay: &mut decay, mass: &mut total };
                stages.hold(Patch { energy, values, activity }, &mut sums);
            }
            for (place, got) in correlation.iter().enumerate() {
                let (f, k) = (place / neurons, place % neurons);
                let products = |i: usize| f64::from(x[i * fan_in + f]) * f64::from(c[i * neurons + k]);
                let taken = |j: usize| -> f64 {
                    let k_j = |i: usize| f64::from(c[i * neurons + k]) * f64::from(y[i * neurons + j]);
                    (0..images).map(k_j).sum::<f64>() * f64::from(w[f * neurons + j])
                };
                let others = match stages.recurrence() {
                    None => 0..0,
                    Some(RecurrenceMask::LowerTriangle) => 0..k + 1,
                    Some(_) => 0..neurons,
                };
                let exact = (0..images).map(products).sum::<f64>()
                    - f64::from(decay[k]) * f64::from(w[place])
                    - others.map(taken).sum::<f64>();
                assert!((f64::from(*got) - exact).abs() < 1e-4 * exact.abs().max(1.0), "{got} for {exact}");
            }
            assert!(mass.iter().zip(&total).all(|(a, b)| (a - b).abs() <= 1e-4 * b.abs().max(1.0)));
        }
    }
}

/// No sum is larger than is said without making it.
fn assert_bounded(bounds: &[f32], sums: &[f32]) {
    for (place, sum) in sums.iter().enumerate() {
        let bound = bounds[place % bounds.len()];
        assert!(sum.abs() <= bound && bound.is_finite(), "{sum}, at most {bound}");
    }
}

/// Row by row while the weight changes as from the sums made before: to the bit.
fn assert_descends(products: &Products, x: &[f32], w: &[f32], taught: &[f32], sums: &[f32]) {
    let mut stepped = w.to_vec();
    products.descend(&mut stepped, x, taught, |row, w, of_row| {
        assert_eq!(of_row, &sums[row * w.len()..][..w.len()]);
        w.iter_mut().zip(of_row).for_each(|(w, sum)| *w -= 0.1 * sum);
    });
    let expected = w.iter().zip(sums).map(|(w, sum)| w - 0.1 * sum);
    assert!(stepped.iter().zip(expected).all(|(stepped, expected)| *stepped == expected));
}

/// What is not known to be finite is not said to be.
#[test]
fn bounds_pass_on_what_is_not_finite() {
    let rule = Pointwise::of(Rule::hebb().pointwise().expect("pointwise")).expect("can be fused");
    let job = LinearJob::new([2, 3], 2, rule).expect("few images");
    let w = [0.5; 6];
    for (broken, infinite) in [(f32::NAN, false), (f32::INFINITY, true), (1e30, true)] {
        let x = [1.0, 2.0, 3.0, 4.0, broken, 6.0];
        let [_, taught, _] = job.compute(&x, &w);
        let bounds = job.products().bounds(&x, &taught);
        assert!(bounds.iter().all(|bound| if infinite { *bound == f32::INFINITY } else { bound.is_nan() }));
    }
}
