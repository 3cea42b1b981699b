//! What stages learn and what they make of the images, each computed once and kept on disk.

mod backprop;
mod batches;
mod best_epoch;
mod cache;
mod check;
mod dictionary;
mod drawings;
mod export;
mod fixed;
mod growing;
mod hebbian;
mod images;
mod journal;
mod rows;
mod setting;
mod settling;
mod step;

use std::{borrow::Cow, ops::Range, path::Path, rc::Rc};

use crate::{
    data::{Labeled, Parts, in_order, stratified},
    evaluation::accuracy,
};
use anyhow::{Context, Result};
use burn::tensor::{Device, Tensor};

use best_epoch::BestEpoch;
pub(crate) use cache::Folder;
use cache::Output;
pub(crate) use rows::Rows;
pub(crate) use setting::{Images, Setting, Sizes};
pub(crate) use step::Step;

use crate::reproduce::{
    config::{Blocks, Branch, DataConfig, NetConfig, Row, Stage, Table},
    net::{Block, Chain, Plans, Trainer},
};

/// Images whose features are computed at a time, if layers are of usual size.
const CHUNK: usize = 250;

/// Responses of a layer that are computed at a time, at most.
const RESPONSES: usize = 1 << 26;

/// One row of an experiment with one seed.
pub(crate) struct Lab<'a> {
    pub(crate) setting: &'a Setting<'a>,
    pub(crate) net: &'a NetConfig,
    pub(crate) data: DataConfig,
    pub(crate) stages: &'a [Stage],
    pub(crate) seed: u64,
    /// The share of training images whose labels backprop and classifiers see; all without one.
    pub(crate) label_share: Option<f64>,
    /// Whether features are those of mirror images; what is learned does not depend on it.
    mirrored: bool,
}

impl<'a> Lab<'a> {
    pub(crate) fn new(
        setting: &'a Setting<'a>,
        table: &Table,
        net: &'a NetConfig,
        row: &'a Row,
        label_share: Option<f64>,
        seed: u64,
    ) -> Self {
        let mut data = table.data.clone();
        if let Some(preparation) = row.preparation {
            data.preparation = preparation;
        }
        Self { setting, net, data, stages: &row.stages, seed, label_share, mirrored: false }
    }

    /// The first stages alone.
    fn up_to(&self, stages: usize) -> Self {
        Self { data: self.data.clone(), stages: &self.stages[..stages], ..*self }
    }

    /// The same row, its features being those of mirror images or not.
    pub(crate) fn mirrored(&self, mirrored: bool) -> Self {
        Self { mirrored, ..self.up_to(self.stages.len()) }
    }

    /// Another chain of stages on images of the same row.
    pub(crate) fn beside(&'a self, net: &'a NetConfig, branch: &'a Branch) -> Self {
        let data = DataConfig {
            preparation: branch.preparation.unwrap_or(self.data.preparation),
            ..self.data.clone()
        };
        Self { net, data, stages: &branch.stages, ..*self }
    }

    /// The stages below the last one.
    fn below(&self) -> Self {
        self.up_to(self.stages.len() - 1)
    }

    /// The images as the first block sees them.
    pub(crate) fn images(&self) -> Result<Rc<Parts>> {
        self.setting.images.prepared(self.setting, &self.data, self.mirrored)
    }

    /// The sizes of the images, prepared or not.
    pub(crate) fn sizes(&self) -> Result<Sizes> {
        self.setting.images.sizes(self.setting, &self.data)
    }

    /// Sizes in front of each block and behind the last one.
    fn shapes(&self) -> Result<Vec<[usize; 3]>> {
        self.net.shapes(self.sizes()?.dims)
    }

    /// What the last stage learns from.
    pub(crate) fn input(&self) -> Result<Rc<Parts>> {
        let first = self.range(self.last().blocks())?.start;
        if first == 0 { self.images() } else { Ok(Rc::new(self.below().features(first - 1)?)) }
    }

    /// The outputs of a block, by its number.
    pub(crate) fn features(&self, block: usize) -> Result<Parts> {
        if !self.range(self.last().blocks())?.contains(&block) {
            return self.below().features(block);
        }
        self.keep_features(&[block])?;
        self.folder()?.load(&self.output(block)?, &*self.images()?)
    }

