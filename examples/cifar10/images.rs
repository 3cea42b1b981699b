//! The images in three parts, whitened as each layer wants them.

use anyhow::{Result, ensure};
use burn::tensor::Device;
use burn_hebbian_examples::{cifar10::Parts, labelled::Labelled, measure::measured, whitening::Spectrum};

use crate::Args;

/// The images in three parts, and what whitening needs to know of the first.
pub(crate) struct Images {
    /// What is learnt from: four fifths of the official training images.
    pub(crate) training: Labelled,
    validation: Labelled,
    test: Labelled,
    spectrum: Spectrum,
}

impl Images {
    /// Reads the images; the last fifth of the training images is kept to choose the epoch on.
    pub(crate) fn read(args: &Args) -> Result<Self> {
        let Parts { training, validation, test } = Parts::read(&args.data, args.subset)?;
        let enough = !training.is_empty() && !test.is_empty();
        ensure!(enough, "{} training images are too few: take at least 5", validation.len());
        let (spectrum, cost) = measured(|| Spectrum::fit(&training, &Device::flex()));
        println!(
            "{} training, {} validation, {} test images; whitening fitted in {:.0} s",
            training.len(),
            validation.len(),
            test.len(),
            cost.seconds
        );
        Ok(Self { training, validation, test, spectrum: spectrum? })
    }

    /// Training, validation and test part.
    pub(crate) fn parts(&self) -> [&Labelled; 3] {
        [&self.training, &self.validation, &self.test]
    }

    /// A part as a layer sees it: channels standardised, and whitened if there is a smoothing.
    pub(crate) fn prepared(&self, part: &Labelled, smoothing: Option<f64>) -> Labelled {
        let mut images = part.clone();
        match smoothing {
            Some(smoothing) => self.spectrum.zca(smoothing).apply(&mut images),
            None => self.spectrum.statistics().standardise(&mut images),
        }
        images
    }
}
