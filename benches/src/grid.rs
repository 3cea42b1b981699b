//! Layers of the literature, for benches that compare forms of one sum.

use burn_hebbian::lab::strategies::case;
use burn_hebbian::nn::forms::CorrelationForm;

pub use burn_hebbian::lab::strategies::Case;

/// The forms of a correlation by itself.
pub const FORMS: [CorrelationForm; 5] = [
    CorrelationForm::Gradient,
    CorrelationForm::Taps,
    CorrelationForm::Patches,
    CorrelationForm::Images,
    CorrelationForm::Views,
];

const fn depthwise(channels: usize, stride: usize, size: usize) -> Case {
    case("MobileNetV2", 8, [channels, channels], [3, stride, 1], channels, size)
}

/// Convolutions with one to thousands of neurons, one to 49 taps and 9 to 50176 positions.
pub const CASES: [Case; 56] = [
    case("six-layer", 64, [3, 96], [5, 1, 0], 1, 32),
    case("six-layer", 64, [96, 128], [3, 1, 0], 1, 14),
    case("six-layer", 64, [128, 192], [3, 1, 0], 1, 12),
    case("six-layer", 64, [192, 256], [3, 1, 0], 1, 5),
    case("six-layer", 1, [3, 96], [5, 1, 0], 1, 32),
    case("six-layer", 1, [96, 128], [3, 1, 0], 1, 14),
    case("six-layer", 1, [128, 192], [3, 1, 0], 1, 12),
    case("six-layer", 1, [192, 256], [3, 1, 0], 1, 5),
    case("SoftHebb", 10, [3, 96], [5, 1, 2], 1, 32),
    case("SoftHebb", 10, [96, 384], [3, 1, 1], 1, 16),
    case("SoftHebb", 10, [384, 1536], [3, 1, 1], 1, 8),
    case("VGG-11", 2, [3, 64], [3, 1, 1], 1, 224),
    case("VGG-11", 2, [64, 128], [3, 1, 1], 1, 112),
    case("VGG-11", 2, [128, 256], [3, 1, 1], 1, 56),
    case("VGG-11", 2, [256, 256], [3, 1, 1], 1, 56),
    case("VGG-11", 2, [256, 512], [3, 1, 1], 1, 28),
    case("VGG-11", 2, [512, 512], [3, 1, 1], 1, 28),
    case("VGG-11", 2, [512, 512], [3, 1, 1], 1, 14),
    case("ResNet-18", 4, [3, 64], [7, 2, 3], 1, 224),
    case("ResNet-18", 4, [64, 64], [3, 1, 1], 1, 56),
    case("ResNet-18", 4, [64, 128], [3, 2, 1], 1, 56),
    case("ResNet-18", 4, [64, 128], [1, 2, 0], 1, 56),
    case("ResNet-18", 4, [128, 128], [3, 1, 1], 1, 28),
    case("ResNet-18", 4, [128, 256], [3, 2, 1], 1, 28),
    case("ResNet-18", 4, [256, 256], [3, 1, 1], 1, 14),
    case("ResNet-18", 4, [256, 512], [3, 2, 1], 1, 14),
    case("ResNet-18", 4, [256, 512], [1, 2, 0], 1, 14),
    case("ResNet-18", 4, [512, 512], [3, 1, 1], 1, 7),
    case("DenseNet-121", 4, [64, 128], [1, 1, 0], 1, 56),
    case("DenseNet-121", 4, [224, 128], [1, 1, 0], 1, 56),
    case("DenseNet-121", 4, [512, 256], [1, 1, 0], 1, 28),
    case("DenseNet-121", 4, [512, 128], [1, 1, 0], 1, 14),
    case("DenseNet-121", 4, [992, 128], [1, 1, 0], 1, 7),
    case("DenseNet-121", 4, [128, 32], [3, 1, 1], 1, 56),
    case("DenseNet-121", 4, [128, 32], [3, 1, 1], 1, 28),
    case("DenseNet-121", 4, [128, 32], [3, 1, 1], 1, 14),
    case("DenseNet-121", 4, [128, 32], [3, 1, 1], 1, 7),
    case("MobileNetV2", 8, [3, 32], [3, 2, 1], 1, 224),
    case("MobileNetV2", 8, [16, 96], [1, 1, 0], 1, 112),
    case("MobileNetV2", 8, [144, 24], [1, 1, 0], 1, 56),
    case("MobileNetV2", 8, [64, 384], [1, 1, 0], 1, 14),
    case("MobileNetV2", 8, [320, 1280], [1, 1, 0], 1, 7),
    depthwise(32, 1, 112),
    depthwise(96, 2, 112),
    depthwise(144, 1, 56),
    depthwise(144, 2, 56),
    depthwise(192, 1, 28),
    depthwise(192, 2, 28),
    depthwise(384, 1, 14),
    depthwise(576, 2, 14),
    depthwise(960, 1, 7),
    case("groups", 16, [64, 64], [3, 1, 1], 4, 28),
    case("groups", 16, [64, 64], [5, 2, 2], 8, 14),
    case("groups", 4, [256, 256], [3, 1, 1], 32, 14),
    case("digits", 64, [1, 32], [5, 1, 0], 1, 28),
    case("digits", 64, [1, 16], [3, 1, 1], 1, 8),
];

/// One layer that grows in its batch, its channels and neurons, its kernel, and its images.
pub const SCALING: [Case; 16] = [
    scaled(1, 64, 3, 28),
    scaled(4, 64, 3, 28),
    scaled(16, 64, 3, 28),
    scaled(64, 64, 3, 28),
    scaled(8, 8, 3, 28),
    scaled(8, 16, 3, 28),
    scaled(8, 32, 3, 28),
    scaled(8, 128, 3, 28),
    scaled(8, 256, 3, 28),
    scaled(8, 512, 3, 28),
    scaled(8, 64, 1, 28),
    scaled(8, 64, 5, 28),
    scaled(8, 64, 7, 28),
    scaled(8, 64, 3, 7),
    scaled(8, 64, 3, 14),
    scaled(8, 64, 3, 56),
];

const fn scaled(batch: usize, channels: usize, kernel: usize, size: usize) -> Case {
    case("scaling", batch, [channels; 2], [kernel, 1, kernel / 2], 1, size)
}
