//! What can be wrong with a table before its images are known.

use std::ops::Range;

use anyhow::{Context, Result, ensure};

use super::{
    Backprop, Branch, Evaluation, Hebbian, NetConfig, Norm, Pool, Row, Stage, Table, net::check_dropout,
};

impl Table {
    /// Refuses what does not depend on the images.
    pub(crate) fn check(&self) -> Result<()> {
        for (index, row) in self.rows.iter().enumerate() {
            let same = |other: &Row| other.file_name() == row.file_name();
            ensure!(!self.rows[..index].iter().any(same), "two rows are called `{}`", row.name);
            self.check_row(row).with_context(|| format!("row `{}`", row.name))?;
        }
        for against in self.rows.iter().map(|row| &row.against).chain([&self.against]).flatten() {
            let names = || self.rows.iter().map(|row| row.name.as_str()).collect::<Vec<_>>().join(", ");
            let known = self.rows.iter().any(|row| row.name == *against);
            ensure!(known, "rows are compared with `{against}`, which is none of {}", names());
        }
        Ok(())
    }

    fn check_row(&self, row: &Row) -> Result<()> {
        let net = self.net(row)?;
        if !row.stages.is_empty() {
            net.check_spikes(row.preparation.unwrap_or(self.data.preparation))?;
        }
        row.check_settling()?;
        row.check(&net)?;
        row.beside
            .iter()
            .try_for_each(|branch| branch.check(&net).with_context(|| format!("beside, `{}`", branch.at)))
    }
}

impl Branch {
    /// On its own network, or else that of the row.
    fn check(&self, of_row: &NetConfig) -> Result<()> {
        let net = self.net(of_row)?;
        ensure!(!self.stages.is_empty(), "no stages");
        let scale = self.scale.unwrap_or(1.0);
        ensure!(scale.is_finite() && scale > 0.0, "a scale must be finite and above 0, got {scale}");
        let end = check_stages(&self.stages, &net)?;
        check_trained(&net, &self.at, end)
    }
}

impl Row {
    fn check(&self, net: &NetConfig) -> Result<()> {
        ensure!(!self.evaluate.is_empty(), "nothing to evaluate");
        self.check_files()?;
        let end = check_stages(&self.stages, net)?;
        self.check_scores(net, end)?;
        for block in self.at.iter().filter(|_| !self.stages.is_empty()) {
            check_trained(net, block, end)?;
        }
        for share in &self.label_shares {
            let valid = *share > 0.0 && *share <= 1.0;
            ensure!(valid, "a share of labels must be above 0 and at most 1, got {share}");
        }
        let judged = self.at.len().max(1);
        let published = self.published.len();
        ensure!(published == 0 || published == judged, "{published} published numbers for {judged} blocks");
        Ok(())
    }

    /// What reads features where they are kept finds those of one chain, of all images.
    fn check_files(&self) -> Result<()> {
        for evaluation in self.evaluate.iter().filter(|evaluation| evaluation.reads_files()) {
            let name = evaluation.name();
            let simple = self.beside.is_empty() && self.regions.is_none() && self.label_shares.is_empty();
            ensure!(simple, "`{name}` knows no features beside, regions or shares of labels");
            ensure!(!self.stages.is_empty(), "`{name}` judges what stages made of the images");
            if let Evaluation::Factored { epochs, rate } = evaluation {
                ensure!(*epochs > 0, "a classifier trains for at least 1 epoch, got 0");
                check_rate(*rate)?;
            }
        }
        Ok(())
    }

    /// Scores are those of the last block, or of the classifier that backprop puts on top.
    fn check_scores(&self, net: &NetConfig, end: usize) -> Result<()> {
        let scored = self.stages.last().is_some_and(Stage::is_backprop) || end == net.blocks.len();
        let asked = self.evaluate.contains(&Evaluation::Scores);
        ensure!(scored || !asked, "`scores` are asked for, of stages that score no classes");
        let judged = !self.stages.is_empty() || self.at.len() == 1;
        ensure!(judged, "without stages, `at` gives the images one name, got {} names", self.at.len());
        Ok(())
    }
}

