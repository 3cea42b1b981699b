//! Where images come from.

use std::path::Path;

use crate::data::{DataSet, Labeled, Source};
use anyhow::{Context, Result};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, IntoDeserializer, value::StrDeserializer},
};

use crate::digits::{CLASSES, Digits};

/// The digits inside this program, or a data set in a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DataSource {
    Digits,
    Files(Source),
}

/// The name of the digits.
const DIGITS: &str = "digits";

impl DataSource {
    /// Reads it, if it lies in a folder from `dir`.
    pub(crate) fn read(self, dir: &Path) -> Result<DataSet> {
        match self {
            Self::Digits => digits(),
            Self::Files(source) => Ok(source.read(dir)?),
        }
    }

    /// What a user has to have.
    pub(crate) fn needs(self) -> Result<String> {
        match self {
            Self::Digits => Ok("nothing".to_string()),
            Self::Files(source) => {
                let name = serde_json::to_value(source)?;
                Ok(name.as_str().context("the name of a data set")?.to_string())
            }
        }
    }
}

/// The digits that choices are made on come last among the training images.
fn digits() -> Result<DataSet> {
    let Digits { mut training, validation, test } = Digits::load()?;
    let Labeled { values, labels, .. } = validation;
    training.values.extend(values);
    training.labels.extend(labels);
    Ok(DataSet { training, test, classes: (0..CLASSES).map(|digit| digit.to_string()).collect() })
}

impl Serialize for DataSource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Digits => DIGITS.serialize(serializer),
            Self::Files(source) => source.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for DataSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        if name == DIGITS {
            return Ok(Self::Digits);
        }
        let name: StrDeserializer<'_, D::Error> = name.as_str().into_deserializer();
        let known = Source::deserialize(name).map(Self::Files);
        known.map_err(|error| D::Error::custom(format!("{error}, or `{DIGITS}`")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_keep_their_parts() {
        let (set, digits) = (DataSource::Digits.read(Path::new("")).unwrap(), Digits::load().unwrap());
        assert_eq!((set.test, set.classes.len()), (digits.test, 10));
        let count = digits.training.len();
        let last: Vec<usize> = (count..set.training.len()).collect();
        assert_eq!(set.training.select(&last), digits.validation);
        let mut first = set.training;
        first.truncate(count);
        assert_eq!(first, digits.training);
    }

    #[test]
    fn names_are_those_of_data_sets_and_one_more() {
        for name in ["digits", "cifar100-coarse"] {
            let json = serde_json::json!(name);
            let source: DataSource = serde_json::from_value(json.clone()).unwrap();
            assert_eq!(serde_json::to_value(source).unwrap(), json);
        }
        let error = serde_json::from_str::<DataSource>("\"cifar\"").unwrap_err().to_string();
        assert!(error.starts_with("unknown variant `cifar`, expected one of `cifar10`, "), "{error}");
        assert!(error.ends_with(", `folder`, or `digits`"), "{error}");
    }
}
