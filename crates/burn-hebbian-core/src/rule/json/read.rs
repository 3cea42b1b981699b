//! A rule, read.

use alloc::{format, string::String, vec::Vec};
use core::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Visitor},
};

use super::{
    known::{Preset, preset},
    written::{STAGES, Written},
};
use crate::Rule;

impl Written {
    fn rule(mut self) -> Result<Rule, String> {
        let preset = self.preset.take().map(|name| preset(&name)).transpose()?;
        if let Some(unknown) = &self.unknown {
            return Err(unknown_field(unknown, preset));
        }
        let rule = preset.map_or(Ok(Rule::default()), |preset| self.build(preset))?;
        match self.left() {
            Some(left) => Err(unknown_field(left, preset)),
            None => Ok(self.on(rule)),
        }
    }

    fn build(&mut self, preset: &Preset) -> Result<Rule, String> {
        let Preset { name, arguments, build } = preset;
        let arguments = arguments.join(", ");
        build(self)
            .map_err(|missing| format!("preset {name:?} needs {missing:?}; its arguments: {arguments}"))
    }
}

fn unknown_field(field: &str, preset: Option<&Preset>) -> String {
    let (of, arguments) = match preset {
        Some(Preset { name, arguments, .. }) => (format!("preset {name:?}"), *arguments),
        None => (String::from("a rule without preset"), &["preset"][..]),
    };
    let stages = STAGES.iter().filter(|stage| !arguments.contains(stage));
    let known: Vec<_> = arguments.iter().chain(stages).copied().collect();
    format!("unknown field {field:?} of {of}; known: {}", known.join(", "))
}

impl<'de> Deserialize<'de> for Rule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Rule;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a preset, or an object of a preset or of stages")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Rule, E> {
        let written = Written { preset: Some(name.into()), ..Written::default() };
        written.rule().map_err(E::custom)
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Rule, M::Error> {
        let mut written = Written::default();
        while let Some(key) = map.next_key()? {
            written.read(key, &mut map)?;
        }
        written.rule().map_err(M::Error::custom)
    }
}
