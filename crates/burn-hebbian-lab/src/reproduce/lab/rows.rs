//! Features that stay on disk, read row by row.

use std::{
    cell::RefCell,
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use crate::{
    data::Labeled,
    evaluation::{EvaluationError, FeatureRows},
};
use anyhow::{Context, Result, bail, ensure};
use half::{
    f16,
    slice::{HalfBitsSliceExt, HalfFloatSliceExt},
};
use serde::Deserialize;

use super::growing::FEATURES;

/// Rows of one file, or means of rows of several.
pub(crate) struct Rows {
    sources: Vec<RefCell<Source>>,
    dims: [usize; 3],
    labels: Vec<u16>,
}

/// The values of a file of features.
struct Source {
    path: PathBuf,
    file: File,
    /// Where they begin.
    start: u64,
    is_half: bool,
    bytes: Vec<u8>,
}

/// What a file in the format safetensors says of a tensor.
#[derive(Deserialize)]
struct Described {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: [u64; 2],
}

impl Rows {
    pub(super) fn open(paths: &[PathBuf], dims: [usize; 3], images: &Labeled) -> Result<Self> {
        let expected = [&[images.len()], dims.as_slice()].concat();
        let open = |path: &PathBuf| {
            Source::open(path, &expected)
                .with_context(|| format!("{}: remove it to compute it anew", path.display()))
        };
        let sources = paths.iter().map(open).collect::<Result<Vec<_>>>()?;
        let sources = sources.into_iter().map(RefCell::new).collect();
        Ok(Self { sources, dims, labels: images.labels.clone() })
    }
}

impl Source {
    fn open(path: &Path, expected: &[usize]) -> Result<Self> {
        let mut file = File::open(path)?;
        let mut length = [0; 8];
        file.read_exact(&mut length)?;
        let length = u64::from_le_bytes(length);
        ensure!(length < 1 << 16, "a header of {length} bytes");
        let mut header = vec![0; length as usize];
        file.read_exact(&mut header)?;
        let mut header: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(&header)?;
        let features = header.remove(FEATURES).with_context(|| format!("no tensor `{FEATURES}`"))?;
        let Described { dtype, shape, data_offsets: [begin, end] } = serde_json::from_value(features)?;
        ensure!(shape == expected, "expected {expected:?}, got {shape:?}");
        let is_half = match dtype.as_str() {
            "F16" => true,
            "F32" => false,
            other => bail!("expected F16 or F32, got {other}"),
        };
        let (start, width) = (8 + length + begin, if is_half { 2 } else { 4 });
        let size = expected.iter().product::<usize>() as u64 * width;
        let whole = end - begin == size && file.metadata()?.len() >= start + size;
        ensure!(whole, "{size} bytes of values, the file ends before them");
        Ok(Self { path: path.to_path_buf(), file, start, is_half, bytes: vec![] })
    }

    fn read(&mut self, index: usize, values: &mut [f32]) -> std::io::Result<()> {
        let width = if self.is_half { 2 } else { 4 };
        self.bytes.resize(values.len() * width, 0);
        self.file.seek(SeekFrom::Start(self.start + (index * self.bytes.len()) as u64))?;
        self.file.read_exact(&mut self.bytes)?;
        if self.is_half {
            let halves: Vec<u16> = bytemuck::pod_collect_to_vec(&self.bytes);
            halves.reinterpret_cast::<f16>().convert_to_f32_slice(values);
        } else {
            bytemuck::cast_slice_mut(values).copy_from_slice(&self.bytes);
        }
        Ok(())
    }
}

impl FeatureRows for Rows {
    fn dims(&self) -> [usize; 3] {
        self.dims
    }

    fn labels(&self) -> &[u16] {
        &self.labels
    }

    fn read(&self, index: usize, values: &mut [f32]) -> Result<(), EvaluationError> {
        let read = |source: &RefCell<Source>, values: &mut [f32]| {
            let mut source = source.borrow_mut();
            let failed = |error: std::io::Error, path: &Path| EvaluationError::Unreadable {
                index,
                reason: format!("{}: {error}", path.display()),
            };
            source.read(index, values).map_err(|error| failed(error, &source.path))
        };
        let (first, others) = self.sources.split_first().expect("files of features");
        read(first, values)?;
        let mut other = vec![0.0; if others.is_empty() { 0 } else { values.len() }];
        for source in others {
            read(source, &mut other)?;
            values.iter_mut().zip(&other).for_each(|(value, other)| *value += other);
        }
        if !others.is_empty() {
            let share = 1.0 / self.sources.len() as f32;
            values.iter_mut().for_each(|value| *value *= share);
        }
        Ok(())
    }
}
