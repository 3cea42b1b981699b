//! What stages learned and what blocks made of the images, on disk.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::data::{Labeled, Parts, in_order};
use anyhow::{Context, Error, Result, bail, ensure};
use burn::{
    module::Module,
    store::ModuleRecord,
    tensor::{Bytes, Tensor},
};
use half::{
    f16,
    slice::{HalfBitsSliceExt, HalfFloatSliceExt},
};
use safetensors::{Dtype, SafeTensors};
use serde::Serialize;

use super::{
    growing::{FEATURES, Growing},
    rows::Rows,
};
use crate::reproduce::{
    config::{BlockConfig, DataConfig, Small, Stage},
    files::write,
    net::Chain,
};

/// Everything that a stage's result depends on.
#[derive(Debug, Serialize)]
pub(crate) struct Key<'a> {
    pub(crate) data: &'a DataConfig,
    pub(crate) blocks: &'a [BlockConfig],
    pub(crate) stages: &'a [Stage],
    pub(crate) small: Option<Small>,
    pub(crate) seed: u64,
    /// The share of training images with labels, if not all have them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) label_share: Option<f64>,
}

/// What a block makes of an image.
#[derive(Debug)]
pub(super) struct Output {
    /// What files call it.
    pub(super) name: String,
    pub(super) shape: [usize; 3],
}

/// The folder of one stage: `stage.json`, which says what it is, `checkpoints`, and features by block and part.
#[derive(Debug, Clone)]
pub(crate) struct Folder(PathBuf);

/// The file of blocks that were kept.
const BLOCKS: &str = "blocks.bpk";

/// Numbers that are converted at a time.
const PIECE: usize = 1 << 16;

const PARTS: [&str; 3] = ["training", "validation", "test"];

impl Folder {
    /// The folder for this key; it is made if there is none.
    pub(crate) fn new(cache: &Path, key: &Key) -> Result<Self> {
        let description = serde_json::to_string_pretty(key)?;
        let folder = cache.join(format!("{:08x}", crc32fast::hash(description.as_bytes())));
        let file = folder.join("stage.json");
        match fs::read_to_string(&file) {
            Ok(found) => ensure!(found == description, "{}: of another stage; remove it", folder.display()),
            Err(_) => write(&file, description.as_bytes())?,
        }
        Ok(Self(folder))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Keeps blocks: their weights, and the statistics of their norms.
    pub(super) fn keep(&self, blocks: Chain) -> Result<()> {
        let record = blocks.into_record().into_bytes().map_err(Error::msg)?;
        write(&self.path(BLOCKS), &record)
    }

    /// Whether blocks were kept.
    pub(super) fn keeps_blocks(&self) -> bool {
        self.path(BLOCKS).exists()
    }

    /// `fresh` as it was kept.
    pub(super) fn kept(&self, fresh: Chain) -> Result<Chain> {
        let path = self.path(BLOCKS);
        let named = || format!("{}", path.display());
        let bytes = Bytes::from_bytes_vec(fs::read(&path).with_context(named)?);
        let record = ModuleRecord::from_bytes(bytes).map_err(Error::msg).with_context(named)?;
        fresh.try_load_record(record).map_err(Error::msg).with_context(named)
    }

    /// Whether the outputs of a block were kept.
    pub(super) fn keeps_features(&self, output: &Output) -> bool {
        PARTS.iter().all(|part| self.features(output, part).exists())
    }

    /// The outputs of a block as they were kept, with the labels of `images`.
    pub(super) fn load(&self, output: &Output, images: &Parts) -> Result<Parts> {
        let load = |part: &str, images: &Labeled| {
            let path = self.features(output, part);
            read(&path, output.shape, images)
                .with_context(|| format!("{}: remove it to compute it anew", path.display()))
        };
        let [training, validation, test] = PARTS;
        Ok(Parts {
            training: load(training, &images.training)?,
            validation: load(validation, &images.validation)?,
            test: load(test, &images.test)?,
            classes: images.classes.clone(),
        })
    }

    /// The outputs of a block as they were kept, and others that they are averaged with, with the labels of `images`; they
    /// stay on disk.
    pub(super) fn rows(&self, outputs: &[Output], images: &Parts) -> Result<[Rows; 3]> {
        let open = |part: &str, images: &Labeled| {
            let paths = outputs.iter().map(|output| self.features(output, part)).collect::<Vec<_>>();
            Rows::open(&paths, outputs[0].shape, images)
        };
        let [training, validation, test] = PARTS;
        Ok([
            open(training, &images.training)?,
            open(validation, &images.validation)?,
            open(test, &images.test)?,
        ])
    }

    /// Computes the outputs of blocks, some images at a time, and keeps them in half precision, or in single precision
    /// where a number of a part is too large for that.
    pub(super) fn save(
        &self,
        outputs: &[Output],
        input: &Parts,
        chunk: usize,
        compute: impl Fn(&Labeled, &[usize]) -> Vec<Tensor<4>>,
    ) -> Result<()> {
        for (part, images) in PARTS.into_iter().zip([&input.training, &input.validation, &input.test]) {
            let grow = |output: &Output| {
                let path = self.features(output, part).with_extension("partial");
                let dims = [&[images.len()], output.shape.as_slice()].concat();
                Growing::new(path.clone(), dims).with_context(|| format!("cannot write {}", path.display()))
            };
            let mut files = outputs.iter().map(grow).collect::<Result<Vec<_>>>()?;
            for chunk in in_order(images.len()).chunks(chunk) {
                for ((output, file), values) in outputs.iter().zip(&mut files).zip(compute(images, chunk)) {
                    file.append(values).with_context(|| format!("features of `{}`, {part}", output.name))?;
                }
            }
            for (output, file) in outputs.iter().zip(files) {
                file.end(&self.features(output, part))?;
            }
        }
        Ok(())
    }

    fn features(&self, output: &Output, part: &str) -> PathBuf {
        self.path(&format!("{}-{part}.safetensors", output.name))
    }
}

fn read(path: &Path, shape: [usize; 3], images: &Labeled) -> Result<Labeled> {
    let bytes = fs::read(path)?;
    let file = SafeTensors::deserialize(&bytes)?;
    let features = file.tensor(FEATURES)?;
    let expected = [&[images.len()], shape.as_slice()].concat();
    let dims = features.shape();
    ensure!(dims == expected, "expected {expected:?}, got {dims:?}");
    let mut values = vec![0.0; expected.iter().product()];
    // bytes need not lie where numbers may
    match features.dtype() {
        Dtype::F16 => {
            for (halves, values) in features.data().chunks(2 * PIECE).zip(values.chunks_mut(PIECE)) {
                let halves: Vec<u16> = bytemuck::pod_collect_to_vec(halves);
                halves.reinterpret_cast::<f16>().convert_to_f32_slice(values);
            }
        }
        Dtype::F32 => bytemuck::cast_slice_mut(&mut values).copy_from_slice(features.data()),
        other => bail!("expected F16 or F32, got {other:?}"),
    }
    Ok(Labeled { dims: shape, values, labels: images.labels.clone() })
}
