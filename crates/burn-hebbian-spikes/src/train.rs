//! Spikes, or what becomes of them, over time.

use burn::tensor::{Device, Tensor};
use burn_hebbian_core::Span;

use crate::SpikeError;

/// What neurons do over time: `[steps · images, channels, ..]`, time outermost; `X` is the rank of what layers take.
///
/// ```
/// # use burn::tensor::{Device, Tensor};
/// use burn_hebbian_spikes::Train;
/// # let device = Device::flex();
///
/// // three steps of one image with two inputs
/// let train = Train::<2>::new(Tensor::from_data([[1.0, 0.0], [0.0, 0.0], [1.0, 1.0]], &device), 3).unwrap();
/// assert_eq!((train.steps(), train.images()), (3, 1));
/// train.at(2).into_data().assert_eq(&[[1.0, 1.0]].into(), false);
///
/// let error = Train::new(train.values(), 2).unwrap_err().to_string();
/// assert_eq!(error, "train: 3 images are no whole number of trains of 2 steps");
/// ```
#[derive(Debug, Clone)]
pub struct Train<const X: usize> {
    values: Tensor<X>,
    steps: usize,
}

impl<const X: usize> Train<X> {
    /// Of `[steps · images, ..]`, time outermost.
    ///
    /// # Errors
    ///
    /// If there are no steps or no images, or if they are no whole number of trains.
    pub fn new(values: Tensor<X>, steps: usize) -> Result<Self, SpikeError> {
        let images = values.dims()[0];
        if steps > 0 && images > 0 && images.is_multiple_of(steps) {
            return Ok(Self { values, steps });
        }
        Err(SpikeError::Steps { steps, images })
    }

    /// Of `[steps, images, ..]`, of one rank more.
    ///
    /// # Panics
    ///
    /// If the rank is another one, or there are no steps or no images.
    pub fn of_sequence<const S: usize>(values: Tensor<S>) -> Self {
        let dims = values.dims();
        assert!(S == X + 1, "train: a sequence of rank {S} is no train of rank {X}");
        assert!(dims[0] * dims[1] > 0, "train: no steps or no images in {dims:?}");
        Self { values: values.flatten(0, 1), steps: dims[0] }
    }

    /// Of one tensor a step.
    ///
    /// # Panics
    ///
    /// If there are no steps, or their shapes differ.
    pub fn of_steps(steps: Vec<Tensor<X>>) -> Self {
        let count = steps.len();
        assert!(count > 0, "train: no steps");
        Self { values: Tensor::cat(steps, 0), steps: count }
    }

    /// The values, `[steps · images, ..]`.
    pub fn values(&self) -> Tensor<X> {
        self.values.clone()
    }

    /// The number of steps.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// The number of images.
    pub fn images(&self) -> usize {
        self.values.dims()[0] / self.steps
    }

    /// How it lies in time, for what learns from it.
    pub fn span(&self) -> Span {
        Span::trains(self.steps)
    }

    /// The values at a step, `[images, ..]`.
    ///
    /// # Panics
    ///
    /// If it has no such step.
    pub fn at(&self, step: usize) -> Tensor<X> {
        assert!(step < self.steps, "train: no step {step} of {}", self.steps);
        let images = self.images();
        self.values.clone().narrow(0, step * images, images)
    }

    /// What a layer makes of all steps at once.
    ///
    /// # Panics
    ///
    /// If the number of images is another one afterwards.
    pub fn map<const Y: usize>(&self, f: impl FnOnce(Tensor<X>) -> Tensor<Y>) -> Train<Y> {
        let values = f(self.values.clone());
        let (ours, got) = (self.values.dims()[0], values.dims()[0]);
        assert!(got == ours, "train: a layer made {got} images of {ours}");
        Train { values, steps: self.steps }
    }

    /// The device the values are on.
    pub fn device(&self) -> Device {
        self.values.device()
    }

    /// Refuses a train of other steps or images.
    pub(crate) fn check_alike<const Y: usize>(&self, other: &Train<Y>) -> Result<(), SpikeError> {
        if (self.steps, self.images()) == (other.steps, other.images()) {
            return Ok(());
        }
        Err(SpikeError::Unlike {
            ours: self.steps,
            our_images: self.images(),
            theirs: other.steps,
            their_images: other.images(),
        })
    }
}
