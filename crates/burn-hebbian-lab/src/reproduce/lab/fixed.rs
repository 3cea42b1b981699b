//! Blocks that nothing trains: controls.

use crate::{
    data::{Labeled, PatchWhiteningConfig, in_order, shuffled},
    prelude::*,
};
use anyhow::{Result, ensure};
use burn::{
    module::{Module, ModuleMapper, Param},
    optim::SgdConfig,
    tensor::{Device, Tensor},
};

use super::{
    Lab, Step,
    batches::{batches, steps},
    dictionary::{centered, components, k_means, of_length_one, unit},
    mapped,
};
use crate::reproduce::{
    config::{Blocks, Hebbian, LayerConfig, Untrained, Weights},
    net::{Block, Chain, Trainer},
    patches::cut,
};

/// Images that patches are cut from, and norms take their statistics from: with a momentum of 0.1, their 157 batches
/// leave 7e-8 of what was before them.
const IMAGES: usize = 10_000;

/// Values of inputs to a block that are kept for it at a time, at most: less images are, where they are larger.
const VALUES: usize = IMAGES << 15;

/// Patches that a whitening is fitted on.
const WHITENED: usize = 100_000;

/// Patches that the weights of a block are made of, at most.
const PATCHES: usize = 40_000;

/// The same in a small run.
const SMALL_PATCHES: usize = 5_000;

/// Images of a batch that norms take their statistics from.
const BATCH: usize = 64;

/// The blocks with the weights of `stage`, as they were kept.
pub(super) fn built(lab: &Lab, stage: &Untrained) -> Result<Chain> {
    let folder = lab.folder()?;
    if !folder.keeps_blocks() {
        folder.keep(build(lab, stage)?)?;
    }
    folder.kept(lab.fresh(Trainer::Rules, &lab.setting.device)?)
}

fn build(lab: &Lab, stage: &Untrained) -> Result<Chain> {
    let Untrained { blocks, weights, fit_norms } = stage;
    let mut chain = with_weights(lab, &Start { blocks, weights: *weights, fit_norms: *fit_norms })?;
    if stage.fit_norms {
        let images = &lab.input()?.training;
        let step = Step::new("statistics of norms".to_string(), steps(images.len().min(IMAGES), BATCH));
        chain = fitted(chain, images, &lab.setting.device, || step.bar.inc(1))?;
        step.done("");
    }
    Ok(chain)
}

/// The blocks as a stage by rules starts with them.
pub(super) fn started(lab: &Lab, stage: &Hebbian) -> Result<Chain> {
    with_weights(lab, &Start::of(stage))
}

/// Refuses a stage by rules that cannot start so.
pub(super) fn check_start(lab: &Lab, stage: &Hebbian) -> Result<()> {
    let start = Start::of(stage);
    if start.weights == Weights::Random { Ok(()) } else { filters(lab, &start).map(drop) }
}

/// What blocks start with.
struct Start<'a> {
    blocks: &'a Blocks,
    weights: Weights,
    fit_norms: bool,
}

impl<'a> Start<'a> {
    fn of(stage: &'a Hebbian) -> Self {
        Self { blocks: &stage.blocks, weights: stage.start.unwrap_or_default(), fit_norms: false }
    }
}

/// The blocks after a pass over the last images, from which norms take their statistics.
fn fitted(chain: Chain, images: &Labeled, device: &Device, batch_done: impl Fn()) -> Result<Chain> {
    let (mut chain, mut optim) = Plan::new().with_rest(Rest::Frozen).init(chain, SgdConfig::new())?;
    let order = in_order(images.len());
    for batch in batches(&order[order.len().saturating_sub(IMAGES)..], BATCH) {
        let x = images.images(batch, device);
        let forward = |chain: &Chain| chain.features(chain.blocks.len(), x);
        let (_, seen) = optim.observe(&chain, Signals::none(), forward)?;
        chain = optim.step(0.0, chain, seen.local_only())?; // moves running statistics alone
        batch_done();
    }
    Ok(chain)
}

/// Weights from the bottom up, each block's from patches of what it sees.
fn with_weights(lab: &Lab, stage: &Start) -> Result<Chain> {
    let device = &lab.setting.device;
    let mut chain = lab.fresh(Trainer::Rules, device)?;
    let range = lab.range(stage.blocks)?;
    let drawn = stage.weights == Weights::Random;
    if drawn && lab.net.blocks[range.clone()].iter().all(|block| block.whitening.is_none()) {
        return Ok(chain);
    }
    let training = &lab.input()?.training;
    let some = shuffled(training.len(), lab.seed, 0);
    // clamp: images of no values
    let widest = lab.shapes()?[range].iter().map(|shape| shape.iter().product()).max().unwrap_or(0).max(1);
    let mut seen = training.select(&some[..IMAGES.min(VALUES / widest).min(some.len())]);
    let most = if lab.setting.small.is_some() { SMALL_PATCHES } else { PATCHES };
    let count = chain.blocks.len();
    for (block, filters) in std::mem::take(&mut chain.blocks).into_iter().zip(filters(lab, stage)?) {
        let step = Step::new(format!("weights of {}", filters.block), 1);
        let fit = |block: Block| match stage.fit_norms {
            true => Ok(fitted(Chain::of(block), &seen, device, || ())?.blocks.remove(0)),
            false => anyhow::Ok(block),
        };
        // once before the weights, for a norm in front of them, and once after
        let block = fit(block)?;
        let normed = || mapped(&seen, device, |x| block.normed(x));
        let rows = match filters.whitening {
            Some(smoothing) => Some(filters.whitened(&normed(), smoothing, lab)?),
            None if drawn => None,
            None => Some(filters.rows(stage.weights, &normed(), most, lab.seed)?),
        };
        let block = match rows {
            Some(rows) => fit(block.map(&mut Replace(rows)))?,
            None => block,
        };
        chain.blocks.push(block);
        if chain.blocks.len() < count {
            seen = mapped(&seen, device, |x| chain.blocks[chain.blocks.len() - 1].forward(x));
        }
        step.done("");
    }
    Ok(chain)
}

