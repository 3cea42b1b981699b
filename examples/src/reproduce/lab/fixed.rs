//! Blocks that nothing trains: controls.

use anyhow::{Context, Result, bail, ensure};
use burn::{
    module::{Module, ModuleMapper, Param},
    tensor::{Device, Tensor, TensorData},
};
use burn_hebbian::{prelude::*, train::data::in_order};
use faer::{Mat, Side};

use super::{Lab, Step};
use crate::reproduce::{
    config::{LayerConfig, Untrained, Weights},
    net::{Chain, Trainer},
    patches::cut,
};

/// Patches that weights are made of.
const PATCHES: usize = 40_000;

/// Images of a batch that norms take their statistics from.
const BATCH: usize = 64;

/// Rounds of k-means.
const ROUNDS: usize = 20;

/// Clamp: a patch of one colour has no direction.
const MIN_NORM: f32 = 1e-6;

/// The blocks with the weights of `stage`.
pub(super) fn built(lab: &Lab, stage: &Untrained) -> Result<Chain> {
    let chain = with_weights(lab, stage, lab.fresh(Trainer::Rules, &lab.setting.device)?)?;
    if stage.fit_norms { fitted(lab, chain) } else { Ok(chain) }
}

/// The blocks after one pass over the training images from which norms take their statistics.
fn fitted(lab: &Lab, chain: Chain) -> Result<Chain> {
    let plan = Plan::new().with_rest(Rest::Frozen);
    let chain = plan.apply(chain)?;
    let images = &lab.input()?.training;
    let step = Step::new("statistics of norms".to_string(), images.len().div_ceil(BATCH));
    for batch in in_order(images.len()).chunks(BATCH) {
        let x = images.images(batch, &lab.setting.device);
        plan.observe(&chain, Signals::none(), || chain.features(chain.blocks.len(), x))?;
        step.bar.inc(1);
    }
    step.done("");
    Ok(chain)
}

fn with_weights(lab: &Lab, stage: &Untrained, mut chain: Chain) -> Result<Chain> {
    let Some([filters, kernel]) = filters(lab, stage)? else {
        return Ok(chain);
    };
    let images = &lab.input()?.training;
    let patches = unit(cut(images, [images.dims[0], kernel], PATCHES, lab.seed, &Device::flex())?);
    let weights = match stage.weights {
        Weights::Random | Weights::Patches => patches.narrow(0, 0, filters),
        Weights::KMeans => k_means(patches, filters),
        Weights::Pca => components(patches, filters)?,
    };
    let layer = chain.blocks.remove(0);
    chain.blocks.insert(0, layer.map(&mut Replace(Some(weights))));
    Ok(chain)
}

/// Refuses blocks that cannot have these weights.
pub(super) fn check(lab: &Lab, stage: &Untrained) -> Result<()> {
    lab.fresh(Trainer::Rules, &lab.setting.device)?;
    filters(lab, stage)?;
    Ok(())
}

/// How many filters are made of patches, and their size; none where weights are random.
fn filters(lab: &Lab, stage: &Untrained) -> Result<Option<[usize; 2]>> {
    if stage.weights == Weights::Random {
        return Ok(None);
    }
    let blocks = &lab.net.blocks[lab.range(&stage.blocks)?];
    ensure!(blocks.len() == 1, "weights from patches are for one block, got {}", blocks.len());
    match blocks[0].layer {
        LayerConfig::Conv { filters, kernel, .. } => Ok(Some([filters, kernel])),
        LayerConfig::Linear { .. } => bail!("{}: patches are for convolutions", blocks[0].name),
    }
}

/// Centres of spherical k-means, begun at the first patches; a centre without patches stays where it is.
fn k_means(patches: Tensor<2>, centres: usize) -> Tensor<2> {
    let mut centre = patches.clone().narrow(0, 0, centres);
    for _ in 0..ROUNDS {
        let nearest = patches.clone().matmul(centre.clone().transpose()).argmax(1); // [n, 1]
        let members = nearest.squeeze_dim::<1>(1).one_hot::<2>(centres).float(); // [n, centres]
        let sums = members.transpose().matmul(patches.clone());
        // a sum of 0 adds nothing to the old centre
        centre = unit(sums + centre * MIN_NORM);
    }
    centre
}

/// Principal components, largest variance first, each with its negative beside it: outputs are rectified.
fn components(patches: Tensor<2>, filters: usize) -> Result<Tensor<2>> {
    let [count, fan_in] = patches.dims();
    ensure!(filters <= 2 * fan_in, "{filters} filters of {fan_in} principal components and their negatives");
    let covariance: Vec<f32> =
        (patches.clone().transpose().matmul(patches) / count as f64).into_data().iter().collect();
    let matrix = Mat::from_fn(fan_in, fan_in, |row, column| f64::from(covariance[row * fan_in + column]));
    let eigen =
        matrix.self_adjoint_eigen(Side::Lower).ok().context("no eigendecomposition of the patches")?;
    // ascending eigenvalues
    let value = |filter: usize, tap: usize| {
        let sign = if filter.is_multiple_of(2) { 1.0 } else { -1.0 };
        (sign * eigen.U()[(tap, fan_in - 1 - filter / 2)]) as f32
    };
    let values: Vec<f32> = (0..filters * fan_in).map(|index| value(index / fan_in, index % fan_in)).collect();
    Ok(Tensor::from_data(TensorData::new(values, [filters, fan_in]), &Device::flex()))
}

/// Rows of norm 1.
fn unit(rows: Tensor<2>) -> Tensor<2> {
    let norms = (rows.clone() * rows.clone()).sum_dim(1).sqrt().clamp_min(MIN_NORM);
    rows / norms
}

/// Replaces the weight of a convolution by rows.
struct Replace(Option<Tensor<2>>);

impl ModuleMapper for Replace {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if D != 4 {
            return param;
        }
        let Some(rows) = self.0.take() else { return param };
        let (id, tensor, mapper) = param.consume();
        let rows = rows.to_device(&tensor.device()).reshape(tensor.shape());
        Param::from_mapped_value(id, rows, mapper)
    }
}
