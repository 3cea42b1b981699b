//! Features as matrices, and the checks that all evaluations share.

use burn::tensor::{Device, Tensor, TensorData};

use super::EvaluationError;
use crate::data::Labelled;

/// That there are features, finite ones.
pub(super) fn check(set: &'static str, features: &Labelled) -> Result<(), EvaluationError> {
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
    features: &Labelled,
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
    features: &Labelled,
    classes: usize,
) -> Result<(), EvaluationError> {
    match (0..features.len()).find(|&index| label(features, index) >= classes) {
        None => Ok(()),
        Some(index) => Err(EvaluationError::Label { set, index, label: label(features, index), classes }),
    }
}

pub(super) fn label(features: &Labelled, index: usize) -> usize {
    usize::from(features.labels[index])
}

/// Features one after the other as a matrix, `[values / width, width]`.
pub(super) fn matrix(values: Vec<f32>, width: usize, device: &Device) -> Tensor<2> {
    let rows = values.len() / width;
    Tensor::from_data(TensorData::new(values, [rows, width]), device)
}

/// The largest score of every row, the first of equal ones.
pub(super) fn guesses(scores: Tensor<2>) -> Vec<usize> {
    let [_, classes] = scores.dims();
    let scores: Vec<f32> = scores.into_data().iter::<f32>().collect();
    scores.chunks(classes).map(first_largest).collect()
}

fn first_largest(scores: &[f32]) -> usize {
    (1..scores.len()).fold(0, |best, class| if scores[class] > scores[best] { class } else { best })
}

/// Percentage of the guesses that are the features' labels.
pub(super) fn percent_right(guesses: &[usize], features: &Labelled) -> f64 {
    let right = (0..features.len()).filter(|&index| guesses[index] == label(features, index)).count();
    // clamp: no features, no hits.
    100.0 * right as f64 / features.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two(values: [f32; 4]) -> Labelled {
        let mut two = Labelled::with_capacity([2, 1, 1], 2);
        two.push(values[..2].iter().copied(), 0);
        two.push(values[2..].iter().copied(), 3);
        two
    }

    #[test]
    fn errors_state_what_is_wrong() {
        let good = two([0.0, 1.0, 2.0, 3.0]);
        let message = |result: Result<(), EvaluationError>| result.unwrap_err().to_string();
        assert_eq!(message(check("test", &Labelled::default())), "no test features");
        assert_eq!(message(check("test", &two([0.0, 1.0, f32::INFINITY, 3.0]))), "test feature 1 holds inf");
        assert_eq!(
            message(check_like("test", &good, 3)),
            "the test features have 2 values each, the training features 3"
        );
        assert_eq!(
            message(check_labels("test", &good, 3)),
            "test feature 1 is labelled 3, but the classes are 0..3"
        );
        assert_eq!((check_like("test", &good, 2), check_labels("test", &good, 4)), (Ok(()), Ok(())));
    }

    #[test]
    fn the_first_of_equal_scores_is_the_guess() {
        let scores = matrix(vec![1.0, 2.0, 2.0, 0.0, -1.0, 0.0], 3, &Device::flex());
        assert_eq!(guesses(scores), [1, 0]);
        assert_eq!(percent_right(&[0, 1], &two([0.0; 4])), 50.0);
    }
}
