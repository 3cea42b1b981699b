//! Supervision: which neurons a label lets learn.

use alloc::vec;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::{RuleError, Signals, WeightLayout, error::rows, signals::repeat_rows};

/// How a layer uses the teacher signal that reaches it through [`Signals`].
///
/// A neuron with teacher `t = 0` cannot win the competition and its coefficient is 0; soft targets in 0..=1
/// scale it.
///
/// Source: G. Lagani, *Hebbian learning algorithms for training convolutional neural networks*, master's
/// thesis, University of Pisa (2019), "teacher neurons".
///
/// ```
/// # use burn::tensor::{Device, Tensor};
/// use burn_hebbian_core::{DenseView, Rule, Signals, Teacher};
/// # let device = Device::flex();
///
/// // y = 1 for both neurons; the label lets the second learn
/// let layer = DenseView::from_data([[1.0, 0.0], [1.0, 0.0]], [[1.0, 3.0]], &device);
/// let label = Signals::none().with_teacher(Tensor::from_data([[0.0, 1.0]], &device));
/// let update = layer.update(&Rule::hebb().with_teacher(Teacher::PerNeuron), label).unwrap();
/// update.into_data().assert_eq(&[[0.0, 0.0], [1.0, 3.0]].into(), false);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Teacher {
    /// The layer learns without labels.
    #[default]
    Ignored,
    /// The teacher has one column a neuron; with one neuron a class this is the supervised output layer.
    PerNeuron,
    /// Hidden layer: `per_class` neurons belong to each class, the remaining ones are always free to learn.
    ClassGroups {
        /// Number of classes, the teacher's columns.
        classes: usize,
        /// Neurons that belong to each class.
        per_class: usize,
        /// Where the free neurons lie.
        order: GroupOrder,
    },
}

/// Where the free neurons lie beside the class groups.
///
/// ```
/// # use burn::tensor::{Device, Tensor};
/// use burn_hebbian_core::{DenseView, GroupOrder, Rule, Signals, Teacher};
/// # let device = Device::flex();
///
/// // three neurons for two classes: one is free, and learns whatever the label
/// let layer = DenseView::from_data([[1.0], [1.0], [1.0]], [[1.0]], &device);
/// let label = Signals::none().with_teacher(Tensor::from_data([[1.0, 0.0]], &device));
/// for (order, expected) in [
///     (GroupOrder::ClassesFirst, [[1.0], [0.0], [1.0]]),
///     (GroupOrder::FreeFirst, [[1.0], [1.0], [0.0]]),
/// ] {
///     let rule = Rule::hebb().with_teacher(Teacher::ClassGroups { classes: 2, per_class: 1, order });
///     let update = layer.update(&rule, label.clone()).unwrap();
///     update.into_data().assert_eq(&expected.into(), false);
/// }
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupOrder {
    /// Class groups first, free neurons last: the thesis.
    #[default]
    ClassesFirst,
    /// Free neurons first, class groups last: the FastHebb code.
    FreeFirst,
}

impl Teacher {
    /// The teacher of every neuron, `[n, groups, neurons, 1]`, or `None` if the layer ignores it.
    ///
    /// Row `i` of the teacher holds for rows `i·r .. (i+1)·r` of the activity where the layer folded `r`
    /// leading positions into `n`.
    ///
    /// # Panics
    ///
    /// If the layer needs a teacher and none is given, or its shape does not fit.
    pub(crate) fn expand(&self, signals: &Signals, layout: &WeightLayout, n: usize) -> Option<Tensor<4>> {
        let width = self.columns(layout)?;
        let teacher = signals
            .teacher
            .clone()
            .expect("this rule learns from a teacher: pass one with Signals::none().with_teacher(one_hot)");
        let [rows, columns] = teacher.dims();
        assert!(
            columns == width && rows > 0 && n.is_multiple_of(rows),
            "teacher: expected [{n}, {width}] for a layer of {} neurons, got [{rows}, {columns}]",
            layout.total_neurons()
        );
        let per_neuron = self.neurons_of_classes(teacher, layout);
        let repeated = repeat_rows(per_neuron, n / rows);
        Some(repeated.reshape([n, layout.groups, layout.neurons, 1]))
    }

    /// The columns that the teacher must have, if the layer needs one.
    fn columns(&self, layout: &WeightLayout) -> Option<usize> {
        match *self {
            Self::Ignored => None,
            Self::PerNeuron => Some(layout.total_neurons()),
            Self::ClassGroups { classes, .. } => Some(classes),
        }
    }

    /// Refuses to learn without a teacher, or from one that does not fit the layer.
    pub(crate) fn check_signal(&self, signals: &Signals, layout: &WeightLayout) -> Result<(), RuleError> {
        let Some(expected) = self.columns(layout) else { return Ok(()) };
        let Some(teacher) = &signals.teacher else {
            return Err(RuleError::TeacherMissing { columns: expected });
        };
        let [rows, columns] = teacher.dims();
        if rows > 0 && columns == expected {
            return Ok(());
        }
        Err(RuleError::TeacherShape { expected, neurons: layout.total_neurons(), rows, columns })
    }

    /// Refuses a teacher that the layer needs and whose rows do not belong to so many images.
    pub(crate) fn check_images(&self, signals: &Signals, images: usize) -> Result<(), RuleError> {
        match &signals.teacher {
            Some(teacher) if *self != Self::Ignored => rows("teacher", teacher.dims()[0], images),
            _ => Ok(()),
        }
    }

    /// `[rows, columns]` → `[rows, neurons of the layer]`.
    fn neurons_of_classes(&self, teacher: Tensor<2>, layout: &WeightLayout) -> Tensor<2> {
        let Self::ClassGroups { classes, per_class, order } = *self else {
            return teacher;
        };
        let [rows, _] = teacher.dims();
        let grouped =
            teacher.unsqueeze_dim::<3>(2).repeat_dim(2, per_class).reshape([rows, classes * per_class]);
        let free = layout.total_neurons() - classes * per_class;
        if free == 0 {
            return grouped;
        }
        let free = Tensor::ones([rows, free], (&grouped.device(), grouped.dtype()));
        match order {
            GroupOrder::ClassesFirst => Tensor::cat(vec![grouped, free], 1),
            GroupOrder::FreeFirst => Tensor::cat(vec![free, grouped], 1),
        }
    }

    pub(crate) fn check(&self, layout: &WeightLayout) -> Result<(), RuleError> {
        let Self::ClassGroups { classes, per_class, .. } = *self else {
            return Ok(());
        };
        if classes == 0 || per_class == 0 {
            return Err(RuleError::TeacherEmpty { classes, per_class });
        }
        // saturating: what wraps would fit
        let (needed, neurons) = (classes.saturating_mul(per_class), layout.total_neurons());
        if needed <= neurons {
            return Ok(());
        }
        Err(RuleError::TeacherTooWide { classes, per_class, needed, neurons })
    }
}
