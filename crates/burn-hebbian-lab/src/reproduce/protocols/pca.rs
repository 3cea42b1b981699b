//! Which rules find the principal components of natural images.

use crate::{data::Labeled, diagnostics::principal_angles};
use anyhow::Result;
use burn::tensor::{Distribution, Tensor};

use super::{
    Run,
    alignment::{alignments, nearest},
    lesson::{Lesson, after},
    principal::Principal,
};
use crate::reproduce::{
    asked::asked,
    config::{Finds, Learner, Study},
    patches::cut,
    results::Score,
};

/// The measure of one neuron.
const COSINE: &str = "cosine with its principal component, sign aside";

/// The same where neurons may be in any order.
const NEAREST: &str = "cosine with the nearest principal component, sign aside";

/// The measure of all of them.
const ANGLE: &str = "cos of the largest angle between the spans";

/// What the neurons are compared with.
struct Patches {
    /// `[n, values]`.
    rows: Tensor<2>,
    principal: Principal,
}

/// Alignments of all rules, and of random weights, with the components.
pub(super) fn scores(run: &Run, study: &Study) -> Result<Vec<Score>> {
    let images = study.source.read(run.data)?.training;
    let learners = asked(&study.learners, |learner| [learner.name.as_str()], run.rows)?;
    let mut scores = vec![];
    for seed in run.seeds.clone() {
        let patches = Patches::new(run, study, &images, seed)?;
        run.draw(patches.principal.first(study.neurons), &study.patches, &format!("components-seed-{seed}"))?;
        scores.extend(patches.variances(study.neurons, seed));
        for learner in &learners {
            println!("{}, seed {seed}", learner.name);
            scores.extend(learned(run, study, learner, &patches, seed)?);
        }
        scores.extend(random(&patches, study.neurons, seed)?);
    }
    Ok(scores)
}

impl Patches {
    fn new(run: &Run, study: &Study, images: &Labeled, seed: u64) -> Result<Self> {
        let rows = cut(images, study.patches.shape(), study.patches.count, seed, &run.device)?;
        let rows = Principal::of(rows.clone())?.scaled(rows);
        Ok(Self { principal: Principal::of(rows.clone())?, rows })
    }

    /// How much there is to find: neighbors of nearly one variance are hard to tell apart.
    fn variances(&self, count: usize, seed: u64) -> Vec<Score> {
        let shares = self.principal.shares().into_iter().take(count);
        let score = |(index, share): (usize, f64)| {
            let how = "eigendecomposition";
            Score::of(
                "principal components",
                &component(index),
                how,
                "share of the variance, %",
                seed,
                100.0 * share,
            )
        };
        shares.enumerate().map(score).collect()
    }
}

fn learned(run: &Run, study: &Study, learner: &Learner, patches: &Patches, seed: u64) -> Result<Vec<Score>> {
    let neurons = learner.neurons.unwrap_or(study.neurons);
    let epochs = study.after.last().copied().unwrap_or(0);
    let mut scores = vec![];
    let lesson = Lesson { learner, neurons, rows: &patches.rows, epochs, seed };
    lesson.learn(|epoch, weights| {
        if epoch == 0 || study.after.contains(&epoch) {
            let found = measured(&learner.name, &after(epoch), &weights, patches, seed)?;
            println!("  {}: {:.5}", found[0].evaluation, found[0].test);
            let last = |score| if epoch == epochs { expected(learner, score) } else { score };
            scores.extend(found.into_iter().map(last));
        }
        if epoch == epochs {
            let each = each(&learner.name, &after(epoch), &weights, patches, seed);
            scores.extend(each.into_iter().map(|score| expected(learner, score)));
            run.draw(weights, &study.patches, &format!("{}-seed-{seed}", learner.name))?;
        }
        Ok(())
    })?;
    Ok(scores)
}

