//! Channels of mean 0 and variance 1.

use burn::tensor::{Device, Tensor, TensorData};

use super::FeatureRows;
use crate::evaluation::EvaluationError;

/// Added to variances: a channel that never changes has none.
const EPSILON: f64 = 1e-5;

/// Mean and inverse deviation of every channel.
#[derive(Debug, Clone)]
pub(super) struct Standard {
    channels: Vec<Channel>,
    groups: usize,
    positions: usize,
}

#[derive(Debug, Clone, Copy)]
struct Channel {
    mean: f32,
    inverse: f32,
}

impl Standard {
    pub(super) fn of(features: &impl FeatureRows, groups: usize) -> Result<Self, EvaluationError> {
        let [channels, height, width] = features.dims();
        let (positions, count) = (height * width, features.labels().len());
        let mut row = vec![0.0; channels * positions];
        let mut sums = vec![[0f64; 2]; channels];
        for index in 0..count {
            features.read(index, &mut row)?;
            for (sums, plane) in sums.iter_mut().zip(row.chunks_exact(positions)) {
                // a plane is short: its sum in f32 is exact enough
                let [sum, squares] =
                    plane.iter().fold([0f32; 2], |[sum, squares], x| [sum + x, squares + x * x]);
                sums[0] += f64::from(sum);
                sums[1] += f64::from(squares);
            }
            check_finite("training", index, &row)?;
        }
        let all = (count * positions) as f64;
        let channel = |[sum, squares]: [f64; 2]| {
            let mean = sum / all;
            // clamp: rounding leaves less than 0 where a channel never changes
            let variance = (squares / all - mean * mean).max(0.0);
            Channel { mean: mean as f32, inverse: (variance + EPSILON).sqrt().recip() as f32 }
        };
        Ok(Self { channels: sums.into_iter().map(channel).collect(), groups, positions })
    }

    /// Values of a feature.
    pub(super) fn len(&self) -> usize {
        self.channels.len() * self.positions
    }

    /// `[groups, channels of a group, chosen · positions]`.
    pub(super) fn batch(
        &self,
        features: &impl FeatureRows,
        chosen: &[usize],
        device: &Device,
    ) -> Result<Tensor<3>, EvaluationError> {
        let (positions, columns) = (self.positions, chosen.len() * self.positions);
        let (mut row, mut batch) = (vec![0.0; self.len()], vec![0.0; self.channels.len() * columns]);
        for (place, &index) in chosen.iter().enumerate() {
            features.read(index, &mut row)?;
            check_finite("test", index, &row)?; // those of training were looked at
            let planes = row.chunks_exact(positions).zip(&self.channels);
            for ((plane, Channel { mean, inverse }), all) in planes.zip(batch.chunks_exact_mut(columns)) {
                let into = &mut all[place * positions..][..positions];
                into.iter_mut().zip(plane).for_each(|(to, x)| *to = (x - mean) * inverse);
            }
        }
        let dims = [self.groups, self.channels.len() / self.groups, columns];
        Ok(Tensor::from_data(TensorData::new(batch, dims), device))
    }
}

fn check_finite(set: &'static str, index: usize, row: &[f32]) -> Result<(), EvaluationError> {
    // of what is finite all zeros
    if row.iter().fold(0.0, |sum, value| sum + value * 0.0) == 0.0 {
        return Ok(());
    }
    let value = row.iter().copied().find(|value| !value.is_finite()).unwrap_or(f32::NAN);
    Err(EvaluationError::NotFinite { set, index, value })
}
