//! Tensors and counts as files that other programs read.
//!
//! - [`write_npy`], [`save_npy`]: one array as `.npy`
//! - [`Arrays`]: named arrays as safetensors

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufWriter, Write},
    path::Path,
};

use burn::tensor::Tensor;
use safetensors::{Dtype, SafeTensorError, serialize_to_file, tensor::TensorView};

/// The alignment of an array's values in a `.npy` file.
const ALIGNMENT: usize = 64;

/// Magic bytes, version 1.0 and the length of the header.
const PREFIX: usize = 10;

/// An array that cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// There are not as many values as the shape says.
    #[error("export: an array of shape {shape:?} has {expected} values, got {got}")]
    Shape {
        /// The shape.
        shape: Vec<usize>,
        /// How many values it has.
        expected: usize,
        /// How many there are.
        got: usize,
    },
    /// The shape has too many dimensions.
    #[error("export: the header of an array with {dimensions} dimensions is longer than 65535 bytes")]
    Header {
        /// The number of dimensions.
        dimensions: usize,
    },
    /// The file could not be written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The tensors could not be written.
    #[error(transparent)]
    SafeTensors(#[from] SafeTensorError),
}

/// A value of an array in a file: `f32`, `f64`, `i64` or `u64`.
pub trait Value: Copy + sealed::Sealed {
    /// Its type in `.npy` headers.
    const NPY: &'static str;
    /// Its type in safetensors.
    const DTYPE: Dtype;

    /// Its bytes, the lowest first.
    fn bytes(self) -> impl AsRef<[u8]>;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! values {
    ($($type:ty, $npy:literal, $dtype:ident);+) => {$(
        impl sealed::Sealed for $type {}

        impl Value for $type {
            const NPY: &'static str = $npy;
            const DTYPE: Dtype = Dtype::$dtype;

            fn bytes(self) -> impl AsRef<[u8]> {
                self.to_le_bytes()
            }
        }
    )+};
}

values!(f32, "<f4", F32; f64, "<f8", F64; i64, "<i8", I64; u64, "<u8", U64);

/// Writes values, row by row, as an array of this shape in the format `.npy`, version 1.0.
///
/// # Errors
///
/// If there are not as many values as the shape says, or `out` cannot be written.
pub fn write_npy<T: Value>(mut out: impl Write, shape: &[usize], values: &[T]) -> Result<(), ExportError> {
    check(shape, values.len())?;
    let header = header::<T>(shape);
    let len = u16::try_from(header.len()).map_err(|_| ExportError::Header { dimensions: shape.len() })?;
    out.write_all(b"\x93NUMPY\x01\x00")?;
    out.write_all(&len.to_le_bytes())?;
    out.write_all(header.as_bytes())?;
    out.write_all(&all_bytes(values))?;
    Ok(out.flush()?)
}

/// Writes a tensor in single precision as `.npy`; reads it from its device.
///
/// # Errors
///
/// If the file cannot be written.
pub fn save_npy<const D: usize>(tensor: Tensor<D>, path: &Path) -> Result<(), ExportError> {
    let shape = tensor.dims();
    let values: Vec<f32> = tensor.into_data().iter().collect();
    write_npy(BufWriter::new(File::create(path)?), &shape, &values)
}

/// What follows the length: type, order and shape, filled up so that the values are aligned.
fn header<T: Value>(shape: &[usize]) -> String {
    // a comma after the last one too, or one dimension would be no tuple
    let shape: String = shape.iter().map(|dim| format!("{dim}, ")).collect();
    let mut header =
        format!("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", T::NPY, shape.trim_end());
    let len = (PREFIX + header.len() + 1).next_multiple_of(ALIGNMENT) - PREFIX - 1;
    header.extend(std::iter::repeat_n(' ', len - header.len()));
    header.push('\n');
    header
}

fn check(shape: &[usize], got: usize) -> Result<(), ExportError> {
    let expected = shape.iter().product();
    if expected == got { Ok(()) } else { Err(ExportError::Shape { shape: shape.to_vec(), expected, got }) }
}

fn all_bytes<T: Value>(values: &[T]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(size_of_val(values));
    values.iter().for_each(|value| bytes.extend_from_slice(value.bytes().as_ref()));
    bytes
}

/// Named arrays, for one file in the format safetensors.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use burn_hebbian_lab::export::Arrays;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let weight = Tensor::<2>::ones([2, 3], &Device::flex());
/// # let path = std::env::temp_dir().join("burn-hebbian-export.safetensors");
/// Arrays::new().with_tensor("weight", weight).with_values("wins", &[2], &[7u64, 9])?.save(&path)?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Default)]
pub struct Arrays(BTreeMap<String, Array>);

#[derive(Debug, Clone)]
struct Array {
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Arrays {
    /// None.
    pub fn new() -> Self {
        Self::default()
    }

    /// With a tensor in single precision; reads it from its device. A name that is there already is replaced.
    pub fn with_tensor<const D: usize>(mut self, name: impl Into<String>, tensor: Tensor<D>) -> Self {
        let shape = tensor.dims().to_vec();
        let values: Vec<f32> = tensor.into_data().iter().collect();
        self.0.insert(name.into(), Array { dtype: f32::DTYPE, shape, bytes: all_bytes(&values) });
        self
    }

    /// With values, row by row, as an array of this shape. A name that is there already is replaced.
    ///
    /// # Errors
    ///
    /// If there are not as many values as the shape says.
    pub fn with_values<T: Value>(
        mut self,
        name: impl Into<String>,
        shape: &[usize],
        values: &[T],
    ) -> Result<Self, ExportError> {
        check(shape, values.len())?;
        self.0
            .insert(name.into(), Array { dtype: T::DTYPE, shape: shape.to_vec(), bytes: all_bytes(values) });
        Ok(self)
    }

    /// Writes them.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), ExportError> {
        let names = self.0.keys();
        let views = self.0.values().map(Array::view).collect::<Result<Vec<_>, _>>()?;
        Ok(serialize_to_file(names.zip(views), None, path)?)
    }
}

impl Array {
    fn view(&self) -> Result<TensorView<'_>, SafeTensorError> {
        TensorView::new(self.dtype, self.shape.clone(), &self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;
    use safetensors::SafeTensors;

    fn npy<T: Value>(shape: &[usize], values: &[T]) -> Vec<u8> {
        let mut bytes = Vec::new();
        write_npy(&mut bytes, shape, values).unwrap();
        bytes
    }

    /// Prefix, header and values, as the format's description has them.
    #[test]
    fn an_array_is_laid_out_as_its_format_says() {
        let bytes = npy(&[2, 3], &[1.5f32, -2.0, 0.0, 1e-3, 4.0, f32::MAX]);
        assert_eq!(bytes[..10], *b"\x93NUMPY\x01\x00\x76\x00");
        let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3,), }";
        assert_eq!(bytes[10..128], *format!("{header:<117}\n").as_bytes());
        assert_eq!((bytes.len(), &bytes[128..136]), (128 + 24, &[0, 0, 0xC0, 0x3F, 0, 0, 0, 0xC0][..]));
    }

