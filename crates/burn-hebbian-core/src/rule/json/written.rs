//! What JSON says of a rule, as it stands there.

use alloc::{string::String, vec::Vec};

use serde::{
    Deserialize,
    de::{Error, IgnoredAny, MapAccess},
};

use crate::{Rule, rule::each_stage};

/// What JSON says of a rule, in any order.
macro_rules! written {
    ($($stage:ident: $stage_type:ty [$($path:tt)+],)+ + $($argument:ident: $type:ty,)+) => {
        #[derive(Default)]
        pub(super) struct Written {
            pub(super) preset: Option<String>,
            $(pub(super) $stage: Option<$stage_type>,)+
            $(pub(super) $argument: Option<$type>,)+
            pub(super) unknown: Option<String>,
        }

        pub(super) const STAGES: &[&str] = &[$(stringify!($stage)),+];

        impl Written {
            pub(super) fn read<'de, M: MapAccess<'de>>(&mut self, key: String, map: &mut M) -> Result<(), M::Error> {
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
            pub(super) fn left(&self) -> Option<&'static str> {
                $(if self.$argument.is_some() {
                    return Some(stringify!($argument));
                })+
                None
            }

            /// The rule with the stages that were given.
            pub(super) fn on(self, mut rule: Rule) -> Rule {
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
