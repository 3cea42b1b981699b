//! Files of features that grow: memory holds some of them at a time.

use std::{
    fs::{self, File},
    io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};
use burn::tensor::Tensor;
use half::{
    f16,
    slice::{HalfBitsSliceExt, HalfFloatSliceExt},
};

/// The name of the tensor in a file of features.
pub(super) const FEATURES: &str = "features";

/// Numbers that are converted at a time.
const PIECE: usize = 1 << 16;

/// A file in the format safetensors that is written from its first number to its last: in half precision, or in single
/// precision from a number on that is too large for that; those before it are converted.
pub(super) struct Growing {
    path: PathBuf,
    file: BufWriter<File>,
    dims: Vec<usize>,
    is_half: bool,
    /// Numbers so far.
    count: usize,
}

impl Growing {
    /// Of numbers of these dimensions.
    pub(super) fn new(path: PathBuf, dims: Vec<usize>) -> Result<Self> {
        Self::begin(path, dims, true)
    }

    fn begin(path: PathBuf, dims: Vec<usize>, is_half: bool) -> Result<Self> {
        let (dtype, width) = if is_half { ("F16", 2) } else { ("F32", 4) };
        let bytes = width * dims.iter().product::<usize>();
        let described = serde_json::json!({ "dtype": dtype, "shape": dims, "data_offsets": [0, bytes] });
        let mut header = serde_json::json!({ FEATURES: described }).to_string();
        // numbers begin where they may
        header.extend(std::iter::repeat_n(' ', header.len().next_multiple_of(8) - header.len()));
        let mut file = BufWriter::new(File::create(&path)?);
        file.write_all(&(header.len() as u64).to_le_bytes())?;
        file.write_all(header.as_bytes())?;
        Ok(Self { path, file, dims, is_half, count: 0 })
    }

    pub(super) fn append(&mut self, values: Tensor<4>) -> Result<()> {
        let values: Vec<f32> = values.into_data().iter().collect();
        if let Some(bad) = values.iter().find(|value| !value.is_finite()) {
            bail!("got {bad}");
        }
        if self.is_half && !values.iter().all(|value| value.abs() <= f16::MAX.to_f32()) {
            self.widen()?;
        }
        self.write(&values)
    }

    fn write(&mut self, values: &[f32]) -> Result<()> {
        for piece in values.chunks(PIECE) {
            if self.is_half {
                let mut halves = vec![f16::ZERO; piece.len()];
                halves.convert_from_f32_slice(piece);
                self.file.write_all(bytemuck::cast_slice::<u16, u8>(halves.reinterpret_cast()))?;
            } else {
                self.file.write_all(bytemuck::cast_slice(piece))?;
            }
        }
        self.count += values.len();
        Ok(())
    }

    /// Begins anew in single precision, with the numbers so far.
    fn widen(&mut self) -> Result<()> {
        let narrow = self.path.with_extension("narrow");
        self.file.flush()?;
        fs::rename(&self.path, &narrow)?;
        let start = fs::metadata(&narrow)?.len() - 2 * self.count as u64;
        let mut before = BufReader::new(File::open(&narrow)?);
        before.seek(SeekFrom::Start(start))?;
        let mut wide = Self::begin(self.path.clone(), self.dims.clone(), false)?;
        while wide.count < self.count {
            let mut bytes = vec![0; 2 * PIECE.min(self.count - wide.count)];
            before.read_exact(&mut bytes)?;
            let halves: Vec<u16> = bytemuck::pod_collect_to_vec(&bytes);
            let mut values = vec![0.0; halves.len()];
            halves.reinterpret_cast::<f16>().convert_to_f32_slice(&mut values);
            wide.write(&values)?;
        }
        *self = wide;
        Ok(fs::remove_file(&narrow)?)
    }

    /// The whole file, under its name.
    pub(super) fn end(mut self, path: &Path) -> Result<()> {
        let expected = self.dims.iter().product::<usize>();
        ensure!(self.count == expected, "{} numbers of {expected}", self.count);
        self.file.flush()?;
        fs::rename(&self.path, path).with_context(|| format!("cannot write {}", path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, TensorData};
    use safetensors::{Dtype, SafeTensors};

    fn written(parts: &[&[f32]]) -> Result<(Dtype, Vec<usize>, Vec<f32>)> {
        let folder = tempfile::tempdir()?;
        let (partial, whole) = (folder.path().join("a.partial"), folder.path().join("a.safetensors"));
        let count: usize = parts.iter().map(|part| part.len()).sum();
        let mut file = Growing::new(partial, vec![count, 1, 1, 1])?;
        for part in parts {
            let data = TensorData::new(part.to_vec(), [part.len(), 1, 1, 1]);
            file.append(Tensor::from_data(data, &Device::flex()))?;
        }
        file.end(&whole)?;
        assert_eq!(fs::read_dir(folder.path())?.count(), 1, "nothing else is left");
        let bytes = fs::read(whole)?;
        let tensors = SafeTensors::deserialize(&bytes)?;
        let found = tensors.tensor(FEATURES)?;
        let values = match found.dtype() {
            Dtype::F16 => {
                let halves: Vec<u16> = bytemuck::pod_collect_to_vec(found.data());
                halves.into_iter().map(|bits| f16::from_bits(bits).to_f32()).collect()
            }
            _ => bytemuck::pod_collect_to_vec(found.data()),
        };
        Ok((found.dtype(), found.shape().to_vec(), values))
    }

    #[test]
    fn numbers_are_halves_as_long_as_they_fit() {
        let (dtype, shape, values) = written(&[&[1.0, -0.5, 0.25], &[65_504.0]]).unwrap();
        assert_eq!((dtype, shape, values), (Dtype::F16, vec![4, 1, 1, 1], vec![1.0, -0.5, 0.25, 65_504.0]));
    }

    #[test]
    fn a_large_number_makes_all_of_them_single() {
        let (dtype, shape, values) = written(&[&[1.0, -0.5], &[70_000.0, 0.1], &[3.0]]).unwrap();
        assert_eq!(
            (dtype, shape, values),
            (Dtype::F32, vec![5, 1, 1, 1], vec![1.0, -0.5, 70_000.0, 0.1, 3.0])
        );
    }

    #[test]
    fn what_is_no_number_is_refused() {
        assert_eq!(written(&[&[1.0], &[f32::NAN]]).unwrap_err().to_string(), "got NaN");
    }
}
