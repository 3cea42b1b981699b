//! Classifiers in two factors on features whose classes are known.

use burn::tensor::Device;

use super::{FactoredConfig, FeatureRows};
use crate::{data::Labeled, evaluation::EvaluationError};

/// Class by which of three channels is large at one of two places, others being noise; channel 3 never changes.
fn features(count: usize) -> Labeled {
    let mut features = Labeled::with_capacity([4, 1, 2], count);
    for index in 0..count {
        let class = index % 6;
        let noise = |at: usize| ((index * 7919 + at * 104_729) % 1009) as f32 / 1009.0;
        let value = |at: usize| match at {
            6.. => 5.0,
            _ if at == class => 2.0 + noise(at),
            _ => noise(at),
        };
        features.push((0..8).map(value), class as u16);
    }
    features
}

fn config() -> FactoredConfig {
    FactoredConfig::new()
        .with_classes(6)
        .with_groups(2)
        .with_factors(4)
        .with_epochs(30)
        .with_batch(16)
        .with_rate(0.05)
}

#[test]
fn classes_are_told_apart_by_channel_and_place() {
    let mut losses = vec![];
    let classifier =
        config().train(&features(300), &Device::flex(), |epoch| losses.push(epoch.loss)).unwrap();
    assert_eq!(losses.len(), 30);
    assert!(losses[29] < 0.1 * losses[0], "{losses:?}");
    assert!(classifier.accuracy(&features(120)).unwrap() > 98.0);
    let again = config().train(&features(300), &Device::flex(), |_| ()).unwrap();
    assert_eq!(again.guesses(&features(60)).unwrap(), classifier.guesses(&features(60)).unwrap());
}

#[test]
fn the_rate_falls_by_tens() {
    let config = FactoredConfig::new();
    let rates = [0, 49, 50, 74, 75].map(|epoch| config.rate_of(epoch) / config.rate);
    let expected = [1.0, 1.0, 0.1, 0.1, 0.01];
    assert!(rates.iter().zip(expected).all(|(rate, expected)| (rate - expected).abs() < 1e-12), "{rates:?}");
}

/// Rows that cannot be read.
struct Broken(Labeled);

impl FeatureRows for Broken {
    fn dims(&self) -> [usize; 3] {
        self.0.dims
    }

    fn labels(&self) -> &[u16] {
        &self.0.labels
    }

    fn read(&self, index: usize, _: &mut [f32]) -> Result<(), EvaluationError> {
        Err(EvaluationError::Unreadable { index, reason: "the disk is gone".to_string() })
    }
}

#[test]
fn errors_state_what_is_wrong() {
    let train = |config: FactoredConfig, features: Labeled| {
        config.train(&features, &Device::flex(), |_| ()).map(drop).unwrap_err().to_string()
    };
    assert_eq!(
        train(config().with_groups(3), features(6)),
        "groups must be a divisor of the channels, got 3"
    );
    assert_eq!(train(config().with_factors(0), features(6)), "factors must be at least 1, got 0");
    assert_eq!(train(config(), Labeled::default()), "no training features");
    let few = train(config().with_classes(5), features(6));
    assert_eq!(few, "training feature 5 is labeled 5, but the classes are 0..5");
    let mut infinite = features(6);
    infinite.values[9] = f32::INFINITY;
    assert_eq!(train(config(), infinite), "training feature 1 holds inf");
    let diverged = train(config().with_rate(1e30), features(60));
    assert!(diverged.starts_with("the loss was "), "{diverged}");
    let broken = config().train(&Broken(features(6)), &Device::flex(), |_| ()).map(drop).unwrap_err();
    assert_eq!(broken.to_string(), "feature 0 cannot be read: the disk is gone");
    let classifier = config().with_epochs(1).train(&features(6), &Device::flex(), |_| ()).unwrap();
    let other = Labeled { dims: [2, 1, 2], values: vec![0.0; 4], labels: vec![0] };
    let length = classifier.accuracy(&other).unwrap_err().to_string();
    assert_eq!(length, "the test features have 4 values each, the training features 8");
}