/// The number of blocks that stages train; each begins where blocks before it are trained.
fn check_stages(stages: &[Stage], net: &NetConfig) -> Result<usize> {
    let mut next = 0;
    for stage in stages {
        let [first, last] = stage.blocks();
        let (first, last) = (net.index(first)?, net.index(last)?);
        ensure!(first <= last, "blocks {first} to {last} are in the wrong order");
        let anew = matches!(stage, Stage::Backprop(Backprop { fine_tune: true, .. }));
        let expected = if anew { 0 } else { next };
        ensure!(first <= expected, "a stage begins at block {first}, the ones before it end at {expected}");
        stage.check(net, first..last + 1)?;
        next = last + 1;
    }
    Ok(next)
}

fn check_trained(net: &NetConfig, block: &str, end: usize) -> Result<()> {
    ensure!(net.index(block)? < end, "block `{block}` is above the last stage");
    Ok(())
}

impl Stage {
    fn check(&self, net: &NetConfig, blocks: Range<usize>) -> Result<()> {
        match self {
            Self::Hebbian(stage) => stage.check(net, blocks),
            Self::Backprop(stage) => stage.check(net, blocks),
            Self::Untrained(_) => Ok(()),
            Self::Settling(stage) => {
                check_length(stage.epochs, stage.batch)?;
                stage.check(net)
            }
        }
    }
}

impl Hebbian {
    fn check(&self, net: &NetConfig, blocks: Range<usize>) -> Result<()> {
        check_length(self.epochs, self.batch)?;
        self.rate.map_or(Ok(()), check_rate)?;
        ensure!(self.images != Some(0), "an epoch has at least 1 image, got 0");
        self.spiking(&net.blocks[blocks.clone()])?;
        let Some(rules) = &self.rules else { return Ok(()) };
        let (count, needed) = (rules.len(), blocks.len());
        let [first, last] = [blocks.start, blocks.end - 1].map(|index| &net.blocks[index].name);
        ensure!(count == needed, "{count} rules for {needed} blocks, {first} to {last}");
        Ok(())
    }
}

impl Backprop {
    fn check(&self, net: &NetConfig, blocks: Range<usize>) -> Result<()> {
        check_length(self.epochs, self.batch)?;
        check_rate(self.rate)?;
        for block in &net.blocks[blocks.clone()] {
            let name = &block.name;
            ensure!(block.whitening.is_none(), "backprop would train `{name}`, which whitens");
            ensure!(block.code.is_none(), "no gradient passes the code of `{name}`");
        }
        if let Some(dual) = &self.dual {
            dual.check()?;
            check_dual(net, blocks, self.fine_tune)?;
        }
        ensure!(self.choose_on != Some(0), "an epoch is chosen on at least 1 image, got 0");
        self.classifier_dropout.map_or(Ok(()), check_dropout)?;
        let penalty = self.penalty;
        ensure!(
            penalty.is_finite() && penalty >= 0.0,
            "a penalty must be finite and at least 0, got {penalty}"
        );
        Ok(())
    }
}

/// Refuses blocks that are no chain of layers, ReLU and pooling with a linear output.
fn check_dual(net: &NetConfig, blocks: Range<usize>, fine_tune: bool) -> Result<()> {
    ensure!(blocks.end == net.blocks.len(), "dual propagation needs the network's last block");
    ensure!(!fine_tune, "dual propagation begins with layers of its own");
    for block in &net.blocks[blocks] {
        let name = &block.name;
        let normed = block.norm != Norm::None || block.norm_before != Norm::None;
        ensure!(
            !normed && block.dropout == 0.0,
            "dual propagation has no norm and no dropout, as `{name}` has"
        );
        let pool = block.pool;
        let whole = match pool {
            Pool::None => true,
            Pool::Max { size, stride, padding } => stride.unwrap_or(size) == size && padding == 0,
            Pool::Average { .. } => false,
        };
        ensure!(whole, "dual propagation pools the largest of windows side by side; `{name}` has {pool:?}");
    }
    Ok(())
}

fn check_length(epochs: usize, batch: usize) -> Result<()> {
    ensure!(epochs > 0, "a stage trains for at least 1 epoch, got 0");
    ensure!(batch > 0, "a batch has at least 1 image, got 0");
    Ok(())
}

fn check_rate(rate: f64) -> Result<()> {
    ensure!(rate.is_finite() && rate >= 0.0, "a rate must be finite and at least 0, got {rate}");
    Ok(())
}
