//! A rule, read.

use alloc::{format, string::String, vec::Vec};
use core::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, Visitor},
};

use super::known::{Preset, preset};
use crate::{Rule, rule::each_stage};

/// What JSON says of a rule, in any order.
macro_rules! written {
    ($($stage:ident: $stage_type:ty [$($path:tt)+],)+ + $($argument:ident: $type:ty,)+) => {
        #[derive(Default)]
        pub(super) struct Written {
            pub(super) preset: Option<String>,
            $(pub(super) $stage: Option<$stage_type>,)+
            $(pub(super) $argument: Option<$type>,)+
            unknown: Option<String>,
        }

        const STAGES: &[&str] = &[$(stringify!($stage)),+];

        impl Written {
            fn read<'de, M: MapAccess<'de>>(&mut self, key: String, map: &mut M) -> Result<(), M::Error> {
                match key.as_str() {
                    "preset" => read_once(&mut self.preset, "preset", map),
                    $(stringify!($stage) => read_once(&mut self.$stage, stringify!($stage), map),)+
                    $(stringify!($argument) => read_once(&mut self.$argument, stringify!($argument), map),)+
                    _ => {
                        self.unknown.get_or_insert(key);
                        map.next_value::<IgnoredAny>().map(|_| ())
                    }
                }
            }

            /// An argument that no preset has taken out.
            fn left(&self) -> Option<&'static str> {
                $(if self.$argument.is_some() {
                    return Some(stringify!($argument));
                })+
                None
            }

            /// The rule with the stages that were given.
            fn on(self, mut rule: Rule) -> Rule {
                $(if let Some(stage) = self.$stage {
                    rule.$($path)+ = stage;
                })+
                rule
            }
        }
    };
}

// after the stages, the arguments of presets; one that is named as a stage is that stage
each_stage!(written +
    delta: f64,
    k: usize,
    minus: f64,
    p: f64,
    plus: f64,
    seed: u64,
    size: Vec<usize>,
    sub_gaussian: f64,
    target: f64,
    tau_minus: f64,
    tau_plus: f64,
    temperature: f64,
);

fn read_once<'de, T: Deserialize<'de>, M: MapAccess<'de>>(
    field: &mut Option<T>,
    name: &'static str,
    map: &mut M,
) -> Result<(), M::Error> {
    match field.replace(map.next_value()?) {
        None => Ok(()),
        Some(_) => Err(M::Error::duplicate_field(name)),
    }
}

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