    /// Computes the outputs of blocks, by their numbers, as far as they were not kept: those of a stage in one pass.
    pub(crate) fn keep_features(&self, blocks: &[usize]) -> Result<()> {
        let own = self.range(self.last().blocks())?;
        let (mut blocks, below): (Vec<usize>, Vec<usize>) =
            blocks.iter().partition(|block| own.contains(block));
        if !below.is_empty() {
            self.below().keep_features(&below)?;
        }
        blocks.sort_unstable();
        let folder = self.folder()?;
        let (mut counts, mut outputs) = (vec![], vec![]);
        for block in blocks {
            let output = self.output(block)?;
            if !folder.keeps_features(&output) {
                counts.push(block + 1 - own.start);
                outputs.push(output);
            }
        }
        if outputs.is_empty() {
            return Ok(());
        }
        let (chain, input) = (self.mirrored(false).trained()?, self.input()?);
        let chunk = self.chunk()?;
        let chunks: usize = self.sizes()?.counts.iter().map(|count| count.div_ceil(chunk)).sum();
        let names: Vec<&str> = outputs.iter().map(|output| output.name.as_str()).collect();
        let step = Step::new(format!("features of {}", names.join(", ")), chunks);
        folder.save(&outputs, &input, chunk, |images, chunk| {
            step.bar.inc(1);
            chain.outputs(&counts, images.images(chunk, &self.setting.device))
        })?;
        step.done("");
        Ok(())
    }

    /// Images whose features are computed at a time.
    fn chunk(&self) -> Result<usize> {
        let shapes = self.shapes()?;
        let mut largest = 1;
        for (block, input) in self.net.blocks.iter().zip(shapes).take(self.range(self.last().blocks())?.end) {
            largest = largest.max(block.response_shape(input)?.iter().product());
        }
        // clamp: an image at least
        Ok((RESPONSES / largest).clamp(1, CHUNK))
    }

    /// The outputs of a block where they are kept, of training, validation and test images; averaged with those of mirror
    /// images, if there are some to be.
    pub(crate) fn rows(&self, block: usize, mirror: bool) -> Result<[Rows; 3]> {
        if !self.range(self.last().blocks())?.contains(&block) {
            return self.below().rows(block, mirror);
        }
        let labs: Vec<Self> =
            [false, true][..1 + usize::from(mirror)].iter().map(|of| self.mirrored(*of)).collect();
        let folder = self.folder()?;
        let outputs = labs.iter().map(|lab| lab.output(block)).collect::<Result<Vec<_>>>()?;
        folder.rows(&outputs, &*self.images()?)
    }

    /// What a block makes of an image, or of a mirror image.
    fn output(&self, block: usize) -> Result<Output> {
        let mut name = self.net.blocks[block].name.clone();
        if self.mirrored {
            name.push_str("-mirrored");
        }
        Ok(Output { name, shape: self.shapes()?[block + 1] })
    }

    /// The blocks of the last stage after it, on the plain device.
    pub(crate) fn trained(&self) -> Result<Chain> {
        let chain = match self.last() {
            Stage::Hebbian(stage) => hebbian::trained(self, stage)?,
            Stage::Backprop(stage) => backprop::trained(self, stage)?,
            Stage::Untrained(stage) => fixed::built(self, stage)?,
            Stage::Settling(stage) => settling::trained(self, stage)?,
        };
        drawings::first_filters(self, &chain)?;
        Ok(chain)
    }

    /// Accuracy of the last stage itself in percent, on test and validation images.
    pub(crate) fn scores(&self) -> Result<(f64, Option<f64>)> {
        let (chain, input) = (self.trained()?, self.input()?);
        let score = |images| match self.last() {
            Stage::Settling(stage) => settling::accuracy(stage, &chain, images, &self.setting.device),
            _ => Ok(accuracy(images, &self.setting.device, |x| chain.scores(x))),
        };
        let validation = match self.last() {
            _ if input.validation.is_empty() => None,
            // measured as it was chosen
            Stage::Backprop(_) | Stage::Settling(_) => Some(BestEpoch::accuracy(self)?),
            _ => Some(score(&input.validation)?),
        };
        Ok((score(&input.test)?, validation))
    }

