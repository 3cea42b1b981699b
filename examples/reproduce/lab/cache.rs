//! What stages learnt and what blocks made of the images, on disk.

use std::{
    fs::{self, File},
    io::{BufReader, BufWriter, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use burn_hebbian::train::data::{Labelled, in_order};
use half::f16;
use npyz::{NpyFile, WriterBuilder};
use serde::Serialize;

use super::{CHUNK, Parts};
use crate::config::{BlockConfig, DataConfig, Small, Stage};

/// Everything that a stage's result depends on.
#[derive(Debug, Serialize)]
pub(crate) struct Key<'a> {
    pub(crate) data: &'a DataConfig,
    pub(crate) blocks: &'a [BlockConfig],
    pub(crate) stages: &'a [Stage],
    pub(crate) small: Option<Small>,
    pub(crate) seed: u64,
}

/// The folder of one stage: `stage.json`, which says what it is, `checkpoints`, and features by block and part.
#[derive(Debug, Clone)]
pub(crate) struct Folder(PathBuf);

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

    /// The outputs of a block, if they were kept; with the labels of `images`.
    pub(crate) fn load(&self, block: &str, shape: [usize; 3], images: &Parts) -> Result<Option<Parts>> {
        let mut paths = PARTS.map(|part| self.path(&format!("{block}-{part}.npy"))).into_iter();
        if !paths.as_slice().iter().all(|path| path.exists()) {
            return Ok(None);
        }
        let mut next = |images: &Labelled| {
            let path = paths.next().context("three parts")?;
            read(&path, shape, images)
                .with_context(|| format!("{}: remove it to compute it anew", path.display()))
        };
        images.map(&mut next).map(Some)
    }

    /// Computes the outputs of a block, some images at a time, and keeps them in half precision.
    pub(crate) fn save(
        &self,
        block: &str,
        shape: [usize; 3],
        input: &Parts,
        compute: impl Fn(Labelled) -> Labelled,
    ) -> Result<()> {
        for (part, images) in PARTS.into_iter().zip([&input.training, &input.validation, &input.test]) {
            let path = self.path(&format!("{block}-{part}.npy"));
            let partial = path.with_extension("partial");
            stream(&partial, shape, images, &compute).with_context(|| format!("{}", partial.display()))?;
            fs::rename(&partial, &path).with_context(|| format!("{}", path.display()))?;
        }
        Ok(())
    }
}

fn stream(
    path: &Path,
    [channels, height, width]: [usize; 3],
    images: &Labelled,
    compute: impl Fn(Labelled) -> Labelled,
) -> Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    let dims = [images.len(), channels, height, width].map(|size| size as u64);
    let mut npy =
        npyz::WriteOptions::<f16>::new().default_dtype().shape(&dims).writer(&mut file).begin_nd()?;
    for chunk in in_order(images.len()).chunks(CHUNK) {
        npy.extend(compute(images.select(chunk)).values.into_iter().map(f16::from_f32))?;
    }
    npy.finish()?;
    file.flush()?;
    Ok(())
}

fn read(path: &Path, shape: [usize; 3], images: &Labelled) -> Result<Labelled> {
    let npy = NpyFile::new(BufReader::new(File::open(path)?))?;
    let expected: Vec<u64> = [images.len()].iter().chain(&shape).map(|&size| size as u64).collect();
    ensure!(npy.shape() == expected, "expected {expected:?}, got {:?}", npy.shape());
    let values: Result<Vec<f32>, _> = npy.data::<f16>()?.map(|value| value.map(f16::to_f32)).collect();
    Ok(Labelled { dims: shape, values: values?, labels: images.labels.clone() })
}

/// Writes a file that appears at once or not at all.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let at = || format!("cannot write {}", path.display());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(at)?;
    }
    let partial = path.with_extension("partial");
    fs::write(&partial, bytes).with_context(at)?;
    fs::rename(&partial, path).with_context(at)
}
