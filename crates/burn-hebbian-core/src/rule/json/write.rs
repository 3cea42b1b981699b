//! A rule, written.

use serde::{Serializer, ser::SerializeMap};

use crate::{Rule, rule::each_stage};

/// A preset: its name if it has no arguments, else an object.
macro_rules! write_preset {
    ($serializer:ident, $name:ident,) => {
        $serializer.serialize_str(stringify!($name))
    };
    ($serializer:ident, $name:ident, $($argument:ident),+) => {{
        use serde::ser::SerializeMap;
        let mut object = $serializer.serialize_map(None)?;
        object.serialize_entry("preset", stringify!($name))?;
        $(object.serialize_entry(stringify!($argument), $argument)?;)+
        object.end()
    }};
}
pub(super) use write_preset;

/// The stages that differ from plain Hebb.
pub(super) fn write_stages<S: Serializer>(rule: &Rule, serializer: S) -> Result<S::Ok, S::Error> {
    let (hebb, mut object) = (Rule::default(), serializer.serialize_map(None)?);
    macro_rules! stages {
        ($($stage:ident: $type:ty [$($path:tt)+],)+) => {$(
            if rule.$($path)+ != hebb.$($path)+ {
                object.serialize_entry(stringify!($stage), &rule.$($path)+)?;
            }
        )+};
    }
    each_stage!(stages);
    object.end()
}
