//! Groups of neurons that compete for the label.

use burn::tensor::{Tensor, activation};
use serde::{Deserialize, Serialize};

use super::bias::{mean, statistics};
use crate::{
    Activity, Factors, Finish, LocalRule, Reduction, RuleError, Signals, WeightLayout, error::rows,
    signals::repeat_rows,
};

/// Channel-wise competition: each class has a group of neurons, and the energies of the groups are to say the class.
///
/// ```text
/// a = W x + b     y = max(a, 0)     G_g = mean over the neurons of a group and all positions of y²     p = softmax(G)
/// C = (t_g − p_g) 2 y / (K_g P)        ΔW = 1/N Σ corr(x, C)
/// ```
///
/// with the teacher `t`, `[images, classes]`, and `K_g` neurons a group, consecutive ones. The update is the descent of the mean
/// cross-entropy of `p`: a local classifier without a read-out.
///
/// ```
/// # use burn::tensor::{Device, Tensor, Tolerance};
/// use burn_hebbian_core::{ClassCompetition, DenseView, Signals};
/// # let device = Device::flex();
///
/// // y = (2, 2): both classes alike, and the first is right: ½ · 2 y x
/// let layer = DenseView::from_data([[1.0, 0.0], [0.0, 2.0]], [[2.0, 1.0]], &device);
/// let taught = Signals::none().with_teacher(Tensor::from_data([[1.0, 0.0]], &device));
/// let update = layer.update(&ClassCompetition::new(2), taught).unwrap();
/// update.into_data().assert_approx_eq::<f32>(&[[4.0, 2.0], [-4.0, -2.0]].into(), Tolerance::default());
/// ```
///
/// Source: A. Papachristodoulou et al., "Convolutional channel-wise competitive learning for the forward-forward algorithm",
/// *AAAI* (2024).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ClassCompetition {
    /// The number of classes.
    pub classes: usize,
}

impl ClassCompetition {
    /// For so many classes.
    pub fn new(classes: usize) -> Self {
        Self { classes }
    }

    /// The energy of every class, `[n, classes]`, of drives `[n, groups, neurons, positions]`.
    pub fn energies(&self, drive: Tensor<4>) -> Tensor<2> {
        let y = activation::relu(drive);
        self.by_class(y.clone() * y).mean_dim(2).squeeze_dim(2)
    }

    /// `[n, groups, neurons, positions]` → `[n, classes, neurons of a class · positions]`.
    fn by_class(&self, values: Tensor<4>) -> Tensor<3> {
        let [n, groups, neurons, positions] = values.dims();
        values.reshape([n, self.classes, groups * neurons / self.classes * positions])
    }
}

impl LocalRule for ClassCompetition {
    fn factors(&self, activity: &Activity) -> Factors {
        let drive = activity.drive();
        let dims = drive.dims();
        let [n, groups, neurons, _] = dims;
        let teacher = activity.signals().teacher.clone().expect("signals are checked before a pass");
        let teacher = teacher.cast(drive.dtype());
        let images = teacher.dims()[0];
        let taught = repeat_rows(teacher, n / images.max(1));
        let wrong = taught - activation::softmax(self.energies(drive.clone()), 1); // [n, classes]
        let y = self.by_class(activation::relu(drive));
        let share = 2.0 / y.dims()[2] as f64;
        let c = (y * wrong.unsqueeze_dim::<3>(2).mul_scalar(share)).reshape(dims);
        let mass = Tensor::full([1], n as f64, (&c.device(), c.dtype()));
        let mut factors = Factors::new(c.clone()).with_statistics(statistics(c, mass.clone()));
        factors.mass = Some(mass.reshape([1, 1]).expand([groups, neurons]));
        factors
    }

    /// By the images, which are the mass of every neuron.
    fn finish(&self) -> Finish {
        Finish::new(Reduction::Weighted)
    }

    fn adds_up(&self) -> bool {
        true
    }

    fn statistics_len(&self, layout: &WeightLayout) -> usize {
        layout.total_neurons() + 1
    }

    fn learns_bias(&self) -> bool {
        true
    }

    fn needs_bias(&self) -> bool {
        false
    }

    fn bias_update(
        &self,
        bias: Tensor<1>,
        statistics: Option<Tensor<1>>,
        layout: &WeightLayout,
    ) -> Tensor<1> {
        statistics.map_or_else(|| bias.zeros_like(), |statistics| mean(statistics, layout))
    }

    fn check_signals(&self, signals: &Signals, layout: &WeightLayout) -> Result<(), RuleError> {
        match signals.teacher.as_ref().map(|teacher| teacher.dims()) {
            None => Err(RuleError::TeacherMissing { columns: self.classes }),
            Some([rows, columns]) if rows > 0 && columns == self.classes => Ok(()),
            Some([rows, columns]) => Err(RuleError::TeacherShape {
                expected: self.classes,
                neurons: layout.total_neurons(),
                rows,
                columns,
            }),
        }
    }

    fn check_images(&self, signals: &Signals, images: usize) -> Result<(), RuleError> {
        signals.teacher.as_ref().map_or(Ok(()), |teacher| rows("teacher", teacher.dims()[0], images))
    }

    fn check(&self, layout: &WeightLayout) -> Result<(), RuleError> {
        let neurons = layout.total_neurons();
        if self.classes < 2 || !neurons.is_multiple_of(self.classes) {
            return Err(RuleError::ClassGroups { classes: self.classes, neurons });
        }
        Ok(())
    }
}