    /// All blocks from the images to the last stage's last one.
    fn network(&self) -> Result<Vec<Block>> {
        let first = self.range(self.last().blocks())?.start;
        let mut blocks = if first == 0 { vec![] } else { self.below().network()? };
        blocks.truncate(first);
        blocks.extend(self.trained()?.blocks);
        Ok(blocks)
    }

    /// Writes and draws what was asked for.
    pub(crate) fn present(&self, blocks: &[String], folder: &Path, row: &str) -> Result<()> {
        if self.setting.export {
            export::row(self, blocks, &folder.join("export").join(row)).context("export")?;
        }
        if self.setting.pictures && !self.stages.is_empty() {
            drawings::responses(self, &folder.join("pictures").join(row)).context("pictures")?;
        }
        Ok(())
    }

    pub(crate) fn last(&self) -> &'a Stage {
        &self.stages[self.stages.len() - 1]
    }

    /// The numbers of blocks.
    pub(crate) fn range(&self, [first, last]: &Blocks) -> Result<Range<usize>> {
        Ok(self.net.index(first)?..self.net.index(last)? + 1)
    }

    /// The names of blocks.
    fn names(&self, blocks: &Blocks) -> Result<Vec<String>> {
        Ok(self.net.blocks[self.range(blocks)?].iter().map(|block| block.name.clone()).collect())
    }

    /// The blocks of the last stage with random weights.
    fn fresh(&self, trainer: Trainer, device: &Device) -> Result<Chain> {
        let blocks = self.range(self.last().blocks())?;
        let shapes = self.shapes()?;
        let plans = Plans {
            blocks: &self.net.blocks[blocks.clone()],
            shapes: &shapes[blocks.start..=blocks.end],
            complete: blocks.end == self.net.blocks.len(),
            classifier_dropout: self.last().classifier_dropout(),
        };
        device.seed(self.seed);
        Ok(plans.build(trainer, self.sizes()?.classes, device))
    }

    /// The images whose labels backprop and classifiers see.
    pub(crate) fn labeled<'p>(&self, training: &'p Labeled) -> Result<Cow<'p, Labeled>> {
        match self.label_share {
            None => Ok(Cow::Borrowed(training)),
            Some(share) => {
                let (chosen, _) = stratified(&training.labels, share, self.seed)?;
                Ok(Cow::Owned(training.select(&chosen)))
            }
        }
    }

    /// At most as many as a small run takes.
    pub(crate) fn epochs(&self, epochs: usize) -> usize {
        self.setting.small.map_or(epochs, |small| epochs.min(small.epochs))
    }

    /// Where the last stage keeps what it learns.
    pub(crate) fn folder(&self) -> Result<Folder> {
        Folder::new(&self.setting.out.join("cache"), &self.key()?)
    }

    /// Everything that the last stage's result depends on.
    pub(crate) fn key(&self) -> Result<cache::Key<'_>> {
        let last = match self.stages.last() {
            Some(stage) => self.range(stage.blocks())?.end,
            None => 0,
        };
        Ok(cache::Key {
            data: &self.data,
            blocks: &self.net.blocks[..last],
            stages: self.stages,
            small: self.setting.small,
            seed: self.seed,
            // rules learn without labels, or with all of them
            label_share: self.label_share.filter(|_| self.stages.iter().any(Stage::is_supervised)),
        })
    }

    /// The outputs of a block by its name; without stages, the images themselves.
    pub(crate) fn outputs(&self, block: &str) -> Result<Parts> {
        if self.stages.is_empty() {
            Ok((*self.images()?).clone())
        } else {
            self.features(self.net.index(block)?)
        }
    }
}

/// What `f` makes of images, some at a time.
fn mapped(images: &Labeled, device: &Device, f: impl Fn(Tensor<4>) -> Tensor<4>) -> Labeled {
    let (mut dims, mut values) = (images.dims, vec![]);
    for chunk in in_order(images.len()).chunks(CHUNK) {
        let output = f(images.images(chunk, device));
        let [_, channels, height, width] = output.dims();
        dims = [channels, height, width];
        values.extend(output.into_data().iter::<f32>());
    }
    Labeled { dims, values, labels: images.labels.clone() }
}
