//! Data sets in the parts that they are published and used in.

use std::collections::BTreeSet;

use super::{Labeled, SplitError, last_fifth, stratified};

/// A data set as it is published, pixels in 0..=1.
#[derive(Debug, Clone, PartialEq)]
pub struct DataSet {
    /// The official training images.
    pub training: Labeled,
    /// The official test images.
    pub test: Labeled,
    /// The name of every class, in the order of the labels.
    pub classes: Vec<String>,
}

/// A data set in three parts.
#[derive(Debug, Clone, PartialEq)]
pub struct Parts {
    /// What is learned from.
    pub training: Labeled,
    /// What epochs and rates are chosen on.
    pub validation: Labeled,
    /// What nothing is chosen on: the official test images.
    pub test: Labeled,
    /// The name of every class, in the order of the labels.
    pub classes: Vec<String>,
}

impl DataSet {
    /// The first `count` training images, and a fifth as many test images, at least one.
    pub fn first(mut self, count: usize) -> Self {
        self.training.truncate(count);
        self.test.truncate((count / 5).max(1));
        self
    }

    /// The last fifth of the training images for validation, as in Lagani's thesis (Pisa, 2019): of CIFAR-10 the last
    /// 10,000.
    ///
    /// # Errors
    ///
    /// If there are fewer than five training images.
    pub fn hold_out_last_fifth(self) -> Result<Parts, SplitError> {
        let (kept, held_out) = last_fifth(self.training.len())?;
        Ok(self.parted(&kept, &held_out))
    }

    /// A `share` of every class's training images for validation, by [`stratified`].
    ///
    /// # Errors
    ///
    /// If the share is not in (0, 1], or leaves nothing of a class to learn from.
    pub fn hold_out(self, share: f64, seed: u64) -> Result<Parts, SplitError> {
        let labels = &self.training.labels;
        let (held_out, kept) = stratified(labels, share, seed)?;
        let kept_classes: BTreeSet<u16> = kept.iter().map(|&index| labels[index]).collect();
        if let Some(&class) = labels.iter().find(|class| !kept_classes.contains(class)) {
            let images = labels.iter().filter(|label| **label == class).count();
            return Err(SplitError::NothingLeft { share, class, images });
        }
        Ok(self.parted(&kept, &held_out))
    }

    fn parted(self, kept: &[usize], held_out: &[usize]) -> Parts {
        let Self { training, test, classes } = self;
        let [training, validation] = [kept, held_out].map(|part| training.select(part));
        Parts { training, validation, test, classes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten training images of two classes and four test images, numbered.
    fn numbered() -> DataSet {
        let images = |count: u16| {
            let mut images = Labeled::with_capacity([1, 1, 1], count.into());
            (0..count).for_each(|i| images.push([f32::from(i)], i % 2));
            images
        };
        DataSet { training: images(10), test: images(4), classes: vec!["even".into(), "odd".into()] }
    }

    #[test]
    fn the_last_fifth_is_held_out() {
        let parts = numbered().hold_out_last_fifth().unwrap();
        assert_eq!(parts.training.values, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
        assert_eq!(parts.validation.values, [8.0, 9.0]);
        assert_eq!((parts.test, parts.classes), (numbered().test, numbered().classes));
    }

    #[test]
    fn a_share_of_every_class_is_held_out() {
        let parts = numbered().hold_out(0.4, 1).unwrap();
        let odd = |part: &Labeled| part.labels.iter().filter(|label| **label == 1).count();
        assert_eq!((parts.validation.len(), odd(&parts.validation)), (4, 2));
        assert_eq!((parts.training.len(), odd(&parts.training)), (6, 3));
        assert_eq!(numbered().hold_out(0.0, 1).unwrap_err(), SplitError::Share { share: 0.0 });
    }

    #[test]
    fn parts_too_small_to_split_are_counted() {
        let error = numbered().first(4).hold_out_last_fifth().unwrap_err();
        assert_eq!(error.to_string(), "the last fifth of 4 images: expected 5 images or more");
        let mut rare = numbered();
        rare.training.push([10.0], 7);
        let error = rare.hold_out(0.4, 1).unwrap_err();
        assert_eq!(error.to_string(), "share 0.4: all of class 7 would be held out, 1 images");
        assert!(matches!(
            numbered().hold_out(1.0, 1),
            Err(SplitError::NothingLeft { class: 0, images: 5, .. })
        ));
    }

    #[test]
    fn the_first_images_alone() {
        let few = numbered().first(5);
        assert_eq!((few.training.len(), few.test.len()), (5, 1));
        assert_eq!(numbered().first(3).test.len(), 1);
    }
}
