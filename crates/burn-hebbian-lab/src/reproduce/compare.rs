//! Lines beside a control, seed by seed.

use std::collections::BTreeMap;

use crate::evaluation::{Paired, Summary};
use anyhow::Result;

use super::{
    config::{Row, Table},
    results::{Comparison, Line},
};

/// Compares each line with the row that its own or the table names, or the first control, at the same block by the same
/// evaluation.
pub(crate) fn compare(lines: &mut [Line], table: &Table) -> Result<()> {
    let named = |name: &String| table.rows.iter().find(|row| row.name == *name);
    let of_all = match &table.against {
        Some(name) => named(name),
        None => table.rows.iter().find(|row| row.is_control()),
    };
    let control = |row: &Row| row.against.as_ref().map_or(of_all, named);
    let pairs = |row| control(row).map(|control| pairs(row, control)).unwrap_or_default();
    let controls: BTreeMap<String, String> = table.rows.iter().flat_map(pairs).collect();
    for index in 0..lines.len() {
        let Some(name) = controls.get(&lines[index].row) else { continue };
        lines[index].comparison = match of(lines, name, &lines[index]) {
            Some(other) => Comparison::of(&lines[index], other)?,
            None => None,
        };
    }
    Ok(())
}

/// The names of a row's lines, with those of the control's lines for the same shares of labels.
fn pairs(row: &Row, control: &Row) -> Vec<(String, String)> {
    let known = |share: &Option<f64>| control.shares().contains(share);
    let pair = |share: Option<f64>| (row.name(share), control.name(share.filter(|_| known(&share))));
    if row.name == control.name { vec![] } else { row.shares().into_iter().map(pair).collect() }
}

/// The control's line at the same block by the same evaluation, or its only one.
fn of<'l>(lines: &'l [Line], control: &str, line: &Line) -> Option<&'l Line> {
    let of_control: Vec<&Line> = lines.iter().filter(|other| other.row == control).collect();
    let same = |other: &&&Line| other.block == line.block && other.evaluation == line.evaluation;
    match of_control.as_slice() {
        [only] => Some(only),
        several => several.iter().find(same).copied(),
    }
}

impl Comparison {
    /// None where fewer than two seeds are common to both.
    fn of(line: &Line, control: &Line) -> Result<Option<Self>> {
        let score = |seed: u64| control.seeds.iter().find(|(other, _)| *other == seed);
        let common = line.seeds.iter().filter_map(|(seed, test)| Some((score(*seed)?.1, *test)));
        let (first, second): (Vec<f64>, Vec<f64>) = common.unzip();
        if first.len() < 2 {
            return Ok(None);
        }
        let Paired { difference: Summary { runs, mean, interval, .. }, p, .. } = Paired::of(&first, &second)?;
        let (against, interval) = (control.row.clone(), interval.unwrap_or_default());
        Ok(Some(Self { against, seeds: runs, difference: mean, interval, p }))
    }
}
