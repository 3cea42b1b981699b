//! Features as matrices, and the checks that all evaluations share.

use burn::tensor::{Device, Tensor, TensorData};

use super::EvaluationError;
use crate::data::Labeled;

/// Features that are classified at a time; bounds the memory of a pass.
const CHUNK: usize = 256;

/// That there are features, finite ones.
pub(super) fn check(set: &'static str, features: &Labeled) -> Result<(), EvaluationError> {
    if features.is_empty() || features.image_len() == 0 {
        return Err(EvaluationError::Empty { set });
    }
    let finite = |row: &[f32]| row.iter().fold(true, |all, value| all & value.is_finite());
    match features.values.chunks(features.image_len()).position(|row| !finite(row)) {
        None => Ok(()),
        Some(index) => {
            let value = features.image(index).iter().copied().find(|value| !value.is_finite());
            Err(EvaluationError::NotFinite { set, index, value: value.unwrap_or(f32::NAN) })
        }
    }
}

/// That there are finite features as long as the training features.
pub(super) fn check_like(
    set: &'static str,
    features: &Labeled,
    expected: usize,
) -> Result<(), EvaluationError> {
    match features.image_len() {
        got if got != expected && !features.is_empty() => Err(EvaluationError::Length { set, got, expected }),
        _ => check(set, features),
    }
}

/// That every label is one of `0..classes`.
pub(super) fn check_labels(
    set: &'static str,
    features: &Labeled,
    classes: usize,
) -> Result<(), EvaluationError> {
    match (0..features.len()).find(|&index| label(features, index) >= classes) {
        None => Ok(()),
        Some(index) => Err(EvaluationError::Label { set, index, label: label(features, index), classes }),
    }
}

/// One more than the largest label.
pub(super) fn classes_of(features: &Labeled) -> usize {
    (0..features.len()).map(|index| label(features, index) + 1).max().unwrap_or(0)
}

pub(super) fn label(features: &Labeled, index: usize) -> usize {
    usize::from(features.labels[index])
}

/// Features one after the other as a matrix, `[values / width, width]`.
pub(super) fn matrix(values: Vec<f32>, width: usize, device: &Device) -> Tensor<2> {
    let rows = values.len() / width;
    Tensor::from_data(TensorData::new(values, [rows, width]), device)
}

/// The class of every feature's largest score, the first of equal ones; `scores`: `[n, width]` → `[n, classes]`.
pub(super) fn guesses(
    features: &Labeled,
    device: &Device,
    scores: impl Fn(Tensor<2>) -> Tensor<2>,
) -> Vec<usize> {
    let width = features.image_len();
    let chunks = features.values.chunks(CHUNK * width);
    chunks.flat_map(|chunk| largest(scores(matrix(chunk.to_vec(), width, device)))).collect()
}

fn largest(scores: Tensor<2>) -> Vec<usize> {
    let [_, classes] = scores.dims();
    let scores: Vec<f32> = scores.into_data().iter::<f32>().collect();
    scores.chunks(classes).map(first_largest).collect()
}

fn first_largest(scores: &[f32]) -> usize {
    (1..scores.len()).fold(0, |best, class| if scores[class] > scores[best] { class } else { best })
}

/// The mean feature.
pub(super) fn mean(features: &Labeled) -> Vec<f32> {
    let mut sums = vec![0f64; features.image_len()];
    for row in features.values.chunks(features.image_len()) {
        sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += f64::from(*value));
    }
    sums.iter().map(|sum| (sum / features.len() as f64) as f32).collect()
}

/// A 1 for each feature's class, `[chosen, classes]`.
pub(super) fn one_hot(features: &Labeled, chosen: &[usize], classes: usize, device: &Device) -> Tensor<2> {
    let mut targets = vec![0.0; chosen.len() * classes];
    for (row, &index) in chosen.iter().enumerate() {
        targets[row * classes + label(features, index)] = 1.0;
    }
    matrix(targets, classes, device)
}

/// Percentage of the guesses that are the features' labels.
pub(super) fn percent_right(guesses: &[usize], features: &Labeled) -> f64 {
    let right = (0..features.len()).filter(|&index| guesses[index] == label(features, index)).count();
    // clamp: no features, no hits.
    100.0 * right as f64 / features.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two(values: [f32; 4]) -> Labeled {
        let mut two = Labeled::with_capacity([2, 1, 1], 2);
        two.push(values[..2].iter().copied(), 0);
        two.push(values[2..].iter().copied(), 3);
        two
    }

    #[test]
    fn errors_state_what_is_wrong() {
        let good = two([0.0, 1.0, 2.0, 3.0]);
        let message = |result: Result<(), EvaluationError>| result.unwrap_err().to_string();
        assert_eq!(message(check("test", &Labeled::default())), "no test features");
        assert_eq!(message(check("test", &two([0.0, 1.0, f32::INFINITY, 3.0]))), "test feature 1 holds inf");
        assert_eq!(
            message(check_like("test", &good, 3)),
            "the test features have 2 values each, the training features 3"
        );
        assert_eq!(
            message(check_labels("test", &good, 3)),
            "test feature 1 is labeled 3, but the classes are 0..3"
        );
        assert_eq!((check_like("test", &good, 2), check_labels("test", &good, 4)), (Ok(()), Ok(())));
        assert_eq!((classes_of(&good), mean(&good)), (4, vec![1.0, 2.0]));
    }

    #[test]
    fn the_first_of_equal_scores_is_the_guess() {
        let scores = |features: Tensor<2>| Tensor::cat(vec![features.clone(), features], 1);
        assert_eq!(guesses(&two([1.0, 2.0, 0.5, -1.0]), &Device::flex(), scores), [1, 0]);
        assert_eq!(percent_right(&[0, 1], &two([0.0; 4])), 50.0);
    }
}
