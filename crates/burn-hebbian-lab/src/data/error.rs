//! What can be wrong with data on disk.

use std::{
    io,
    path::{Path, PathBuf},
};

use image::ImageError;

/// What is wrong with the data, and where.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// A folder without the data that were asked for.
    #[error("{}: no {name} here: {looked_for}", dir.display())]
    NoData {
        /// The folder.
        dir: PathBuf,
        /// The data set.
        name: &'static str,
        /// What was looked for.
        looked_for: String,
    },
    /// IDX files of a data set that is not known.
    #[error(
        "{}: the first labels are {first:?}, neither MNIST's nor Fashion-MNIST's; name the data set", path.display()
    )]
    UnknownIdx {
        /// The file of labels.
        path: PathBuf,
        /// Its first labels.
        first: Vec<u16>,
    },
    /// IDX files of the other data set of the same file names.
    #[error("{}: these are the labels of {found}, asked for {asked}", path.display())]
    OtherIdx {
        /// The file of labels.
        path: PathBuf,
        /// The data set that was asked for.
        asked: &'static str,
        /// The data set that they are from.
        found: &'static str,
    },
    /// A file or folder that cannot be read.
    #[error("{}: cannot be read", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file of no bytes, or a class folder of no images.
    #[error("{}: empty", path.display())]
    Empty {
        /// The file or folder.
        path: PathBuf,
    },
    /// A file that ends within a record.
    #[error("{}: record at byte {offset} is cut short: {got} of {expected} bytes", path.display())]
    ShortRecord {
        /// The file.
        path: PathBuf,
        /// Where the record starts.
        offset: usize,
        /// Bytes that are there.
        got: usize,
        /// Bytes of a record.
        expected: usize,
    },
    /// A file that does not begin as its format does.
    #[error("{}: begins with {got:02x?}, expected {expected:02x?}", path.display())]
    Magic {
        /// The file.
        path: PathBuf,
        /// Its first bytes.
        got: Vec<u8>,
        /// The first bytes of the format.
        expected: Vec<u8>,
    },
    /// A file longer or shorter than its header says.
    #[error("{}: {got} bytes, expected {expected} by its header", path.display())]
    Length {
        /// The file.
        path: PathBuf,
        /// Bytes in the file, unpacked.
        got: usize,
        /// Bytes that the header announces.
        expected: usize,
    },
    /// A label that is no class.
    #[error("{}: label {label} at byte {offset}, expected 0..={}", path.display(), classes - 1)]
    Label {
        /// The file.
        path: PathBuf,
        /// Where the label is, in the unpacked file.
        offset: usize,
        /// What is there.
        label: u8,
        /// Number of classes.
        classes: usize,
    },
    /// A file with more or fewer records than the official one.
    #[error("{}: {got} records up to byte {offset}, expected {expected}", path.display())]
    Records {
        /// The file.
        path: PathBuf,
        /// Where the file ends.
        offset: usize,
        /// Records in the file.
        got: usize,
        /// Records in the official file.
        expected: usize,
    },
    /// A file of labels for another number of images.
    #[error("{}: {labels} labels for {images} images", path.display())]
    Labels {
        /// The file of labels.
        path: PathBuf,
        /// Its labels.
        labels: usize,
        /// The images.
        images: usize,
    },
    /// A file of more or fewer class names than classes.
    #[error("{}: {got} class names, expected {expected}", path.display())]
    Names {
        /// The file.
        path: PathBuf,
        /// Names in it.
        got: usize,
        /// Classes.
        expected: usize,
    },
    /// A tree with other class folders than expected.
    #[error("{}: expected {expected}, found the class folders [{}]", dir.display(), found.join(", "))]
    Classes {
        /// The folder of class folders.
        dir: PathBuf,
        /// What it should hold.
        expected: String,
        /// The class folders.
        found: Vec<String>,
    },
    /// Images without class folders, where classes were asked for.
    #[error(
        "{}: {images} images and no class folders; `ImageFolderConfig::open_unlabeled` reads images without labels",
        dir.display()
    )]
    Unlabeled {
        /// The folder.
        dir: PathBuf,
        /// Images that lie in it.
        images: usize,
    },
    /// An image beside class folders.
    #[error("{}: an image beside class folders, of no class", path.display())]
    NoClass {
        /// The file.
        path: PathBuf,
    },
    /// Images in a folder within a folder of images.
    #[error("{}: a folder of images within a folder of images; expected class folders one deep", path.display())]
    Nested {
        /// The inner folder.
        path: PathBuf,
    },
    /// A line of annotations that is none, or the second of its image.
    #[error("{}: line {line} is `{text}`, expected an image, each once, a tab and its class", path.display())]
    Annotation {
        /// The file of annotations.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What it says.
        text: String,
    },
    /// An image that annotations leave out.
    #[error("{}: no line says what {} is", path.display(), image.display())]
    Unannotated {
        /// The file of annotations.
        path: PathBuf,
        /// The image.
        image: PathBuf,
    },
    /// An image of a format that is not read.
    #[error("{}: images of the format {format} are not read; JPEG, PNG, BMP, TIFF and WebP are", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// Its format, by its bytes or its name.
        format: String,
    },
    /// An image whose pixels are no bytes or words.
    #[error("{}: pixels of the kind {found}, expected 8 or 16 bits a channel", path.display())]
    Pixels {
        /// The file.
        path: PathBuf,
        /// The kind of pixels.
        found: String,
    },
    /// An image that cannot be decoded.
    #[error("{}: cannot be decoded", path.display())]
    Image {
        /// The file.
        path: PathBuf,
        /// What the decoder says.
        source: ImageError,
    },
    /// A JPEG without its end, which decoders fill up with gray.
    #[error("{}: cut short: the image does not end within its {bytes} bytes", path.display())]
    CutShort {
        /// The file.
        path: PathBuf,
        /// Bytes that are there.
        bytes: usize,
    },
    /// A folder of damaged images, or a class of them, where they are skipped.
    #[error("{}: no image that is not damaged", path.display())]
    AllDamaged {
        /// The folder.
        path: PathBuf,
    },
    /// An image of the wrong size.
    #[error("{}: {width} × {height} pixels, expected {} × {}", path.display(), expected[1], expected[0])]
    Size {
        /// The file.
        path: PathBuf,
        /// Its width.
        width: usize,
        /// Its height.
        height: usize,
        /// Height and width that it should have.
        expected: [usize; 2],
    },
}

impl DataError {
    /// Nothing of what was looked for.
    pub(super) fn no_data(dir: &Path, name: &'static str, looked_for: &[String]) -> Self {
        let looked_for = match looked_for {
            [one] => format!("no {one}"),
            several => format!("neither {}", several.join(", nor ")),
        };
        Self::NoData { dir: dir.to_path_buf(), name, looked_for }
    }

    /// Names the file of what the system says.
    pub(super) fn io(path: &Path) -> impl Fn(io::Error) -> Self {
        |source| Self::Io { path: path.to_path_buf(), source }
    }
}
