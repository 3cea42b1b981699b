use super::*;
use crate::evaluation::fixtures::{Fixture, close, list, number, places};

fn case(training: &Labeled, test: &Labeled, expected: &serde_json::Value) {
    let device = Device::flex();
    let config = RidgeConfig::new(vec![number(&expected["alpha"])]);
    let ridge = config.fit(training, test, &device, |_, _| ()).unwrap();
    let width = test.image_len();
    let scores = ridge.scores(matrix(test.values[..3 * width].to_vec(), width, &device));
    let expected_scores: Vec<f64> = list(&expected["scores"]).iter().flat_map(list_of_numbers).collect();
    close(scores.into_data().iter::<f64>(), expected_scores, SCORES);
    assert_eq!(ridge.guesses(test).unwrap(), places(&expected["guesses"]));
    close([ridge.validation], [number(&expected["accuracy"])], 1e-9);
}

/// Of products in `f32` whose scores are about 1.
const SCORES: f64 = 2e-5;

fn list_of_numbers(value: &serde_json::Value) -> Vec<f64> {
    list(value).iter().map(number).collect()
}

#[test]
fn agrees_with_scikit_learn() {
    let fixture = Fixture::load();
    for expected in list(&fixture.json["ridge"]) {
        case(&fixture.train, &fixture.test, expected);
    }
}

/// Fewer features than values: the dual form.
#[test]
fn agrees_with_scikit_learn_on_few_features() {
    let fixture = Fixture::load();
    let few = fixture.few();
    assert!(few.len() < few.image_len());
    for expected in list(&fixture.json["ridge_of_few"]) {
        case(&few, &fixture.test, expected);
    }
}

#[test]
fn the_first_best_penalty_is_taken() {
    let Fixture { train, test, .. } = Fixture::load();
    let mut heard = vec![];
    let config = RidgeConfig::new(vec![1000.0, 30.0, 1.0]);
    let best =
        config.fit(&train, &test, &Device::flex(), |penalty, score| heard.push((penalty, score))).unwrap();
    assert_eq!(heard, [(1000.0, 71.25), (30.0, 82.5), (1.0, 82.5)]);
    assert_eq!((best.penalty, best.validation, best.accuracy(&test).unwrap()), (30.0, 82.5, 82.5));
}

/// Fewer features than values have no solution without a penalty; one beside it does.
#[test]
fn penalties_that_leave_the_matrix_singular_are_passed_over() {
    let fixture = Fixture::load();
    let mut heard = vec![];
    let config = RidgeConfig::new(vec![0.0, 1.0]);
    let best = config.fit(&fixture.few(), &fixture.test, &Device::flex(), |penalty, _| heard.push(penalty));
    assert_eq!((best.unwrap().penalty, heard), (1.0, vec![1.0]));
}

#[test]
fn errors_state_values() {
    let fixture = Fixture::load();
    let message = |penalties: &[f64], training: &Labeled| {
        let config = RidgeConfig::new(penalties.to_vec());
        config.fit(training, &fixture.test, &Device::flex(), |_, _| ()).unwrap_err().to_string()
    };
    assert_eq!(message(&[1.0, -2.0], &fixture.train), "penalty must be 0 or more, got -2");
    assert_eq!(message(&[], &fixture.train), "the number of penalties must be at least 1, got 0");
    let singular = "the 12×12 matrix of the features is singular at penalty 0; a larger one may help";
    assert_eq!(message(&[0.0], &fixture.few()), singular);
    let mut nan = fixture.train.clone();
    nan.values[40] = f32::NAN;
    assert_eq!(message(&[1.0], &nan), "training feature 2 holds NaN");
}
