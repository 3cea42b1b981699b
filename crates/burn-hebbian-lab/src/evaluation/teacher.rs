//! One neuron a class, that learns the class's mean.

use burn::{
    config::Config,
    nn::Initializer,
    optim::SgdConfig,
    tensor::{Device, Tensor},
};
use burn_hebbian_core::{Rule, Signals};
use burn_hebbian_nn::{HebbianLinear, HebbianLinearConfig};
use burn_hebbian_optim::{LocalOptimizer, LocalTraining, Plan, UpdateError};

use super::{
    EvaluationError,
    features::{check, check_labels, check_like, guesses, label, matrix, one_hot, percent_right},
};
use crate::data::{Labeled, shuffled};

/// How teacher neurons learn: by [`Rule::teacher`], at a rate that falls linearly to 0 over the steps.
///
/// ```text
/// Δw_c = η · mean over the batch's features of class c of (x − w_c)
/// ```
///
/// Source: G. Lagani, master's thesis, University of Pisa (2019).
#[derive(Config, Debug, PartialEq)]
pub struct TeacherConfig {
    /// Number of classes.
    #[config(default = 10)]
    pub classes: usize,
    /// Passes over the training features.
    #[config(default = 10)]
    pub epochs: usize,
    /// Features a step.
    #[config(default = 64)]
    pub batch: usize,
    /// The first learning rate.
    #[config(default = 0.1)]
    pub rate: f64,
    /// The seed of the order.
    #[config(default = 0)]
    pub seed: u64,
}

/// Neurons that score a feature by its projection on their class, `w_c · x / ‖w_c‖`.
#[derive(Debug, Clone)]
pub struct TeacherNeurons {
    /// `[classes, values]`.
    weights: Tensor<2>,
}

impl TeacherConfig {
    /// Trains neurons, from zero weights, on a batch at a time.
    ///
    /// # Errors
    ///
    /// If a setting is out of its range, features are missing or not finite, a label is none of the classes, or the
    /// update is not finite.
    pub fn train(&self, training: &Labeled, device: &Device) -> Result<TeacherNeurons, EvaluationError> {
        self.check(training)?;
        let device = device.clone().inner();
        let config = HebbianLinearConfig::new(training.image_len(), self.classes, Rule::teacher());
        let layer = config.with_initializer(Initializer::Zeros).try_init(&device)?;
        let plan = Plan::new().local(".*", LocalTraining::of_the_layer());
        let (mut layer, mut optim) = plan.init(layer, SgdConfig::new())?;
        let steps = self.epochs * training.len().div_ceil(self.batch);
        let orders = (0..self.epochs).map(|epoch| shuffled(training.len(), self.seed, epoch));
        let batches =
            orders.flat_map(|order| order.chunks(self.batch).map(<[usize]>::to_vec).collect::<Vec<_>>());
        for (step, batch) in batches.enumerate() {
            let rate = self.rate * (1.0 - step as f64 / steps as f64);
            layer = self.step(layer, &mut optim, rate, (training, &batch))?;
        }
        Ok(TeacherNeurons { weights: layer.layer().weight.val().transpose() })
    }

    fn step(
        &self,
        layer: HebbianLinear,
        optim: &mut LocalOptimizer,
        rate: f64,
        (training, batch): (&Labeled, &[usize]),
    ) -> Result<HebbianLinear, EvaluationError> {
        let device = layer.layer().weight.device();
        let signals = Signals::none().with_teacher(one_hot(training, batch, self.classes, &device));
        let features = training.images(batch, &device).flatten::<2>(1, 3);
        let (_, seen) = optim.observe(&layer, signals, |layer| layer.forward(features))?;
        Ok(optim.step(rate, layer, seen.local_only()).map_err(UpdateError::from)?)
    }

    fn check(&self, training: &Labeled) -> Result<(), EvaluationError> {
        check("training", training)?;
        check_labels("training", training, self.classes)?;
        let counts = [("epochs", self.epochs), ("batch", self.batch)];
        if let Some((name, _)) = counts.into_iter().find(|(_, count)| *count == 0) {
            return Err(EvaluationError::Setting { name, range: "at least 1", got: 0.0 });
        }
        Ok(())
    }
}

