//! Runs the rows of an experiment.

use std::{
    collections::BTreeSet,
    fs,
    ops::Range,
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::reproduce::{
    asked::asked,
    config::{Row, Table, file_name},
    estimate::Estimate,
    evaluate::{evaluate, judged},
    features,
    files::write,
    lab::{Lab, Setting},
    results::Score,
};

/// Runs the rows that `parts` ask for, seed by seed; the scores of all that are done, by this run or another.
pub(crate) fn table<'a>(
    setting: &Setting,
    folder: &Path,
    table: &'a Table,
    seeds: Range<u64>,
    parts: &[String],
) -> Result<Vec<Score>> {
    let shares = |row: &'a Row| row.shares().into_iter().map(move |share| (row, share, row.name(share)));
    let all: Vec<_> = table.rows.iter().flat_map(shares).collect();
    let rows = asked(&all, |(row, _, name)| [name.as_str(), &row.name], parts)?;
    let nets = rows.iter().map(|(row, ..)| table.net(row)).collect::<Result<Vec<_>>>()?;
    let mut jobs = vec![];
    for seed in seeds {
        for ((row, share, _), net) in rows.iter().zip(&nets) {
            jobs.push((*row, Lab::new(setting, table, net, row, *share, seed)));
        }
    }
    check(setting, table, &jobs)?;
    let mut estimate = Estimate::new(jobs.len());
    for (row, lab) in &jobs {
        let name = row.name(lab.label_share);
        println!("{name}, seed {}", lab.seed);
        job(row, lab, folder, &mut estimate).with_context(|| format!("row `{name}`, seed {}", lab.seed))?;
    }
    done(setting, folder, table)
}

/// The scores of the rows that are recorded in this folder, in the order of the table; nothing is run.
pub(crate) fn recorded(folder: &Path, table: &Table) -> Result<Vec<Score>> {
    let seeds = seeds(folder)?;
    let mut scores = vec![];
    for row in &table.rows {
        for share in row.shares() {
            let files = seeds.iter().map(|seed| file(row, share, *seed, folder));
            for file in files.filter(|file| file.exists()) {
                let known = Known::read(&file)?;
                ensure!(known.row == *row, "{} is of another experiment", file.display());
                scores.extend(known.scores);
            }
        }
    }
    Ok(scores)
}

/// The seeds of the rows in this folder.
fn seeds(folder: &Path) -> Result<BTreeSet<u64>> {
    let rows = folder.join("rows");
    let mut seeds = BTreeSet::new();
    for file in fs::read_dir(&rows).with_context(|| format!("cannot read {}", rows.display()))? {
        let path = file?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            seeds.insert(Known::read(&path)?.seed());
        }
    }
    Ok(seeds)
}

/// The scores of all rows that are done, in the order of the table.
fn done(setting: &Setting, folder: &Path, table: &Table) -> Result<Vec<Score>> {
    let seeds = seeds(folder)?;
    let mut scores = vec![];
    for row in &table.rows {
        let net = table.net(row)?;
        for share in row.shares() {
            for seed in &seeds {
                let lab = Lab::new(setting, table, &net, row, share, *seed);
                scores.extend(known(&lab, row, folder)?.unwrap_or_default());
            }
        }
    }
    Ok(scores)
}

/// Refuses a table of which some row cannot be run, before the first one takes its time.
fn check(setting: &Setting, table: &Table, jobs: &[(&Row, Lab)]) -> Result<()> {
    let mut checked: Vec<&Row> = vec![];
    for (row, lab) in jobs {
        if !checked.contains(row) {
            features::check(lab, row).with_context(|| format!("row `{}`", row.name))?;
            checked.push(row);
        }
    }
    setting.clock.count(setting.images.sizes(setting, &table.data)?.counts)
}

/// One row with one seed, unless it is done.
fn job(row: &Row, lab: &Lab, folder: &Path, estimate: &mut Estimate) -> Result<()> {
    let name = row.name(lab.label_share);
    let scores = match known(lab, row, folder)? {
        Some(scores) => {
            estimate.skip();
            scores
        }
        None => {
            let started = Instant::now();
            lab.setting.clock.begin(format!("{name}, seed {}", lab.seed));
            let scores = evaluate(lab, row)?;
            let known = Known { row: row.clone(), key: key(lab)?, scores };
            write(&file(row, lab.label_share, lab.seed, folder), &serde_json::to_vec_pretty(&known)?)?;
            let minutes = lab.setting.clock.end()?;
            println!("  {minutes:.1} minutes in all{}", estimate.add(started.elapsed()));
            known.scores
        }
    };
    for score in &scores {
        println!("  {}, {}: {:.2} %", score.block, score.evaluation, score.test);
    }
    lab.present(&judged(lab, row), folder, &format!("{}-seed{}", file_name(&name), lab.seed))
}

/// Where the scores of one row and seed are kept.
fn file(row: &Row, share: Option<f64>, seed: u64, folder: &Path) -> PathBuf {
    let name = file_name(&row.name(share));
    folder.join("rows").join(format!("{name}-seed-{seed}.json"))
}

/// The scores in the row's file, if it was run before with the same configuration.
fn known(lab: &Lab, row: &Row, folder: &Path) -> Result<Option<Vec<Score>>> {
    let file = file(row, lab.label_share, lab.seed, folder);
    if !file.exists() {
        return Ok(None);
    }
    let known = Known::read(&file)?;
    let same = known.row == *row && known.key == key(lab)?;
    Ok(same.then_some(known.scores))
}

/// Everything that the scores depend on, its numbers as they are read back: the last digit may be lost on the way.
fn key(lab: &Lab) -> Result<Value> {
    Ok(serde_json::from_str(&serde_json::to_value(lab.key()?)?.to_string())?)
}

/// The file of one row and seed.
#[derive(Debug, Serialize, Deserialize)]
struct Known {
    row: Row,
    /// Everything else that the scores depend on.
    key: Value,
    scores: Vec<Score>,
}

impl Known {
    fn read(file: &Path) -> Result<Self> {
        let json = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        serde_json::from_slice(&json)
            .with_context(|| format!("{}: remove it to run the row anew", file.display()))
    }

    fn seed(&self) -> u64 {
        self.key["seed"].as_u64().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reproduce::config::{Experiment, Protocol};

    fn entries(folder: &Path) -> Vec<PathBuf> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
    }

    #[test]
    fn kept_results_are_of_the_experiments_as_they_are() {
        let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("results");
        let mut rows = 0;
        for folder in entries(&kept) {
            let name = folder.file_name().unwrap().to_str().unwrap();
            let Protocol::Table(table) = Experiment::read(name).unwrap().protocol else {
                panic!("{name} has no rows")
            };
            let mut scores = 0;
            for file in entries(&folder.join("rows")) {
                let known = Known::read(&file).unwrap();
                assert!(table.rows.contains(&known.row), "{} is of another experiment", file.display());
                assert!(known.key["small"].is_null(), "{} is of a small run", file.display());
                scores += known.scores.len();
                rows += 1;
            }
            assert_eq!(
                recorded(&folder, &table).unwrap().len(),
                scores,
                "{name}: a file has another row's name"
            );
        }
        assert!(rows > 0, "no results in {}", kept.display());
    }
}
