//! Sparse directions of whitened natural images.

use crate::data::DataSet;
use anyhow::{Result, ensure};
use burn::tensor::{Distribution, Tensor, TensorData};
use faer::Mat;

use super::{
    Run,
    lesson::{Lesson, after},
    principal::Principal,
    sparseness::{bandwidth, extent, kurtosis},
};
use crate::reproduce::{
    asked::asked,
    config::{Learner, PatchConfig, Study},
    patches::cut,
    results::Score,
};

/// A test patch for so many training patches.
const TEST_SHARE: usize = 5;

/// Whitened patches, as many components as there are neurons.
struct Patches<'a> {
    config: &'a PatchConfig,
    training: Tensor<2>,
    test: Tensor<2>,
    /// What brings weights back to pixels, as whitening without rotation (ZCA) sees them: `[components, values]`.
    pixels: Tensor<2>,
    seed: u64,
}

/// Sparseness of what all rules find, and of directions that none did.
pub(super) fn scores(run: &Run, study: &Study) -> Result<Vec<Score>> {
    let images = study.source.read(run.data)?;
    let learners = asked(&study.learners, |learner| [learner.name.as_str()], run.rows)?;
    let mut scores = vec![];
    for seed in run.seeds.clone() {
        let patches = Patches::new(run, study, &images, seed)?;
        for (name, weights) in patches.controls(study.neurons)? {
            scores.extend(patches.measured(name, "untrained", &weights));
            patches.draw(run, weights, name)?;
        }
        for learner in &learners {
            println!("{}, seed {seed}", learner.name);
            scores.extend(learned(run, study, learner, &patches)?);
        }
    }
    Ok(scores)
}

fn learned(run: &Run, study: &Study, learner: &Learner, patches: &Patches) -> Result<Vec<Score>> {
    let neurons = learner.neurons.unwrap_or(study.neurons);
    let epochs = study.after.last().copied().unwrap_or(0);
    let mut scores = vec![];
    let lesson = Lesson { learner, neurons, rows: &patches.training, epochs, seed: patches.seed };
    lesson.learn(|epoch, weights| {
        if epoch == 0 || study.after.contains(&epoch) {
            let found = patches.measured(&learner.name, &after(epoch), &weights);
            println!("  {}: {:.3}", found[0].evaluation, found[0].test);
            scores.extend(found);
        }
        if epoch == epochs {
            patches.draw(run, weights, &learner.name)?;
        }
        Ok(())
    })?;
    Ok(scores)
}

impl<'a> Patches<'a> {
    fn new(run: &Run, study: &'a Study, images: &DataSet, seed: u64) -> Result<Self> {
        let config = &study.patches;
        let training = cut(&images.training, config.shape(), config.count, seed, &run.device)?;
        let few = config.count.div_ceil(TEST_SHARE);
        let test = cut(&images.test, config.shape(), few, seed, &run.device)?;
        let (principal, neurons) = (Principal::of(training.clone())?, study.neurons);
        let rank = principal.rank();
        ensure!(neurons <= rank, "{neurons} components of patches that vary in {rank} directions");
        Ok(Self {
            config,
            training: principal.whitened(training, neurons),
            test: principal.whitened(test, neurons),
            pixels: principal.first(neurons),
            seed,
        })
    }

    /// Means over neurons `[k, components]`.
    fn measured(&self, row: &str, how: &str, weights: &Tensor<2>) -> Vec<Score> {
        let answers = self.test.clone().matmul(weights.clone().transpose());
        let filters: Vec<f64> = self.filters(weights.clone()).into_data().iter().collect();
        let filters: Vec<&[f64]> = filters.chunks_exact(self.config.values()).collect();
        let extents = filters.iter().map(|filter| extent(filter));
        let bandwidths = filters.iter().map(|filter| bandwidth(filter, self.config.side));
        let score = |measure, values: Vec<f64>| {
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            Score::of(row, "mean of all neurons", how, measure, self.seed, mean)
        };
        vec![
            score("excess kurtosis of answers to test patches", kurtosis(answers)),
            score("share of pixels in use, %", extents.map(|share| 100.0 * share).collect()),
            score("share of frequencies in use, %", bandwidths.map(|share| 100.0 * share).collect()),
        ]
    }

    /// Weights `[k, components]` as filters `[k, values]` on patches whitened without rotation.
    fn filters(&self, weights: Tensor<2>) -> Tensor<2> {
        weights.matmul(self.pixels.clone())
    }

    fn draw(&self, run: &Run, weights: Tensor<2>, name: &str) -> Result<()> {
        run.draw(self.filters(weights), self.config, &format!("{name}-seed-{}", self.seed))
    }

    /// Directions that are white as well, but were not learned.
    fn controls(&self, count: usize) -> Result<[(&'static str, Tensor<2>); 3]> {
        let device = self.training.device();
        device.seed(!self.seed);
        let random = Tensor::random([count, count], Distribution::Normal(0.0, 1.0), &device);
        // the pixels at even distances, in the space of the components
        let every = (0..count).map(|neuron| neuron * self.config.values() / count);
        let places: Vec<i64> = every.map(|place| place as i64).collect();
        let places = Tensor::from_data(TensorData::new(places, [count]), &device);
        Ok([
            ("principal components", Tensor::eye(count, &device)),
            ("random rotation", rotation(random)),
            ("whitened pixels (ZCA)", self.pixels.clone().transpose().select(0, places)),
        ])
    }
}

/// The orthogonal factor of a square matrix.
fn rotation(matrix: Tensor<2>) -> Tensor<2> {
    let ([n, _], device) = (matrix.dims(), matrix.device());
    let values: Vec<f64> = matrix.into_data().iter().collect();
    let q = Mat::from_fn(n, n, |row, column| values[row * n + column]).qr().compute_Q();
    let values: Vec<f32> = (0..n * n).map(|at| q[(at / n, at % n)] as f32).collect();
    Tensor::from_data(TensorData::new(values, [n, n]), &device)
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    #[test]
    fn rotations_keep_lengths_and_angles() {
        let matrix =
            Tensor::<2>::from_data([[2.0, 1.0, 0.5], [-1.0, 3.0, 0.0], [0.3, 0.2, -1.0]], &Device::flex());
        let rotation = rotation(matrix);
        let products: Vec<f64> = rotation.clone().matmul(rotation.transpose()).into_data().iter().collect();
        let near = |(at, value): (usize, &f64)| (value - f64::from(u8::from(at % 4 == 0))).abs() < 1e-6;
        assert!(products.iter().enumerate().all(near), "{products:?}");
    }
}
