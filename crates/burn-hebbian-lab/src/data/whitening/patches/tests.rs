use super::*;
use crate::data::whitening::eigen::tests::assert_identity;

/// Images of two channels of 5 × 4 whose pixels depend on their neighbors.
fn correlated(count: usize) -> Labeled {
    let mut random = SplitMix::new(3);
    let mut images = Labeled::with_capacity([2, 5, 4], count);
    for _ in 0..count {
        let noise: Vec<f32> = (0..41).map(|_| random.below(1000) as f32 / 1000.0).collect();
        images.push((0..40).map(|i| 2.0 * noise[i] + noise[i + 1] + 0.1 * (i % 4) as f32), 0);
    }
    images
}

fn config() -> PatchWhiteningConfig {
    PatchWhiteningConfig::new(3).with_patches(4000).with_seed(5)
}

fn zca(config: &PatchWhiteningConfig, smoothing: f64) -> PatchZca {
    config.fit(&correlated(300), &Device::flex()).unwrap().zca(smoothing)
}

/// Every patch of every image, cut by hand: `[images · 3 · 2, 18]`.
fn patches(images: &Labeled) -> Vec<Vec<f32>> {
    let mut patches = vec![];
    for index in 0..images.len() {
        for (top, left) in (0..3).flat_map(|top| (0..2).map(move |left| (top, left))) {
            let place = |i: usize| i / 9 * 20 + (top + i % 9 / 3) * 4 + left + i % 3;
            patches.push((0..18).map(|i| images.image(index)[place(i)]).collect());
        }
    }
    patches
}

fn rows(patches: &[Vec<f32>]) -> Tensor<2> {
    let data = TensorData::new(patches.concat(), [patches.len(), patches[0].len()]);
    Tensor::from_data(data, &Device::flex())
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter().collect()
}

fn assert_close(values: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(values.len(), expected.len());
    for (index, (value, expected)) in values.iter().zip(expected).enumerate() {
        assert!((value - expected).abs() < tolerance, "{index}: {value}, expected {expected}");
    }
}

#[test]
fn random_patches_are_patches_and_all_of_them_appear() {
    let images = correlated(2);
    let all = patches(&images);
    let space = PatchSpace { channels: 2, side: 3, contrast: None };
    let mut random = SplitMix::new(1);
    let seen: std::collections::BTreeSet<usize> = (0..200)
        .map(|_| space.random_patch(&images, &mut random))
        .map(|patch| all.iter().position(|other| *other == patch).unwrap())
        .collect();
    assert_eq!(seen.len(), 12);
}

#[test]
fn little_smoothing_makes_the_covariance_the_identity() {
    let images = correlated(300);
    let whitened = zca(&config().with_patches(CHUNK + 7), 1e-9).whiten(rows(&patches(&images)));
    let moments = Moments::of(18, [whitened].into_iter(), &Device::flex());
    // the fit has seen a sample of what is whitened
    assert_identity(&moments.covariance, 0.15);
    let sample = config();
    let device = Device::flex();
    let space = PatchSpace { channels: 2, side: 3, contrast: None };
    let mut random = SplitMix::new(sample.seed);
    let seen: Vec<_> = (0..sample.patches).map(|_| space.random_patch(&images, &mut random)).collect();
    let whitened = zca(&sample, 1e-9).whiten(rows(&seen));
    assert_identity(&Moments::of(18, [whitened].into_iter(), &device).covariance, 1e-3);
}

#[test]
fn contrast_is_normalized_as_by_hand() {
    let space = PatchSpace { channels: 1, side: 2, contrast: Some(1.0) };
    let patch = rows(&[vec![1.0, 1.0, 5.0, 5.0], vec![3.0; 4]]);
    let expected = 2.0 / 5f32.sqrt();
    let expected = [-expected, -expected, expected, expected, 0.0, 0.0, 0.0, 0.0];
    assert_close(&values(space.normalized(patch)), &expected, 1e-6);
}

/// Whitened patch by patch and as a convolution, with and without contrast normalization.
#[test]
fn a_convolution_whitens_every_patch() {
    let images = correlated(4);
    for contrast in [None, Some(0.05)] {
        let zca = zca(&config().with_contrast(contrast), 0.1);
        let each = zca.whiten(rows(&patches(&images)));
        let convolved = zca.apply(images.images(&[0, 1, 2, 3], &Device::flex()));
        assert_eq!(convolved.dims(), [4, 18, 3, 2]);
        let convolved = convolved.permute([0, 2, 3, 1]).reshape([24, 18]);
        assert_close(&values(convolved), &values(each), 1e-4);
    }
}

