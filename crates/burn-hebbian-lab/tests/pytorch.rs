//! Models of local layers compute what PyTorch's compute, with weights that PyTorch wrote.
//!
//! `pytorch/write_weights.py` wrote the files of `pytorch/weights`: small models, random weights. `HEBBIAN_PYTORCH` names
//! another folder, of full-width models for example.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use burn::{
    config::Config,
    module::{Module, Param},
    tensor::{Device, Tensor},
};
use burn_hebbian_lab::models::{
    DenseNetConfig, MobileNetConfig, ResNetConfig, SixLayer, SixLayerConfig, SoftHebbConfig, VggConfig,
    pytorch::{FromPytorch, WeightsError},
};
use burn_hebbian_train::Classifier;

/// Difference of logits whose largest difference between two images is 1.
const TOLERANCE: f64 = 1e-4;

/// Images and the logits that PyTorch computed from them.
#[derive(Module, Debug)]
struct Sample {
    images: Param<Tensor<4>>,
    logits: Param<Tensor<2>>,
}

impl FromPytorch for Sample {}

/// What the script writes about a model.
#[derive(Config, Debug)]
struct Case {
    /// Height and width of the images.
    size: usize,
    model: Model,
}

#[derive(Config, Debug)]
enum Model {
    SixLayer(Sizes),
    SoftHebb(SoftHebbConfig),
    Vgg(VggConfig),
    ResNet(ResNetConfig),
    DenseNet(DenseNetConfig),
    MobileNet(MobileNetConfig),
}

/// What differs between six-layer nets that learn by backprop.
#[derive(Config, Debug)]
struct Sizes {
    classes: usize,
    filters: [usize; 4],
    hidden: usize,
}

impl Sizes {
    fn net(&self) -> SixLayer {
        SixLayerConfig::thesis(self.classes).with_sizes(self.filters, self.hidden).init(&Device::flex())
    }
}

/// The logits of the model of `config` with the weights of `file`.
macro_rules! logits {
    ($config:expr, $file:expr, $images:expr) => {
        $config.init(&Device::flex())?.load_pytorch($file)?.forward($images)
    };
}

impl Case {
    fn sample(&self, file: &Path) -> Result<Sample> {
        let device = Device::flex();
        let images = Param::from_tensor(Tensor::zeros([2, 3, self.size, self.size], &device));
        let logits = Param::from_tensor(Tensor::zeros([2, self.classes()], &device));
        Ok(Sample { images, logits }.load_pytorch(file)?)
    }

    fn classes(&self) -> usize {
        match &self.model {
            Model::SixLayer(sizes) => sizes.classes,
            Model::SoftHebb(config) => config.classes,
            Model::Vgg(config) => config.classes,
            Model::ResNet(config) => config.classes,
            Model::DenseNet(config) => config.classes,
            Model::MobileNet(config) => config.classes,
        }
    }

    fn logits(&self, file: &Path, images: Tensor<4>) -> Result<Tensor<2>> {
        Ok(match &self.model {
            Model::SixLayer(sizes) => sizes.net().load_pytorch(file)?.scores(images),
            Model::SoftHebb(config) => logits!(config, file, images),
            Model::Vgg(config) => logits!(config, file, images),
            Model::ResNet(config) => logits!(config, file, images),
            Model::DenseNet(config) => logits!(config, file, images),
            Model::MobileNet(config) => logits!(config, file, images),
        })
    }
}

/// The small models that are part of the repository.
fn committed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("pytorch/weights")
}

/// The largest difference between our logits and PyTorch's, for the model `name` of `folder`.
fn difference(folder: &Path, name: &str) -> Result<f64> {
    let case = Case::load(folder.join(format!("{name}.json"))).context(name.to_string())?;
    let sample = case.sample(&folder.join(format!("{name}.sample.pt")))?;
    let logits = case.logits(&folder.join(format!("{name}.pt")), sample.images.val())?;
    Ok((logits - sample.logits.val()).abs().max().into_scalar::<f32>().into())
}

fn agrees(folder: &Path, name: &str) -> Result<()> {
    let difference = difference(folder, name)?;
    println!("{name}: {difference:.1e}");
    ensure!(difference < TOLERANCE, "{name}: logits differ by {difference:.1e}");
    Ok(())
}

#[test]
fn six_layer() -> Result<()> {
    agrees(&committed(), "six_layer")
}

#[test]
fn soft_hebb() -> Result<()> {
    agrees(&committed(), "soft_hebb")
}

#[test]
fn vgg11() -> Result<()> {
    agrees(&committed(), "vgg11")
}

#[test]
fn vgg11_with_batch_norm() -> Result<()> {
    agrees(&committed(), "vgg11_bn")
}