/// Mean and worst neuron, and the span of all.
fn measured(row: &str, how: &str, weights: &Tensor<2>, patches: &Patches, seed: u64) -> Result<Vec<Score>> {
    let cosines = alignments(weights.clone(), patches.principal.first(weights.dims()[0]));
    let nearest = nearest(weights.clone(), patches.principal.all());
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let worst = cosines.iter().copied().fold(f64::INFINITY, f64::min);
    let angle = principal_angles(weights.clone(), patches.rows.clone())?.largest();
    let score = |of, measure, value| Score::of(row, of, how, measure, seed, value);
    Ok(vec![
        score("mean of all neurons", COSINE, mean(&cosines)),
        score("worst neuron", COSINE, worst),
        score("mean of all neurons", NEAREST, mean(&nearest)),
        score("all neurons", ANGLE, angle.cos()),
    ])
}

/// Every neuron by itself.
fn each(row: &str, how: &str, weights: &Tensor<2>, patches: &Patches, seed: u64) -> Vec<Score> {
    let cosines = alignments(weights.clone(), patches.principal.first(weights.dims()[0]));
    let score = |(index, cosine)| Score::of(row, &component(index), how, COSINE, seed, cosine);
    cosines.into_iter().enumerate().map(score).collect()
}

fn component(index: usize) -> String {
    format!("component {}", index + 1)
}

/// Beside the 1 that mathematics says training ends at.
fn expected(learner: &Learner, score: Score) -> Score {
    match learner.finds {
        Some(Finds::Components) => score.beside(1.0),
        Some(Finds::Span) if score.measure == ANGLE => score.beside(1.0),
        _ => score,
    }
}

/// The control: directions that nothing learned.
fn random(patches: &Patches, neurons: usize, seed: u64) -> Result<Vec<Score>> {
    let ([_, values], device) = (patches.rows.dims(), patches.rows.device());
    device.seed(!seed);
    let weights = Tensor::random([neurons, values], Distribution::Normal(0.0, 1.0), &device);
    measured("random weights", "untrained", &weights, patches, seed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reproduce::config::Initial;
    use burn::tensor::Device;

    /// ±3 along the first value, ±2 along the second, ±1 along the third.
    fn patches() -> Patches {
        let row = |axis: usize, value: f32| [0, 1, 2].map(|at| if at == axis { value } else { 0.0 });
        let rows = [row(0, 3.0), row(0, -3.0), row(1, 2.0), row(1, -2.0), row(2, 1.0), row(2, -1.0)];
        let rows = Tensor::from_data(rows, &Device::flex());
        Patches { principal: Principal::of(rows.clone()).unwrap(), rows }
    }

    fn values(weights: [[f32; 3]; 2]) -> Vec<f64> {
        let weights = Tensor::from_data(weights, &Device::flex());
        let scores = measured("row", "how", &weights, &patches(), 0).unwrap();
        scores.iter().map(|score| (score.test * 1e3).round() / 1e3).collect()
    }

    /// Mean and worst neuron, the nearest component, the span.
    #[test]
    fn order_matters_to_neurons_and_not_to_spans() {
        assert_eq!(values([[-2.0, 0.0, 0.0], [0.0, 0.5, 0.0]]), [1.0, 1.0, 1.0, 1.0]);
        assert_eq!(values([[0.0, 0.5, 0.0], [-2.0, 0.0, 0.0]]), [0.0, 0.0, 1.0, 1.0]);
        assert_eq!(values([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]), [0.5, 0.0, 1.0, 0.0]);
        assert_eq!(values([[4.0, 0.0, 0.0], [0.0, 3.0, 4.0]]), [0.8, 0.6, 0.9, 0.6]);
    }

    #[test]
    fn mathematics_promises_the_subspace_rule_its_span_alone() {
        let learner = |finds| Learner {
            name: String::new(),
            rule: serde_json::from_str("\"subspace\"").unwrap(),
            neurons: None,
            rate: 0.1,
            rates: Default::default(),
            batch: 1,
            initial: Initial::Uniform,
            finds,
        };
        let published = |finds, measure| {
            expected(&learner(finds), Score::of("row", "all", "how", measure, 0, 0.5)).published
        };
        assert_eq!(published(Some(Finds::Span), ANGLE), Some(1.0));
        assert_eq!(published(Some(Finds::Span), COSINE), None);
        assert_eq!(published(Some(Finds::Components), COSINE), Some(1.0));
        assert_eq!(published(None, ANGLE), None);
    }
}