#[test]
fn folded_filters_answer_as_on_whitened_patches() {
    let (device, images) = (Device::flex(), correlated(3));
    let filters = Tensor::<4>::from_data(
        TensorData::new((0..90).map(|i| ((i * 7) % 11) as f32 - 5.0).collect(), [5, 2, 3, 3]),
        &device,
    );
    let bias = Tensor::<1>::from_floats([1.0, -1.0, 0.5, 0.0, 2.0], &device);
    for contrast in [None, Some(0.05)] {
        let zca = zca(&config().with_contrast(contrast), 0.1);
        let whitened = zca.whiten(rows(&patches(&images)));
        let expected =
            whitened.matmul(filters.clone().reshape([5, 18]).transpose()) + bias.clone().unsqueeze();
        let folded = zca.fold(filters.clone(), Some(bias.clone()));
        let all = folded.forward(images.images(&[0, 1, 2], &device), 1);
        assert_eq!(all.dims(), [3, 5, 3, 2]);
        let rows = all.clone().permute([0, 2, 3, 1]).reshape([18, 5]);
        assert_close(&values(rows), &values(expected), 2e-3);
        let some = folded.forward(images.images(&[0, 1, 2], &device), 2);
        assert_close(&values(some.narrow(2, 1, 1)), &values(all.narrow(2, 2, 1).narrow(3, 0, 1)), 1e-5);
    }
}

#[test]
#[should_panic(expected = "filters [filters, channels, side, side] of the size of the patches")]
fn filters_of_another_size_are_refused() {
    zca(&config(), 0.1).fold(Tensor::zeros([5, 2, 3, 2], &Device::flex()), None);
}

/// The mean of a contrast-normalized patch is 0: one direction is missing. Of blank images all are.
#[test]
fn patches_are_whitened_without_smoothing() {
    let images = correlated(300);
    let mut blank = correlated(2);
    blank.values.fill(0.3);
    let config = config().with_contrast(Some(1e-3));
    for (data, rank) in [(&images, 17), (&blank, 0)] {
        let spectrum = config.fit(data, &Device::flex()).unwrap();
        assert_eq!(spectrum.rank(), rank);
        let whitened = values(spectrum.zca(0.0).apply(images.images(&[0, 1], &Device::flex())));
        assert!(whitened.iter().all(|value| value.abs() < 10.0), "{whitened:?}");
    }
}

#[test]
fn a_blank_patch_stays_finite() {
    let zca = zca(&config().with_contrast(Some(0.0)), 0.1);
    let blank = Tensor::<4>::full([1, 2, 3, 3], 0.3, &Device::flex());
    assert!(values(zca.apply(blank)).iter().all(|value| value.is_finite() && value.abs() < 10.0));
}

#[test]
fn a_saved_transform_is_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("zca.safetensors");
    for contrast in [None, Some(10.0 / 65025.0)] {
        let zca = zca(&config().with_contrast(contrast), 0.1);
        zca.save(&path).unwrap();
        let loaded = PatchZca::load(&path, &Device::flex()).unwrap();
        assert_eq!(loaded.space, zca.space);
        let images = correlated(3).images(&[0, 2], &Device::flex());
        assert_eq!(values(loaded.apply(images.clone())), values(zca.apply(images)));
    }
}

#[test]
fn the_same_seed_gives_the_same_transform() {
    let [one, same] = [5, 5].map(|seed| values(zca(&config().with_seed(seed), 0.1).matrix));
    assert_eq!(one, same);
    assert_ne!(one, values(zca(&config().with_seed(6), 0.1).matrix));
}

#[test]
fn impossible_patches_are_refused() {
    let message = |config: PatchWhiteningConfig, images: &Labeled| {
        config.fit(images, &Device::flex()).unwrap_err().to_string()
    };
    let error = message(PatchWhiteningConfig::new(5), &correlated(3));
    assert_eq!(error, "whitening: patches of 5 × 5 pixels from 3 images of 4 × 5");
    assert!(message(PatchWhiteningConfig::new(0), &correlated(3)).contains("0 × 0"));
    assert!(message(PatchWhiteningConfig::new(2), &correlated(0)).contains("0 images"));
    let error = message(config().with_contrast(Some(-1.0)), &correlated(3));
    assert_eq!(error, "whitening: contrast constant -1, expected 0 or more");
    assert!(message(config().with_contrast(Some(f64::NAN)), &correlated(3)).contains("NaN"));
    let mut broken = correlated(3);
    broken.values.fill(f32::NAN);
    assert!(message(config(), &broken).contains("4000 patches"));
}

#[test]
fn patches_too_large_for_a_covariance_are_refused() {
    let mut images = Labeled::with_capacity([3, 80, 80], 1);
    images.push(vec![0.5; 3 * 80 * 80], 0);
    let fit = |side, patches| {
        let config = PatchWhiteningConfig::new(side).with_patches(patches);
        config.fit(&images, &Device::flex()).unwrap_err().to_string()
    };
    let error = fit(75, 10);
    assert!(
        error.starts_with("whitening: patches of 3 × 75 × 75 are 16875 values, a covariance of 1.1 GB"),
        "{error}"
    );
    assert_eq!(fit(3, 0), "whitening: no patches to fit it on");
}
