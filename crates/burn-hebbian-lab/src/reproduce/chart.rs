//! The chart of a table: its lines in groups of what is judged alike, controls told apart from what is trained.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use image::codecs::png::{CompressionType, FilterType, PngEncoder};

use super::{
    config::{Row, Stage, Table},
    results::Line,
};
use crate::pictures::dots::{Dot, DotChart};

/// What the legend calls the kinds of rows, in the order of [`kind`]'s numbers.
const KINDS: [&str; 3] = ["trained by rules", "control: no rule trains it", "backprop alone"];

/// Steps from dark to bright of each color: the edges of letters, in more, would take most of the bytes.
const STEPS: f32 = 7.0;

/// The chart of the lines as a PNG, a small one.
pub(crate) fn png(lines: &[Line], table: &Table) -> Result<Vec<u8>> {
    let mut picture = chart(lines, table).draw().context("cannot draw the chart of the results")?;
    for value in picture.iter_mut() {
        *value = ((f32::from(*value) * STEPS / 255.0).round() * 255.0 / STEPS).round() as u8;
    }
    let mut bytes = vec![];
    let encoder = PngEncoder::new_with_quality(&mut bytes, CompressionType::Best, FilterType::NoFilter);
    picture.write_with_encoder(encoder)?;
    Ok(bytes)
}

fn chart(lines: &[Line], table: &Table) -> DotChart {
    let measures: BTreeSet<&str> = lines.iter().map(|line| line.measure.as_str()).collect();
    let mut groups: Vec<(String, Vec<Dot>)> = vec![];
    for line in lines {
        let name = format!("{}, {}", line.block, line.evaluation);
        let dot = dot(line, table);
        match groups.iter_mut().find(|(known, _)| *known == name) {
            Some((_, dots)) => dots.push(dot),
            None => groups.push((name, vec![dot])),
        }
    }
    let chart =
        DotChart::new(&Vec::from_iter(measures).join("; "), KINDS).with_legend("95 % interval", "published");
    groups.into_iter().fold(chart, |chart, (name, dots)| chart.with_group(name, dots))
}

fn dot(line: &Line, table: &Table) -> Dot {
    let of_line = |row: &&Row| row.shares().into_iter().any(|share| row.name(share) == line.row);
    let mut dot = Dot::new(&line.row, line.mean);
    if let Some(row) = table.rows.iter().find(of_line) {
        dot = dot.of_kind(kind(row));
    }
    if let Some(interval) = line.interval {
        dot = dot.with_interval(interval);
    }
    match line.published {
        Some(published) => dot.with_reference(published),
        None => dot,
    }
}

/// Whether a rule trains something of it, or, if none does, whether backprop trains all of it.
fn kind(row: &Row) -> usize {
    let has = |is: fn(&Stage) -> bool| row.stages.iter().any(is);
    if has(Stage::is_local) {
        0
    } else if row.stages.is_empty() || has(|stage| matches!(stage, Stage::Untrained(_))) {
        1
    } else {
        2
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reproduce::config::{Experiment, Protocol};

    #[test]
    fn rows_that_no_rule_trains_are_controls() {
        let Protocol::Table(table) = Experiment::read("thesis-hybrid").unwrap().protocol else { panic!() };
        let of = |name: &str| kind(table.rows.iter().find(|row| row.name == name).unwrap());
        let names = [
            "bottom 3",
            "all Hebbian",
            "random filters, SGD above conv3",
            "PCA, SGD above conv3",
            "backprop",
        ];
        assert_eq!(names.map(of), [0, 0, 1, 1, 2]);
    }
}
