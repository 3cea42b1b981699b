//! What `--rows` asks for.

use anyhow::{Result, ensure};

/// The items that have one of these names or, where none has it, contain it in theirs; all, if there are none.
pub(crate) fn asked<'i, T>(
    items: &'i [T],
    name: impl Fn(&T) -> &str,
    parts: &[String],
) -> Result<Vec<&'i T>> {
    let mut asked = vec![parts.is_empty(); items.len()];
    for part in parts {
        let having =
            |has: &dyn Fn(&str) -> bool| items.iter().map(|item| has(name(item))).collect::<Vec<_>>();
        let mut found = having(&|name| name == part);
        if !found.contains(&true) {
            found = having(&|name| name.contains(part.as_str()));
        }
        let names = || items.iter().map(&name).collect::<Vec<_>>().join(", ");
        ensure!(found.contains(&true), "no row's name contains `{part}`; there are {}", names());
        asked.iter_mut().zip(found).for_each(|(asked, found)| *asked |= found);
    }
    Ok(items.iter().zip(asked).filter(|(_, asked)| *asked).map(|(item, _)| item).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(parts: &[&str]) -> Result<Vec<&'static str>> {
        let all = ["SGD, conv1", "SGD, conv1 to conv4", "SGD, conv1 to conv4: teacher", "random filters"];
        let parts: Vec<String> = parts.iter().map(ToString::to_string).collect();
        Ok(asked(&all, |name| name, &parts)?.into_iter().copied().collect())
    }

    #[test]
    fn a_whole_name_is_one_row() {
        assert_eq!(names(&["SGD, conv1"]).unwrap(), ["SGD, conv1"]);
        let deep = ["SGD, conv1 to conv4", "SGD, conv1 to conv4: teacher"];
        assert_eq!(names(&["to conv4"]).unwrap(), deep);
        let mixed = names(&["random filters", "SGD, conv1", "to conv4"]).unwrap();
        assert_eq!(mixed, ["SGD, conv1", deep[0], deep[1], "random filters"]);
        assert_eq!(names(&[]).unwrap().len(), 4);
    }

    #[test]
    fn names_that_no_row_has_are_told() {
        let error = names(&["SGD", "STDP"]).unwrap_err().to_string();
        assert!(error.starts_with("no row's name contains `STDP`; there are SGD, conv1, "), "{error}");
    }
}