#[test]
fn vgg16() -> Result<()> {
    agrees(&committed(), "vgg16")
}

#[test]
fn vgg16_with_batch_norm() -> Result<()> {
    agrees(&committed(), "vgg16_bn")
}

#[test]
fn resnet18() -> Result<()> {
    agrees(&committed(), "resnet18")
}

#[test]
fn resnet50() -> Result<()> {
    agrees(&committed(), "resnet50")
}

#[test]
fn densenet121() -> Result<()> {
    agrees(&committed(), "densenet121")
}

/// The names that torchvision's published weights still have.
#[test]
fn densenet_under_its_old_names() -> Result<()> {
    agrees(&committed(), "densenet_old")
}

#[test]
fn mobilenet_v2() -> Result<()> {
    agrees(&committed(), "mobilenet_v2")
}

/// The names of the models in a folder.
fn names(folder: &Path) -> Result<Vec<String>> {
    let files = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    let configs = files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "json"));
    let mut names: Vec<_> =
        configs.filter_map(|file| Some(file.file_stem()?.to_string_lossy().into_owned())).collect();
    names.sort();
    Ok(names)
}

#[test]
#[ignore = "needs weights of full width: write_weights.py --full DIR, HEBBIAN_PYTORCH=DIR"]
fn every_model_of_the_folder() -> Result<()> {
    let folder = std::env::var_os("HEBBIAN_PYTORCH").map(PathBuf::from);
    let folder = folder.context("HEBBIAN_PYTORCH names no folder")?;
    let names = names(&folder)?;
    ensure!(!names.is_empty(), "{}: no models", folder.display());
    names.iter().try_for_each(|name| agrees(&folder, name))
}

#[test]
fn every_committed_model_has_a_test() -> Result<()> {
    let names = names(&committed())?;
    let tested = [
        "densenet121",
        "densenet_old",
        "mobilenet_v2",
        "resnet18",
        "resnet50",
        "six_layer",
        "soft_hebb",
        "vgg11",
        "vgg11_bn",
        "vgg16",
        "vgg16_bn",
    ];
    assert_eq!(names, tested);
    Ok(())
}

/// The error that the model of `config` has with the weights of `file`.
macro_rules! refusal {
    ($config:expr, $file:expr) => {
        $config.init(&Device::flex())?.load_pytorch($file).err().context("loaded")?
    };
}

fn small_soft_hebb() -> SoftHebbConfig {
    SoftHebbConfig::new(7).with_neurons([6, 10, 12])
}

#[test]
fn files_that_cannot_be_read_are_named() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let whole = fs::read(committed().join("soft_hebb.pt"))?;
    let start = |bytes| &whole[..bytes];
    let cut =
        [("half.pt", start(whole.len() / 2)), ("almost.pt", start(whole.len() - 1)), ("stub.pt", start(100))];
    for (name, bytes) in cut.into_iter().chain([("empty.pt", &b""[..]), ("text.pt", b"weights")]) {
        let file = folder.path().join(name);
        fs::write(&file, bytes)?;
        let error = refusal!(small_soft_hebb(), &file);
        assert!(matches!(error, WeightsError::Unreadable { .. }), "{error}");
        assert!(error.to_string().contains(name), "{error}");
    }
    let error = refusal!(small_soft_hebb(), folder.path().join("absent.pt"));
    assert!(error.to_string().contains("absent.pt: cannot be read"), "{error}");
    Ok(())
}

#[test]
fn weights_of_another_shape_are_refused_by_name() -> Result<()> {
    let config = ResNetConfig::resnet18(8).with_width(4);
    let error = refusal!(config, committed().join("resnet18.pt")).to_string();
    let expected = "resnet18.pt: not the weights of this model: `fc.weight`: expected shape [32, 8], got [32, 7]; \
                    `fc.bias`: expected shape [8], got [7]";
    assert!(error.ends_with(expected), "{error}");
    Ok(())
}

#[test]
fn missing_and_additional_weights_are_refused_by_name() -> Result<()> {
    let error = refusal!(small_soft_hebb(), committed().join("soft_hebb.incomplete.pt")).to_string();
    let expected = "soft_hebb.incomplete.pt: not the weights of this model: `conv2.weight` is missing; \
                    `conv4.weight` has no place in the model";
    assert!(error.ends_with(expected), "{error}");
    Ok(())
}

#[test]
fn of_many_misfits_the_first_are_shown() -> Result<()> {
    let config = ResNetConfig::resnet18(7).with_width(4);
    let error = refusal!(config, committed().join("vgg11.pt")).to_string();
    assert!(error.contains("`fc.bias` is missing; "), "{error}");
    assert!(error.ends_with("; and 120 more"), "{error}");
    Ok(())
}
