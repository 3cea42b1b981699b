//! Pictures of what stages learned.

use std::{fs, path::Path};

use crate::{
    data::{Labeled, in_order},
    pictures::{
        filters,
        maximize::{MaximizeConfig, maximize},
        strongest::{ReceptiveField, strongest_mean},
    },
    prelude::*,
};
use anyhow::{Context, Result};
use burn::{
    module::Module,
    tensor::{Device, Tensor},
};

use super::{CHUNK, Lab, Step};
use crate::reproduce::{
    config::{BlockConfig, LayerConfig, Pool},
    net::{Block, Chain},
};

/// Pixels a weight.
const ZOOM: usize = 4;

/// Neurons of a deeper block that are drawn, the first ones.
const NEURONS: usize = 9;

/// Steps of gradient ascent.
const STEPS: usize = 100;

/// Images that the strongest patches are looked for in.
const IMAGES: usize = 1000;

/// Patches of a mean.
const PATCHES: usize = 50;

/// Draws the filters of a stage that starts at the images, unless they are drawn.
pub(super) fn first_filters(lab: &Lab, chain: &Chain) -> Result<()> {
    if lab.range(lab.last().blocks())?.start > 0 {
        return Ok(());
    }
    let path = lab.folder()?.path("filters.png");
    if path.exists() {
        return Ok(());
    }
    save(chain.blocks[0].filters(lab.sizes()?.dims), &path)
}

/// Draws what the first neurons of each block but the first respond to.
pub(super) fn responses(lab: &Lab, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot write {}", folder.display()))?;
    let (blocks, images) = (lab.network()?, lab.images()?);
    let step = Step::new("pictures".to_string(), blocks.len() - 1);
    for index in 1..blocks.len() {
        let name = &lab.net.blocks[index].name;
        let asked = maximized(&blocks[..=index], images.training.dims, &lab.setting.device);
        save(asked, &folder.join(format!("{name}-maximized.png")))?;
        let field = field(&lab.net.blocks[..=index], images.training.dims);
        let means = strongest(&blocks[..=index], &images.training, field, &lab.setting.device);
        save(means, &folder.join(format!("{name}-strongest.png")))?;
        step.bar.inc(1);
    }
    step.done("");
    Ok(())
}

fn save(tiles: Tensor<4>, path: &Path) -> Result<()> {
    filters::save(tiles, ZOOM, path).with_context(|| format!("cannot draw {}", path.display()))
}

/// The first neurons' responses `w·x`, `[n, neurons, rows, columns]`: a rectifier that is shut would have no gradient.
fn first_neurons(blocks: &[Block], x: Tensor<4>) -> Tensor<4> {
    let last = blocks.len() - 1;
    let x = blocks[..last].iter().fold(x, |x, block| block.forward(x));
    let responses = blocks[last].responses(Similarity::Dot, x);
    let neurons = responses.dims()[1].min(NEURONS);
    responses.narrow(1, 0, neurons)
}

/// The images that the neurons in the middle respond to most.
fn maximized(blocks: &[Block], dims: [usize; 3], device: &Device) -> Tensor<4> {
    let device = device.clone().autodiff();
    // frozen: norms keep their statistics where there are gradients
    let blocks: Vec<_> = blocks.iter().map(|block| block.clone().freeze().train()).collect();
    let middle = |x| {
        let responses = first_neurons(&blocks, x);
        let [_, _, rows, columns] = responses.dims();
        responses.narrow(2, rows / 2, 1).narrow(3, columns / 2, 1)
    };
    let [channels, height, width] = dims;
    let probe = Tensor::zeros([1, channels, height, width], &device);
    let neurons = middle(probe).dims()[1];
    let config =
        MaximizeConfig::new().with_steps(STEPS).with_norm(((channels * height * width) as f64).sqrt());
    Tensor::cat((0..neurons).map(|neuron| maximize(middle, neuron, dims, &config, &device)).collect(), 0)
}

/// The mean of the patches that neurons respond to most strongly.
fn strongest(blocks: &[Block], images: &Labeled, field: ReceptiveField, device: &Device) -> Tensor<4> {
    let order = in_order(images.len().min(IMAGES));
    let batches = order.chunks(CHUNK).map(|chunk| images.images(chunk, device));
    strongest_mean(batches, |x| first_neurons(blocks, x), field, PATCHES)
}

/// What a neuron of the last block's layer sees of an image.
fn field(blocks: &[BlockConfig], [_, height, width]: [usize; 3]) -> ReceptiveField {
    let whole = ReceptiveField::new([height, width], [height, width], [0, 0]);
    let mut field = ReceptiveField::new([1; 2], [1; 2], [0; 2]);
    for (index, block) in blocks.iter().enumerate() {
        let LayerConfig::Conv { kernel, padding, .. } = block.layer else { return whole };
        field = field.under(ReceptiveField::new([kernel; 2], [1; 2], [padding; 2]));
        if index + 1 < blocks.len() {
            field = field.under(pool(block.pool));
        }
    }
    field
}

fn pool(pool: Pool) -> ReceptiveField {
    let (size, stride, padding) = match pool {
        Pool::None => (1, None, 0),
        Pool::Max { size, stride, padding } => (size, stride, padding),
        Pool::Average { size, stride } => (size, stride, 0),
    };
    ReceptiveField::new([size; 2], [stride.unwrap_or(size); 2], [padding; 2])
}
