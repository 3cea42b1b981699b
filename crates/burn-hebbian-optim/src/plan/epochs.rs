//! When the entries of a plan hold.

use std::ops::{Bound, RangeBounds, RangeInclusive};

use serde::{Deserialize, Serialize};

use super::Plan;
use crate::PlanError;

/// The epochs in which an entry holds, counted from 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Epochs {
    #[serde(skip_serializing_if = "Option::is_none")]
    first: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<usize>,
}

impl Epochs {
    pub(super) fn of(range: impl RangeBounds<usize>) -> Self {
        let first = match range.start_bound() {
            Bound::Included(first) => Some(*first),
            Bound::Excluded(before) => Some(before.saturating_add(1)),
            Bound::Unbounded => None,
        };
        let last = match range.end_bound() {
            Bound::Included(last) => Some(*last),
            Bound::Excluded(after) => Some(after.saturating_sub(1)),
            Bound::Unbounded => None,
        };
        Self { first, last }
    }

    pub(crate) fn contain(&self, epoch: usize) -> bool {
        self.first.is_none_or(|first| first <= epoch) && self.last.is_none_or(|last| epoch <= last)
    }

    /// The epochs in which something changes.
    fn bounds(&self) -> impl Iterator<Item = usize> {
        self.first.into_iter().chain(self.last.map(|last| last.saturating_add(1)))
    }

    pub(crate) fn are_all(&self) -> bool {
        *self == Self::default()
    }

    pub(crate) fn check(&self, pattern: &str) -> Result<(), PlanError> {
        let (first, last) = (self.first.unwrap_or(1), self.last.unwrap_or(usize::MAX));
        if 1 <= first && first <= last {
            return Ok(());
        }
        Err(PlanError::Epochs { pattern: pattern.to_string(), first, last })
    }
}

impl Plan {
    /// Whether the plan says what holds in which epochs, so that somebody has to count them.
    pub fn has_epochs(&self) -> bool {
        self.entries.iter().any(|entry| !entry.epochs.are_all())
    }

    /// The first epochs of all phases, counted from 1.
    pub(crate) fn phase_starts(&self) -> Vec<usize> {
        let bounds = self.entries.iter().flat_map(|entry| entry.epochs.bounds());
        let mut starts: Vec<usize> = bounds.chain([1]).filter(|start| *start >= 1).collect();
        starts.sort_unstable();
        starts.dedup();
        starts
    }

    /// The phases of a training over so many epochs, counted from 1: in all epochs of a phase the same entries hold.
    ///
    /// A phase is a training of its own, with an optimizer and rates that start anew.
    pub fn phases(&self, epochs: usize) -> Vec<RangeInclusive<usize>> {
        let starts: Vec<usize> = self.phase_starts().into_iter().filter(|start| *start <= epochs).collect();
        let ends = starts.iter().skip(1).map(|next| next - 1).chain([epochs]);
        starts.iter().zip(ends).map(|(start, end)| *start..=end).collect()
    }

    /// The first epoch of the phase that an epoch belongs to.
    pub(crate) fn phase_of(&self, epoch: usize) -> usize {
        self.phase_starts().into_iter().rfind(|start| *start <= epoch).unwrap_or(1)
    }
}