/// Refuses blocks that cannot have these weights.
pub(super) fn check(lab: &Lab, stage: &Untrained) -> Result<()> {
    lab.fresh(Trainer::Rules, &lab.setting.device)?;
    let Untrained { blocks, weights, fit_norms } = stage;
    let start = Start { blocks, weights: *weights, fit_norms: *fit_norms };
    if start.weights == Weights::Random { Ok(()) } else { filters(lab, &start).map(drop) }
}

/// The filters of a block.
struct Filters<'a> {
    block: &'a str,
    count: usize,
    /// Pixels to a side; those of the whole input for a linear layer.
    side: usize,
    /// The exponent of the norm in which weights have length 1: that of the layer's similarity.
    exponent: f64,
    /// The smoothing of a layer that whitens.
    whitening: Option<f64>,
}

impl Filters<'_> {
    /// The whitening of patches, `[fan-in, fan-in]`.
    fn whitened(&self, seen: &Labeled, smoothing: f64, lab: &Lab) -> Result<Tensor<2>> {
        let patches = if lab.setting.small.is_some() { SMALL_PATCHES } else { WHITENED };
        let config = PatchWhiteningConfig::new(self.side).with_patches(patches).with_seed(lab.seed);
        let zca = config.fit(seen, &Device::flex())?.zca(smoothing);
        let (values, [channels, ..]) = (self.count, seen.dims);
        let each =
            Tensor::<2>::eye(values, &Device::flex()).reshape([values, channels, self.side, self.side]);
        Ok(zca.fold(each, None).weight.reshape([values, values]))
    }

    /// `[filters, fan-in]`, of at most so many patches.
    fn rows(&self, weights: Weights, seen: &Labeled, most: usize, seed: u64) -> Result<Tensor<2>> {
        let [channels, height, width] = seen.dims;
        let places = seen.len() * (height - self.side + 1) * (width - self.side + 1);
        // at least one for each filter, if it has to be one that another has, too
        let count = places.min(most).max(self.count);
        let patches = unit(cut(seen, [channels, self.side], count, seed, &Device::flex())?);
        let rows = match weights {
            Weights::Random | Weights::Patches => patches.narrow(0, 0, self.count),
            Weights::Centered => centered([self.count, channels * self.side * self.side], seed),
            Weights::KMeans => k_means(&patches, self.count),
            Weights::Pca => components(&patches, self.count)?,
        };
        // Euclidean length 1 they have
        Ok(if self.exponent == 2.0 { rows } else { of_length_one(rows, self.exponent) })
    }
}

fn filters<'a>(lab: &'a Lab, stage: &Start) -> Result<Vec<Filters<'a>>> {
    let shapes = lab.shapes()?;
    let of = |index: usize| {
        let (block, [channels, height, width]) = (&lab.net.blocks[index], shapes[index]);
        let name = block.name.as_str();
        let (count, side) = match block.layer {
            LayerConfig::Conv { filters, kernel, .. } => (filters, kernel),
            LayerConfig::Linear { neurons, .. } => {
                ensure!(
                    height == width,
                    "{name}: patches of an input of {height} × {width}, which is no square"
                );
                (neurons, height)
            }
        };
        ensure!(
            side <= height.min(width),
            "{name}: patches of {side} pixels in inputs of {height} × {width}"
        );
        let fan_in = channels * side * side;
        ensure!(
            stage.weights != Weights::Pca || block.whitening.is_some() || count <= 2 * fan_in,
            "{name}: {count} filters of {fan_in} principal components and their negatives"
        );
        let exponent = match block.output.similarity {
            Similarity::Lebesgue { p } => p,
            _ => 2.0,
        };
        Ok(Filters { block: name, count, side, exponent, whitening: block.whitening })
    };
    lab.range(stage.blocks)?.map(of).collect()
}

/// Replaces the weight of a layer by rows, one a neuron.
struct Replace(Tensor<2>);

impl ModuleMapper for Replace {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let rows = match D {
            4 => self.0.clone(),
            2 => self.0.clone().transpose(), // Burn's linear layers keep [inputs, k]
            _ => return param,
        };
        let (id, tensor, mapper) = param.consume();
        let rows = rows.to_device(&tensor.device()).reshape(tensor.shape());
        Param::from_mapped_value(id, rows, mapper)
    }
}
