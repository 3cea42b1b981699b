//! What `--rows` asks for.

use anyhow::{Result, ensure};

/// The items of which a name is one of these or, where none is, contains it; all, if nothing is asked for.
pub(crate) fn asked<'i, T, const N: usize>(
    items: &'i [T],
    names: impl Fn(&T) -> [&str; N],
    parts: &[String],
) -> Result<Vec<&'i T>> {
    let mut asked = vec![parts.is_empty(); items.len()];
    for part in parts {
        let having = |has: &dyn Fn(&str) -> bool| {
            items.iter().map(|item| names(item).into_iter().any(has)).collect::<Vec<_>>()
        };
        let mut found = having(&|name| name == part);
        if !found.contains(&true) {
            found = having(&|name| name.contains(part.as_str()));
        }
        let all = || items.iter().map(|item| names(item)[0]).collect::<Vec<_>>().join(", ");
        ensure!(found.contains(&true), "no row's name contains `{part}`; there are {}", all());
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
        Ok(asked(&all, |name| [*name], &parts)?.into_iter().copied().collect())
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
    fn an_item_is_asked_for_by_each_of_its_names() {
        let items = [["HPCA, 1 %", "HPCA"], ["HPCA, 10 %", "HPCA"], ["HPCA, frozen, 1 %", "HPCA, frozen"]];
        let asked = |part: &str| asked(&items, |names| *names, &[part.to_string()]).unwrap();
        assert_eq!(asked("HPCA"), [&items[0], &items[1]]);
        assert_eq!(asked("HPCA, 1 %"), [&items[0]]);
        assert_eq!(asked(" 1 %"), [&items[0], &items[2]]);
    }

    #[test]
    fn names_that_no_row_has_are_told() {
        let error = names(&["SGD", "STDP"]).unwrap_err().to_string();
        assert!(error.starts_with("no row's name contains `STDP`; there are SGD, conv1, "), "{error}");
    }
}
