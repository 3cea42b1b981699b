//! Random flips and shifts of images.

use burn::config::Config;

use super::LabeledImage;
use burn_hebbian_train::SplitMix;

/// Shifts images at random, as if cut from a frame of zeros, and mirrors half of them.
///
/// How an image is changed is a function of seed, epoch and the image's place in its data set alone: a training that is
/// resumed sees what it would have seen. Zeros are the mean of images that were standardized before.
///
/// ```
/// use burn_hebbian_lab::data::{Augmentation, LabeledImage};
///
/// let image = LabeledImage { index: 3, dims: [1, 2, 2], values: vec![1.0, 2.0, 3.0, 4.0], label: 0 };
/// let augmentation = Augmentation::new().with_padding(1).with_seed(7);
/// assert_eq!(augmentation.apply(&image, 2), augmentation.apply(&image, 2));
/// ```
///
/// Source: C.-Y. Lee, S. Xie, P. Gallagher, Z. Zhang and Z. Tu, "Deeply-supervised nets", AISTATS (2015),
/// PMLR 38:562–570.
#[derive(Config, Debug, Copy, PartialEq, Eq)]
pub struct Augmentation {
    /// Rows and columns of zeros around an image, from which a part of its size is cut.
    #[config(default = 4)]
    pub padding: usize,
    /// Whether half of the images are mirrored.
    #[config(default = true)]
    pub flips: bool,
    /// The seed of the changes.
    #[config(default = 0)]
    pub seed: u64,
}

/// What happens to one image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Change {
    /// Where the part is cut from, in the frame.
    top: usize,
    left: usize,
    mirrored: bool,
}

impl Augmentation {
    /// The image as it is in `epoch`.
    pub fn apply(&self, image: &LabeledImage, epoch: usize) -> LabeledImage {
        let change = self.change(epoch, image.index);
        let [channels, height, width] = image.dims;
        let places =
            (0..channels).flat_map(|c| (0..height).flat_map(move |y| (0..width).map(move |x| [c, y, x])));
        let values = places.map(|place| self.value(image, change, place)).collect();
        LabeledImage { index: image.index, dims: image.dims, values, label: image.label }
    }

    /// All three are drawn whatever is asked for: without flips an image is shifted as with them.
    fn change(&self, epoch: usize, index: usize) -> Change {
        let mut random = SplitMix::new(self.seed).then(epoch as u64).then(index as u64);
        let [top, left] = [(); 2].map(|()| random.below(2 * self.padding + 1));
        let mirrored = random.below(2) == 1;
        Change { top, left, mirrored: mirrored && self.flips }
    }

    /// What comes to lie at a place.
    fn value(&self, image: &LabeledImage, change: Change, [channel, y, x]: [usize; 3]) -> f32 {
        let [_, height, width] = image.dims;
        let x = if change.mirrored { width - 1 - x } else { x };
        let source = |place: usize, first: usize, len: usize| {
            (place + first).checked_sub(self.padding).filter(|place| *place < len)
        };
        match (source(y, change.top, height), source(x, change.left, width)) {
            (Some(y), Some(x)) => image.values[(channel * height + y) * width + x],
            _ => 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two channels of 2 × 3.
    fn image(index: usize) -> LabeledImage {
        let values = (1..=12).map(|value| value as f32).collect();
        LabeledImage { index, dims: [2, 2, 3], values, label: 4 }
    }

    fn after(change: Change) -> Vec<f32> {
        let augmentation = Augmentation::new().with_padding(1);
        let places = (0..12).map(|i| [i / 6, i % 6 / 3, i % 3]);
        places.map(|place| augmentation.value(&image(0), change, place)).collect()
    }

    #[test]
    fn shifts_and_flips_as_by_hand() {
        let still = Change { top: 1, left: 1, mirrored: false };
        assert_eq!(after(still), image(0).values);
        let mirrored = after(Change { mirrored: true, ..still });
        assert_eq!(mirrored, [3.0, 2.0, 1.0, 6.0, 5.0, 4.0, 9.0, 8.0, 7.0, 12.0, 11.0, 10.0]);
        // cut from the frame's top right: the image moves down and to the left
        let moved = after(Change { top: 0, left: 2, mirrored: false });
        assert_eq!(moved, [0.0, 0.0, 0.0, 2.0, 3.0, 0.0, 0.0, 0.0, 0.0, 8.0, 9.0, 0.0]);
        let both = after(Change { top: 2, left: 0, mirrored: true });
        assert_eq!(both, [5.0, 4.0, 0.0, 0.0, 0.0, 0.0, 11.0, 10.0, 0.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn a_change_follows_from_seed_epoch_and_index() {
        let augmentation = Augmentation::new();
        let changes = |augmentation: Augmentation, epoch| {
            (0..50).map(|index| augmentation.change(epoch, index)).collect::<Vec<_>>()
        };
        let first = changes(augmentation, 1);
        assert_eq!(first, changes(augmentation, 1));
        assert_ne!(first, changes(augmentation, 2));
        assert_ne!(first, changes(augmentation.with_seed(1), 1));
        let unmirrored = first.iter().map(|change| Change { mirrored: false, ..*change });
        assert_eq!(changes(augmentation.with_flips(false), 1), unmirrored.collect::<Vec<_>>());
    }

    /// A training of today must be resumed tomorrow.
    #[test]
    fn a_change_is_always_the_same() {
        let changes = [0, 1, 2, 7].map(|index| Augmentation::new().with_seed(7).change(3, index));
        let changes = changes.map(|Change { top, left, mirrored }| (top, left, mirrored));
        assert_eq!(changes, [(5, 8, false), (0, 6, false), (0, 4, false), (0, 3, true)]);
    }

    /// Each of 9 × 9 places about 200 times of 16,200, each direction half of the time: 5 deviations.
    #[test]
    fn changes_are_fair() {
        let mut counts = [[0i32; 9]; 9];
        let mut mirrored = 0i32;
        for index in 0..16_200 {
            let change = Augmentation::new().change(index % 7, index);
            counts[change.top][change.left] += 1;
            mirrored += i32::from(change.mirrored);
        }
        assert!(counts.iter().flatten().all(|count| (count - 200).abs() < 70), "{counts:?}");
        assert!((mirrored - 8_100).abs() < 320, "{mirrored}");
    }

    #[test]
    fn nothing_asked_for_changes_nothing() {
        let nothing = Augmentation::new().with_padding(0).with_flips(false);
        assert_eq!(nothing.apply(&image(9), 5), image(9));
    }
}
