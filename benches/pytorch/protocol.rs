//! Protocols of the literature from end to end, by the public API: images are read, layers learn, features are computed.

use std::{
    fmt,
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Result, bail};
use burn::{
    data::dataloader::{DataLoader, batcher::Batcher},
    module::Module,
    optim::SgdConfig,
    tensor::{Device, Tensor},
};
use burn_hebbian::{
    lab::{
        data::{
            ImageBatcher, ImageFolder, ImageFolderConfig, Labeled, LabeledImage, ReadAheadLoader, Spectrum,
            Zca, in_order,
        },
        export::Arrays,
        models::{SixLayer, SixLayerConfig, SoftHebbConfig, pytorch::FromPytorch},
    },
    optim::{Entry, Rest},
    prelude::*,
    train::{Batch, EpochCounter, pipeline::Staged},
};
use burn_hebbian_benches::networks::CLASSES;

use crate::{threads, weights::weights};

/// Of the orders of images.
const SEED: u64 = 0;

/// Images that a thread decodes at a time, and of which features are computed at a time.
const CHUNK: usize = 250;

/// Of the thesis.
const SMOOTHING: f64 = 0.1;

/// What a protocol leaves.
pub(crate) struct Outcome {
    /// Seconds by phase.
    pub(crate) phases: Phases,
    arrays: Box<dyn Fn() -> Result<Arrays>>,
}

impl Outcome {
    /// Writes the weights, and the features of training and test images.
    pub(crate) fn save(&self, file: &Path) -> Result<()> {
        Ok((self.arrays)()?.save(file)?)
    }

    fn new<N: Module + 'static>(
        phases: Phases,
        net: N,
        features: impl Fn(&N) -> Result<[Labeled; 2]> + 'static,
    ) -> Self {
        let arrays = move || {
            let mut arrays = Arrays::new();
            for weight in weights(&net) {
                arrays = arrays.with_values(weight.path, &weight.shape, &weight.values)?;
            }
            for (name, part) in ["training", "test"].into_iter().zip(features(&net)?) {
                let [channels, height, width] = part.dims;
                let shape = [part.len(), channels, height, width];
                arrays = arrays.with_values(format!("features.{name}"), &shape, &part.values)?;
            }
            Ok(arrays)
        };
        Self { phases, arrays: Box::new(arrays) }
    }
}

/// Runs a protocol on `folder/train/CLASS` and `folder/test/CLASS`, from PyTorch's weights.
pub(crate) fn run(name: &str, folder: &Path, weights: &Path) -> Result<Outcome> {
    match name {
        "softhebb" => soft_hebb(folder, weights),
        "thesis" => thesis(folder, weights),
        _ => bail!("no protocol `{name}`"),
    }
}

/// Fits the whitening of the thesis to the training images, and keeps it in the folder; the seconds that it took.
pub(crate) fn whiten(folder: &Path) -> Result<f64> {
    let [training, _] = ImageFolderConfig::new().open_parts(folder)?;
    let training = read(training)?;
    let start = Instant::now();
    Spectrum::fit(&training, &Device::flex())?.zca(SMOOTHING).save(&whitening(folder))?;
    Ok(start.elapsed().as_secs_f64())
}

fn whitening(folder: &Path) -> PathBuf {
    folder.join("zca.safetensors")
}

/// SoftHebb's unsupervised epoch, all convolutions at once, and what its classifier sees of all images.
fn soft_hebb(folder: &Path, weights: &Path) -> Result<Outcome> {
    let net = SoftHebbConfig::new(CLASSES).init(&Device::flex())?.load_pytorch(weights)?;
    let mut phases = Phases::default();
    let [training, test] = ImageFolderConfig::new().open_parts(folder)?;
    let parts = [read(training)?, read(test)?];
    phases.end("reading");
    let plan = SoftHebbConfig::plan();
    let net = trained(net, &plan, &parts[0], Epochs { count: 1, batch: 10 }, |net, batch| {
        net.features(batch.input);
    })?;
    phases.end("learning");
    let features = parts.each_ref().map(|part| mapped(part, |x| net.features(x)));
    phases.end("features");
    Ok(Outcome::new(phases, net, move |_| Ok(features.clone())))
}

