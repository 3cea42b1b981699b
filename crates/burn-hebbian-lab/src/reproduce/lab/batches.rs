//! Which images a step learns from.

use crate::data::in_order;

/// Batches of `size` images, the last one of what is left. A single image joins the batch before it: batch norm
/// would take its statistics from that image alone.
pub(super) fn batches(order: &[usize], size: usize) -> impl Iterator<Item = &[usize]> {
    let last = if order.len() > size && order.len() % size == 1 { size + 1 } else { 0 };
    let (whole, last) = order.split_at(order.len() - last);
    whole.chunks(size).chain((!last.is_empty()).then_some(last))
}

/// How many batches so many images make.
pub(super) fn steps(images: usize, size: usize) -> usize {
    batches(&in_order(images), size).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_image_is_no_batch() {
        let sizes = |count, size| batches(&in_order(count), size).map(<[usize]>::len).collect::<Vec<_>>();
        assert_eq!(sizes(8, 4), [4, 4]);
        assert_eq!(sizes(9, 4), [4, 5]);
        assert_eq!(sizes(10, 4), [4, 4, 2]);
        assert_eq!(sizes(5, 4), [5]);
        assert_eq!(sizes(1, 4), [1]);
        assert_eq!(sizes(3, 1), [1, 1, 1]);
        assert_eq!(batches(&in_order(9), 4).collect::<Vec<_>>().concat(), in_order(9));
    }
}