impl TeacherNeurons {
    /// What the rule converges to: the mean feature of each class.
    ///
    /// # Errors
    ///
    /// If features are missing or not finite, a label is none of the classes, or a class has no feature.
    pub fn means(training: &Labeled, classes: usize, device: &Device) -> Result<Self, EvaluationError> {
        check("training", training)?;
        check_labels("training", training, classes)?;
        let width = training.image_len();
        let (mut sums, mut counts) = (vec![0f64; classes * width], vec![0usize; classes]);
        for (index, row) in training.values.chunks(width).enumerate() {
            let class = label(training, index);
            counts[class] += 1;
            let sums = sums[class * width..][..width].iter_mut();
            sums.zip(row).for_each(|(sum, value)| *sum += f64::from(*value));
        }
        if let Some(class) = counts.iter().position(|count| *count == 0) {
            return Err(EvaluationError::NoExample { class, classes });
        }
        let means = sums.iter().enumerate().map(|(i, sum)| (sum / counts[i / width] as f64) as f32);
        Ok(Self { weights: matrix(means.collect(), width, &device.clone().inner()) })
    }

    /// `[classes, values]`.
    pub fn weights(&self) -> Tensor<2> {
        self.weights.clone()
    }

    /// `[n, values]` → `[n, classes]`.
    pub fn scores(&self, features: Tensor<2>) -> Tensor<2> {
        // clamp: a neuron that never learned is zero and scores 0.
        let norms = self.weights.clone().square().sum_dim(1).sqrt().clamp_min(f32::MIN_POSITIVE);
        features.matmul((self.weights.clone() / norms).transpose())
    }

    /// The class of each feature's largest score.
    ///
    /// # Errors
    ///
    /// If features are missing, not finite or of another length.
    pub fn guesses(&self, features: &Labeled) -> Result<Vec<usize>, EvaluationError> {
        check_like("test", features, self.weights.dims()[1])?;
        Ok(guesses(features, &self.weights.device(), |chunk| self.scores(chunk)))
    }

    /// Accuracy on features, in percent.
    ///
    /// # Errors
    ///
    /// As [`guesses`](Self::guesses).
    pub fn accuracy(&self, features: &Labeled) -> Result<f64, EvaluationError> {
        Ok(percent_right(&self.guesses(features)?, features))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::fixtures::{Fixture, close, list, number, places};

    fn values(neurons: &TeacherNeurons) -> Vec<f64> {
        neurons.weights().into_data().iter::<f64>().collect()
    }

    fn expected_means(fixture: &Fixture) -> Vec<f64> {
        let means = list(&fixture.json["prototypes"]["means"]);
        means.iter().flat_map(|mean| list(mean).iter().map(number)).collect()
    }

    #[test]
    fn means_are_scikit_learns_centroids() {
        let fixture = Fixture::load();
        let neurons = TeacherNeurons::means(&fixture.train, 4, &Device::flex()).unwrap();
        close(values(&neurons), expected_means(&fixture), 1e-6);
        let projection = places(&fixture.json["prototypes"]["projection"]);
        assert_eq!(neurons.guesses(&fixture.test).unwrap(), projection);
        assert_eq!(neurons.accuracy(&fixture.test), Ok(58.75));
    }

    /// All features in one step of rate 1: the means at once.
    #[test]
    fn the_rule_learns_the_means() {
        let fixture = Fixture::load();
        let config = TeacherConfig::new().with_classes(4).with_epochs(1).with_batch(200).with_rate(1.0);
        let neurons = config.train(&fixture.train, &Device::flex()).unwrap();
        close(values(&neurons), expected_means(&fixture), 1e-5);
    }

    #[test]
    fn batches_learn_about_the_same() {
        let fixture = Fixture::load();
        let config = TeacherConfig::new().with_classes(4).with_epochs(50).with_batch(16);
        let neurons = config.train(&fixture.train, &Device::flex()).unwrap();
        close(values(&neurons), expected_means(&fixture), 0.1);
    }

    #[test]
    fn a_class_without_features_has_no_mean() {
        let train = Fixture::load().train;
        let message =
            |classes| TeacherNeurons::means(&train, classes, &Device::flex()).unwrap_err().to_string();
        assert_eq!(message(5), "no training feature is labeled 4, one of the classes 0..5");
        assert_eq!(message(3), "training feature 3 is labeled 3, but the classes are 0..3");
    }
}
