//! Parts of labeled data: a share of every class, or the last fifth.

use burn_hebbian_train::shuffled;

/// The shares of labeled images that label-scarce experiments of the field compare.
///
/// Source: G. Lagani, F. Falchi, C. Gennaro and G. Amato, "Hebbian semi-supervised learning in a sample efficiency
/// setting", *Neural Networks* 143 (2021), doi:10.1016/j.neunet.2021.08.003.
pub const SHARES: [f64; 8] = [0.01, 0.02, 0.03, 0.04, 0.05, 0.1, 0.25, 1.0];

/// What cannot be split.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SplitError {
    /// A share that is none.
    #[error("share {share}: expected more than 0 and at most 1")]
    Share {
        /// What was asked for.
        share: f64,
    },
    /// Too few images for a fifth of them.
    #[error("the last fifth of {images} images: expected 5 images or more")]
    TooFew {
        /// The images that there are.
        images: usize,
    },
    /// A class of which nothing would be left to learn from.
    #[error("share {share}: all of class {class} would be held out, {images} images")]
    NothingLeft {
        /// What was asked for.
        share: f64,
        /// The class.
        class: u16,
        /// Its images.
        images: usize,
    },
}

/// A `share` of the images of every class, rounded, at least one; and the rest. Both are positions in `labels` in
/// ascending order.
///
/// The same on every machine. With one seed a smaller share lies within a larger one.
///
/// ```
/// use burn_hebbian_lab::data::stratified;
///
/// let labels = [7, 7, 7, 7, 2, 2];
/// let (chosen, rest) = stratified(&labels, 0.5, 1)?;
/// assert_eq!((chosen.len(), rest.len()), (3, 3));
/// assert_eq!(chosen.iter().filter(|&&index| labels[index] == 2).count(), 1);
/// # Ok::<(), burn_hebbian_lab::data::SplitError>(())
/// ```
///
/// # Errors
///
/// If the share is not in (0, 1].
pub fn stratified(labels: &[u16], share: f64, seed: u64) -> Result<(Vec<usize>, Vec<usize>), SplitError> {
    // not `share <= 0.0 || share > 1.0`: NaN is no share either
    if !(share > 0.0 && share <= 1.0) {
        return Err(SplitError::Share { share });
    }
    let mut is_chosen = vec![false; labels.len()];
    for (class, members) in members(labels).iter().enumerate() {
        for &index in shuffled(members.len(), seed, class).iter().take(count(members.len(), share)) {
            is_chosen[members[index]] = true;
        }
    }
    Ok((0..labels.len()).partition(|&index| is_chosen[index]))
}

/// All but the last fifth of `0..count`, and the last fifth.
///
/// # Errors
///
/// If there are fewer than five.
pub fn last_fifth(count: usize) -> Result<(Vec<usize>, Vec<usize>), SplitError> {
    match count {
        0..5 => Err(SplitError::TooFew { images: count }),
        _ => Ok((0..count).partition(|&index| index < count / 5 * 4)),
    }
}

/// The positions of the images of every class.
fn members(labels: &[u16]) -> Vec<Vec<usize>> {
    let classes = labels.iter().max().map_or(0, |&last| usize::from(last) + 1);
    let mut members = vec![vec![]; classes];
    for (index, &label) in labels.iter().enumerate() {
        members[usize::from(label)].push(index);
    }
    members
}

/// Images of a class that has `members`. Clamp: a class of few images keeps one.
fn count(members: usize, share: f64) -> usize {
    ((members as f64 * share).round() as usize).max(1)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// 700 images: 399 of class 0, 200 of class 3, 100 of class 5, one of class 300.
    fn labels() -> Vec<u16> {
        let label = |i: usize| match i {
            350 => 300,
            _ if i % 7 < 4 => 0,
            _ if i % 7 < 6 => 3,
            _ => 5,
        };
        (0..700).map(label).collect()
    }

    fn per_class(part: &[usize]) -> [usize; 4] {
        let labels = labels();
        [0, 3, 5, 300].map(|class| part.iter().filter(|&&index| labels[index] == class).count())
    }

    #[test]
    fn every_class_gives_its_share() {
        assert_eq!(per_class(&(0..700).collect::<Vec<_>>()), [399, 200, 100, 1]);
        for (share, expected) in [
            (0.01, [4, 2, 1, 1]),
            (0.02, [8, 4, 2, 1]),
            (0.05, [20, 10, 5, 1]),
            (0.1, [40, 20, 10, 1]),
            (0.25, [100, 50, 25, 1]),
            (1.0, [399, 200, 100, 1]),
        ] {
            let (chosen, _) = stratified(&labels(), share, 4).unwrap();
            assert_eq!(per_class(&chosen), expected, "{share}");
        }
        // one of a class even where its share rounds to none
        let (chosen, _) = stratified(&labels(), 0.001, 4).unwrap();
        assert_eq!(per_class(&chosen), [1, 1, 1, 1]);
    }

    #[test]
    fn both_parts_hold_everything_once_in_order() {
        for share in SHARES {
            let (chosen, rest) = stratified(&labels(), share, 9).unwrap();
            assert!(chosen.is_sorted() && rest.is_sorted());
            let all: BTreeSet<usize> = chosen.iter().chain(&rest).copied().collect();
            assert_eq!((all.len(), chosen.len() + rest.len()), (700, 700), "{share}");
        }
    }

    #[test]
    fn smaller_shares_lie_within_larger_ones() {
        let parts = SHARES
            .map(|share| stratified(&labels(), share, 2).unwrap().0.into_iter().collect::<BTreeSet<_>>());
        for pair in parts.windows(2) {
            assert!(pair[0].is_subset(&pair[1]) && pair[0].len() < pair[1].len());
        }
    }

    /// A published table must be repeatable.
    #[test]
    fn a_split_is_always_the_same() {
        let labels: Vec<u16> = (0..40).map(|i| i % 4).collect();
        let expected = [4, 6, 11, 13, 17, 18, 24, 39];
        assert_eq!(stratified(&labels, 0.2, 7).unwrap().0, expected);
        assert_ne!(stratified(&labels, 0.2, 8).unwrap().0, expected);
    }

    #[test]
    fn impossible_shares_are_refused() {
        for share in [0.0, -0.1, 1.01, f64::NAN, f64::INFINITY] {
            assert!(stratified(&[0, 1], share, 0).is_err(), "{share}");
        }
        let error = stratified(&[0, 1], 1.5, 0).unwrap_err();
        assert_eq!(error.to_string(), "share 1.5: expected more than 0 and at most 1");
    }

    #[test]
    fn no_images_have_no_parts() {
        assert_eq!(stratified(&[], 0.5, 0).unwrap(), (vec![], vec![]));
    }

    #[test]
    fn the_last_fifth_is_the_last() {
        assert_eq!(last_fifth(11).unwrap(), ((0..8).collect(), (8..11).collect()));
        assert_eq!(last_fifth(5).unwrap(), ((0..4).collect(), vec![4]));
    }

    #[test]
    fn fewer_than_five_have_no_fifth() {
        for images in 0..5 {
            assert_eq!(last_fifth(images).unwrap_err(), SplitError::TooFew { images });
        }
        let error = last_fifth(3).unwrap_err();
        assert_eq!(error.to_string(), "the last fifth of 3 images: expected 5 images or more");
    }
}
