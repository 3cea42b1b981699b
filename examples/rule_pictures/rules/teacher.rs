//! Neurons that are told the class, one a class.

use anyhow::Result;
use burn::tensor::Device;
use burn_hebbian::lab::digits::CLASSES;
use burn_hebbian::lab::{data::Labeled, evaluation::accuracy};
use burn_hebbian::{
    nn::Output,
    prelude::Rule,
    rules::{Gate, Teacher},
};

use crate::{
    data::Data,
    lesson::{Lesson, vectors},
    picture::Picture,
};

/// Class means.
pub(crate) fn teacher(data: &Data) -> Result<Picture> {
    let lesson = Lesson::new(Rule::teacher(), CLASSES, &data.contrast);
    let layer = lesson.learn()?.with_output(Output::projection());
    let scores = |images| layer.forward(images).flatten(1, 3);
    let line = format!("{:.1} % of the test part right", accuracy(&data.test, &Device::flex(), scores));
    Ok(Picture::of(&layer, CLASSES / 2, line))
}

/// Of each pixel's ink, the share that each class has.
pub(crate) fn outstar(data: &Data) -> Result<Picture> {
    let rule = Rule::outstar().with_teacher(Teacher::PerNeuron).with_gate(Gate::Competition);
    let whole = data.ink.len();
    let lesson = Lesson { batch: whole, rate: 2.0, ..Lesson::new(rule, CLASSES, &data.ink) };
    let layer = lesson.learn()?;
    let ink: Vec<f64> = sums(&data.ink, |_| true);
    let weights: Vec<f64> = vectors(&layer).into_data().iter::<f64>().collect();
    let error = |class: usize, pixel: usize, own: f64| {
        if ink[pixel] > 0.05 * whole as f64 {
            (weights[class * ink.len() + pixel] - own / ink[pixel]).abs()
        } else {
            0.0
        }
    };
    let errors = (0..CLASSES).flat_map(|class| {
        let own = sums(&data.ink, |label| usize::from(label) == class);
        own.into_iter().enumerate().map(move |(pixel, own)| (class, pixel, own)).collect::<Vec<_>>()
    });
    let largest = errors.map(|(class, pixel, own)| error(class, pixel, own)).fold(0.0, f64::max);
    let line = format!(
        "largest distance to the share of a pixel's ink that a class has {largest:.1e}, pixels of little ink aside"
    );
    Ok(Picture::of(&layer, CLASSES / 2, line))
}

/// The ink of every pixel, over the images of some classes.
fn sums(images: &Labeled, counts: impl Fn(u16) -> bool) -> Vec<f64> {
    let mut sums = vec![0.0; images.image_len()];
    for index in (0..images.len()).filter(|index| counts(images.labels[*index])) {
        sums.iter_mut().zip(images.image(index)).for_each(|(sum, ink)| *sum += f64::from(*ink));
    }
    sums
}
