//! How the two sides of a correlation are laid out for products of matrices.

use burn::tensor::Tensor;

/// `Σ f(x, c)` over chunks of so many images.
pub(super) fn sum_of_images<const D: usize>(
    x: Tensor<5>,
    c: Tensor<5>,
    images: usize,
    f: impl Fn(Tensor<5>, Tensor<5>) -> Tensor<D>,
) -> Tensor<D> {
    let n = x.dims()[0];
    let chunk = |start: usize| {
        let count = images.min(n - start);
        f(x.clone().narrow(0, start, count), c.clone().narrow(0, start, count))
    };
    let first = chunk(0);
    (images..n).step_by(images).fold(first, |sum, start| sum + chunk(start))
}

/// `[n, groups · members, …]` → `[groups, members, n · positions]`.
///
/// Images join the positions they are summed with: one product a group.
pub(super) fn by_group(x: Tensor<5>, groups: usize) -> Tensor<3> {
    let [n, all, depth, height, width] = x.dims();
    x.swap_dims(0, 1).reshape([groups, all / groups, n * depth * height * width])
}

/// `[n, groups · channels, depth, height, width]` → `[groups · n, depth, height, width, channels]`, contiguous: windows
/// over it are views.
pub(super) fn channels_last(groups: usize, x: Tensor<5>) -> Tensor<5> {
    let [n, all, depth, height, width] = x.dims();
    let (channels, positions) = (all / groups, depth * height * width);
    x.reshape([n, groups, channels, positions])
        .permute([1, 0, 3, 2])
        .reshape([groups * n * positions * channels])
        .reshape([groups * n, depth, height, width, channels])
}