/// The thesis' two epochs of the first convolution by hard winner-take-all, on whitened images.
fn thesis(folder: &Path, weights: &Path) -> Result<Outcome> {
    let config = SixLayerConfig::thesis(CLASSES).with_hebbian([true; 6]);
    let net = config.init(&Device::flex()).load_pytorch(weights)?;
    let zca = Zca::load(&whitening(folder), &Device::flex())?;
    let mut phases = Phases::default();
    let [training, test] = ImageFolderConfig::new().open_parts(folder)?;
    let mut training = read(training)?;
    phases.end("reading");
    zca.apply(&mut training);
    phases.end("whitening");
    let plan = Plan::new().with(Entry::local("conv1", Rule::hard_wta()).at_rate(0.1)).with_rest(Rest::Frozen);
    let net = trained(net, &plan, &training, Epochs { count: 2, batch: 64 }, |net, batch| {
        net.run(0, batch);
    })?;
    phases.end("learning");
    let features = move |net: &SixLayer| {
        let mut test = read(test.clone())?;
        zca.apply(&mut test);
        Ok([&training, &test].map(|part| mapped(part, |x| first(net, x))))
    };
    Ok(Outcome::new(phases, net, features))
}

/// What the first layer makes of images.
fn first(net: &SixLayer, input: Tensor<4>) -> Tensor<4> {
    let targets = Tensor::zeros([input.dims()[0]], &input.device());
    net.run(0, Batch { input, targets }).input
}

/// All images in memory, decoded by all threads.
fn read(folder: ImageFolder) -> Result<Labeled> {
    let mut images = Labeled::with_capacity(folder.dims(), folder.labels().len());
    let loader = ReadAheadLoader::new(folder, AsTheyAre, CHUNK, &Device::flex()).with_workers(threads());
    for chunk in loader.iter() {
        chunk?.into_iter().for_each(|image| images.push(image.values, image.label));
    }
    Ok(images)
}

/// Images as they are, for threads that read ahead.
struct AsTheyAre;

impl Batcher<LabeledImage, Vec<LabeledImage>> for AsTheyAre {
    fn batch(&self, images: Vec<LabeledImage>, _device: &Device) -> Vec<LabeledImage> {
        images
    }
}

/// How often images are seen, and how many at a time.
struct Epochs {
    count: usize,
    batch: usize,
}

/// The net after epochs by local rules alone.
fn trained<N: Module + 'static>(
    net: N,
    plan: &Plan,
    images: &Labeled,
    epochs: Epochs,
    forward: impl Fn(&N, Batch<Tensor<4>>),
) -> Result<N> {
    let counter = EpochCounter::new();
    let loader = ReadAheadLoader::new(images.clone(), ImageBatcher::new(), epochs.batch, &Device::flex())
        .shuffled(SEED, &counter);
    let (mut net, mut optim) = plan.init(net, SgdConfig::new())?;
    for epoch in 1..=epochs.count {
        net = optim.begin_epoch(epoch, net)?;
        for batch in loader.iter() {
            let batch = batch?;
            let (_, seen) = optim.observe(&net, Signals::none(), |net| forward(net, batch))?;
            // every entry that learns has a rate of its own
            net = optim.step(0.0, net, seen.local_only())?;
        }
    }
    Ok(net)
}

/// What `f` makes of images, some at a time.
fn mapped(images: &Labeled, f: impl Fn(Tensor<4>) -> Tensor<4>) -> Labeled {
    let (mut dims, mut values) = (images.dims, vec![]);
    for chunk in in_order(images.len()).chunks(CHUNK) {
        let output = f(images.images(chunk, &Device::flex()));
        let [_, channels, height, width] = output.dims();
        dims = [channels, height, width];
        values.reserve(images.len() * channels * height * width - values.len());
        values.extend(output.into_data().iter::<f32>());
    }
    Labeled { dims, values, labels: images.labels.clone() }
}

/// Seconds of the phases of a protocol, one after the other.
pub(crate) struct Phases {
    ended: Vec<(&'static str, f64)>,
    last: Instant,
}

impl Default for Phases {
    fn default() -> Self {
        Self { ended: vec![], last: Instant::now() }
    }
}

impl Phases {
    fn end(&mut self, phase: &'static str) {
        self.ended.push((phase, self.last.elapsed().as_secs_f64()));
        self.last = Instant::now();
    }
}

/// `reading 0.3 learning 12.5`.
impl fmt::Display for Phases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<String> =
            self.ended.iter().map(|(phase, seconds)| format!("{phase} {seconds}")).collect();
        f.write_str(&words.join(" "))
    }
}