    #[test]
    fn headers_are_aligned_whatever_their_length() {
        for dimensions in 0..40 {
            let shape = vec![1; dimensions];
            let bytes = npy(&shape, &[u64::MAX]);
            let len = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
            assert!((PREFIX + len).is_multiple_of(ALIGNMENT) && bytes[PREFIX + len - 1] == b'\n');
            assert_eq!(bytes[PREFIX + len..], [0xFF; 8]);
        }
        let text = |shape: &[usize]| header::<u64>(shape).trim_end().to_string();
        assert_eq!(text(&[]), "{'descr': '<u8', 'fortran_order': False, 'shape': (), }");
        assert_eq!(text(&[7]), "{'descr': '<u8', 'fortran_order': False, 'shape': (7,), }");
    }

    #[test]
    fn safetensors_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("arrays.safetensors");
        let weight = Tensor::<2>::from_data([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], &Device::flex());
        let arrays =
            Arrays::new().with_tensor("weight", weight.transpose()).with_values("wins", &[2], &[7u64, 9]);
        arrays.unwrap().save(&path).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let (weight, wins) = (file.tensor("weight").unwrap(), file.tensor("wins").unwrap());
        assert_eq!((weight.dtype(), weight.shape()), (Dtype::F32, &[3, 2][..]));
        assert_eq!(weight.data(), all_bytes(&[1.0f32, 4.0, 2.0, 5.0, 3.0, 6.0]));
        assert_eq!(
            (wins.dtype(), wins.shape(), wins.data()),
            (Dtype::U64, &[2][..], &all_bytes(&[7u64, 9])[..])
        );
    }

    #[test]
    fn a_tensor_is_saved_row_by_row() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("weight.npy");
        let weight = Tensor::<2>::from_data([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], &Device::flex());
        save_npy(weight.transpose(), &path).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), npy(&[3, 2], &[1.0f32, 4.0, 2.0, 5.0, 3.0, 6.0]));
    }

    #[test]
    fn shapes_that_do_not_fit_are_refused() {
        let error = write_npy(Vec::new(), &[2, 3], &[0.0f32; 5]).unwrap_err();
        assert_eq!(error.to_string(), "export: an array of shape [2, 3] has 6 values, got 5");
        assert!(Arrays::new().with_values("x", &[3], &[1u64]).is_err());
    }
}
