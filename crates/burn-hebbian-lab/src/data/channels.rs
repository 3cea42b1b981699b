//! Mean and deviation of every channel.

use super::Labeled;

/// Variances below this count as this. Clamp: a constant channel has no deviation to divide by.
const MIN_VARIANCE: f64 = 1e-10;

/// Mean and deviation of every channel over all images and positions.
#[derive(Debug, Clone, PartialEq)]
pub struct ChannelStatistics {
    mean: Vec<f32>,
    inverse_deviation: Vec<f32>,
}

impl ChannelStatistics {
    /// The statistics of `images`.
    pub fn of(images: &Labeled) -> Self {
        let [channels, ..] = images.dims;
        let (mut sums, mut squares) = (vec![0.0; channels], vec![0.0; channels]);
        for (index, plane) in images.values.chunks_exact(plane_len(images)).enumerate() {
            // One plane in f32, the planes in f64: fast, and exact enough for a billion values.
            sums[index % channels] += f64::from(plane.iter().sum::<f32>());
            squares[index % channels] += f64::from(plane.iter().map(|value| value * value).sum::<f32>());
        }
        // clamp: no images, no statistics.
        let count = (images.len() * plane_len(images)).max(1) as f64;
        let mean: Vec<f64> = sums.iter().map(|sum| sum / count).collect();
        let variance = squares.iter().zip(&mean).map(|(square, mean)| square / count - mean * mean);
        Self {
            inverse_deviation: variance.map(|v| v.max(MIN_VARIANCE).sqrt().recip() as f32).collect(),
            mean: mean.into_iter().map(|mean| mean as f32).collect(),
        }
    }

    /// Statistics as they were stored.
    pub(super) fn from_parts(mean: Vec<f32>, inverse_deviation: Vec<f32>) -> Self {
        Self { mean, inverse_deviation }
    }

    /// The mean of every channel.
    pub fn mean(&self) -> &[f32] {
        &self.mean
    }

    /// 1 / deviation of every channel, what it is scaled by.
    pub fn inverse_deviation(&self) -> &[f32] {
        &self.inverse_deviation
    }

    /// Brings every channel to mean 0 and deviation 1, by these statistics.
    pub fn standardize(&self, images: &mut Labeled) {
        let len = plane_len(images);
        let channels = self.mean.len();
        for (index, plane) in images.values.chunks_exact_mut(len).enumerate() {
            let (mean, scale) = (self.mean[index % channels], self.inverse_deviation[index % channels]);
            plane.iter_mut().for_each(|value| *value = (*value - mean) * scale);
        }
    }
}

/// Values of one channel of one image.
fn plane_len(images: &Labeled) -> usize {
    let [_, height, width] = images.dims;
    (height * width).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standardizes_every_channel_by_the_statistics_of_others() {
        let mut images = Labeled::with_capacity([2, 1, 2], 2);
        images.push([1.0, 3.0, 10.0, 10.0], 0);
        images.push([5.0, 7.0, 30.0, 30.0], 0);
        let statistics = ChannelStatistics::of(&images);
        statistics.standardize(&mut images);
        let deviation = 5f32.sqrt();
        let expected =
            [-3.0 / deviation, -1.0 / deviation, -1.0, -1.0, 1.0 / deviation, 3.0 / deviation, 1.0, 1.0];
        for (value, expected) in images.values.iter().zip(expected) {
            assert!((value - expected).abs() < 1e-6, "{value} {expected}");
        }
    }

    #[test]
    fn a_constant_channel_stays_finite() {
        let mut images = Labeled::with_capacity([1, 1, 2], 1);
        images.push([0.5, 0.5], 0);
        ChannelStatistics::of(&images).standardize(&mut images);
        assert_eq!(images.values, [0.0, 0.0]);
    }
}
