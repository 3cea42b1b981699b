use super::*;
use crate::evaluation::fixtures::{Fixture, close, list, number};

/// Two classes on either side of a plane, none too close to it.
fn separable(count: usize, shift: usize) -> Labeled {
    let mut features = Labeled::with_capacity([2, 1, 1], count);
    for i in shift..shift + count {
        let side = if i % 2 == 0 { 1.0 } else { -1.0 };
        let along = (i % 7) as f32 - 3.0;
        features.push([side + along, side - along], [0, 1][i % 2]);
    }
    features
}

fn config() -> ProbeConfig {
    ProbeConfig::new().with_classes(2).with_rate(0.1).with_batch(8)
}

fn train(config: &ProbeConfig) -> (Probe, Vec<ProbeProgress>) {
    let mut heard = vec![];
    let (training, validation) = (separable(70, 0), separable(30, 1));
    let probe = config.train(&training, &validation, &Device::flex(), |epoch| heard.push(epoch));
    (probe.unwrap(), heard)
}

#[test]
fn learns_what_is_separable() {
    let (probe, heard) = train(&config());
    assert_eq!(heard.len(), 20);
    assert_eq!(probe.accuracy(&separable(28, 5)), Ok(100.0));
    let best = heard.iter().find(|epoch| epoch.validation == 100.0).map(|found| found.epoch);
    assert_eq!((probe.validation, Some(probe.epoch)), (100.0, best));
}

#[test]
fn every_preset_learns() {
    for preset in [ProbeConfig::thesis(), ProbeConfig::fast_hebb(), ProbeConfig::soft_hebb()] {
        let (probe, heard) = train(&preset.with_classes(2).with_rate(0.05));
        assert_eq!(probe.validation, 100.0, "{heard:?}");
        assert!(heard[heard.len() - 1].loss < heard[0].loss);
    }
}

#[test]
fn the_last_epoch_is_kept_where_it_is_asked_for() {
    let (probe, heard) = train(&config().with_keep(ProbeEpoch::Last));
    assert_eq!((probe.epoch, heard.len()), (20, 20));
}

#[test]
fn a_seed_repeats() {
    let losses = |seed| {
        let (_, heard) = train(&config().with_dropout(0.5).with_seed(seed));
        heard.iter().map(|epoch| epoch.loss).collect::<Vec<_>>()
    };
    assert_eq!(losses(3), losses(3));
    assert_ne!(losses(3), losses(4));
}

#[test]
fn a_loss_that_leaves_the_numbers_is_an_error() {
    let config = config().with_rate(1e30);
    let error = config.train(&separable(70, 0), &separable(30, 1), &Device::flex(), |_| ());
    assert!(matches!(error, Err(EvaluationError::Diverged { rate: 1e30, .. })), "{error:?}");
}

#[test]
fn labels_are_classes() {
    let error = config().with_classes(1).train(&separable(4, 0), &separable(4, 0), &Device::flex(), |_| ());
    assert_eq!(error.unwrap_err().to_string(), "training feature 1 is labeled 1, but the classes are 0..1");
}

/// Trained for long on all features at once: the optimum, as scikit-learn finds it.
#[test]
fn long_training_reaches_the_optimum() {
    let expected = &Fixture::load().json["logistic"];
    let penalty = number(&expected["penalty"]) as f32;
    let config = ProbeConfig::new().with_batch(200).with_epochs(6000).with_rate(0.02).with_halvings(vec![]);
    let (loss, probe) = trained_by(config, ProbeOptimizer::Sgd { momentum: 0.9, penalty });
    close([loss], [number(&expected["loss"])], 1e-5);
    let (weights, biases) = probe.into_parts();
    let rows = list(&expected["weights"]).iter().flat_map(|row| list(row).iter().map(number));
    close(weights.into_data().iter::<f64>(), rows, 1e-3);
    close(biases.into_data().iter::<f64>(), list(&expected["biases"]).iter().map(number), 1e-3);
}

#[test]
fn small_batches_come_near_the_optimum() {
    let expected = &Fixture::load().json["logistic"];
    let penalty = number(&expected["penalty"]) as f32;
    let config =
        || ProbeConfig::new().with_batch(20).with_epochs(400).with_halvings((200..400).step_by(20).collect());
    let (sgd, _) = trained_by(config().with_rate(0.02), ProbeOptimizer::Sgd { momentum: 0.9, penalty });
    let (adam, _) = trained_by(config().with_rate(0.01), ProbeOptimizer::Adam { penalty });
    close([sgd, adam], [number(&expected["loss"]); 2], 5e-3);
}

/// The loss of the last epoch's steps.
fn trained_by(config: ProbeConfig, optimizer: ProbeOptimizer) -> (f64, Probe) {
    let Fixture { train, test, .. } = Fixture::load();
    let config = config.with_classes(4).with_optimizer(optimizer).with_keep(ProbeEpoch::Last);
    let mut loss = f64::NAN;
    let trained = config.train(&train, &test, &Device::flex(), |epoch| loss = epoch.loss);
    (loss, trained.unwrap())
}
