//! Finding what is of a query's class.

use burn::{config::Config, tensor::Device};

use super::{
    EvaluationError,
    distance::{Comparison, Metric, place},
    features::{check, check_like, label},
};
use crate::data::Labeled;

/// For each query the database is ranked by distance, of equally far features the first before the others; relevant
/// is what has the query's label.
#[derive(Config, Debug, PartialEq)]
pub struct RetrievalConfig {
    /// How features are compared.
    #[config(default = "Metric::Euclidean")]
    pub metric: Metric,
    /// How many places of the ranking count for average precisions (mAP@R); all without.
    pub cutoff: Option<usize>,
    /// The `k` of which precision@k is asked.
    #[config(default = "vec![]")]
    pub precision_at: Vec<usize>,
}

/// How well a database answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Retrieval {
    /// The mean of the average precisions, in 0..=1.
    pub mean_average_precision: f64,
    /// The [`average_precision`] of every query.
    pub average_precisions: Vec<f64>,
    /// For each `k` that was asked for, the share of relevant features among the first `k`, mean over the queries.
    pub precisions: Vec<f64>,
}

impl RetrievalConfig {
    /// Asks `database` for what is of each query's class. A query without any counts as 0.
    ///
    /// # Errors
    ///
    /// If features are missing, not finite or of two lengths, or the cutoff or a `k` is 0 or above the number of
    /// features in the database.
    pub fn evaluate(
        &self,
        database: &Labeled,
        queries: &Labeled,
        device: &Device,
    ) -> Result<Retrieval, EvaluationError> {
        check("database", database)?;
        check_like("query", queries, database.image_len())?;
        self.check_places(database.len())?;
        let mut average_precisions = Vec::with_capacity(queries.len());
        let mut precisions = vec![0.0; self.precision_at.len()];
        Comparison::new(database, self.metric, device).for_each(queries, |query, keys| {
            keys.sort_unstable();
            let class = label(queries, query);
            let relevant: Vec<bool> = keys.iter().map(|key| label(database, place(*key)) == class).collect();
            average_precisions.push(self.average(&relevant));
            precisions
                .iter_mut()
                .zip(&self.precision_at)
                .for_each(|(sum, &k)| *sum += precision(&relevant[..k]));
        });
        let count = queries.len() as f64;
        Ok(Retrieval {
            mean_average_precision: average_precisions.iter().sum::<f64>() / count,
            average_precisions,
            precisions: precisions.into_iter().map(|sum| sum / count).collect(),
        })
    }

    fn average(&self, ranked: &[bool]) -> f64 {
        let all = ranked.iter().filter(|relevant| **relevant).count();
        average_precision(&ranked[..self.cutoff.unwrap_or(ranked.len())], all)
    }

    fn check_places(&self, most: usize) -> Result<(), EvaluationError> {
        let places = self.precision_at.iter().map(|&k| ("precision_at", k));
        let mut places = places.chain(self.cutoff.map(|cutoff| ("cutoff", cutoff)));
        match places.find(|&(_, got)| got == 0 || got > most) {
            Some((name, got)) => Err(EvaluationError::Places { name, most, got }),
            None => Ok(()),
        }
    }
}

/// The average precision of a ranking, or of its first places.
///
/// ```text
/// AP = Σ_k [place k is relevant] · precision@k / all
/// ```
///
/// `all` counts everything relevant, whether or not it is among the places given: what a cutoff hides lowers the
/// result. Some authors divide by what was found instead. 0 if there is nothing relevant.
///
/// Source: C. D. Manning, P. Raghavan and H. Schütze, "Introduction to information retrieval", Cambridge (2008),
/// section 8.4, doi:10.1017/CBO9780511809071.
pub fn average_precision(ranked: &[bool], all: usize) -> f64 {
    let found = ranked.iter().zip(1..).filter(|(relevant, _)| **relevant).zip(1..);
    let sum: f64 = found.map(|((_, place), found)| f64::from(found) / f64::from(place)).sum();
    // clamp: nothing relevant, nothing found.
    sum / all.max(1) as f64
}

fn precision(ranked: &[bool]) -> f64 {
    ranked.iter().filter(|relevant| **relevant).count() as f64 / ranked.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::fixtures::{Fixture, close, list, number};

    #[test]
    fn hand_made_rankings() {
        let of =
            |ranked: &str, all| average_precision(&ranked.chars().map(|c| c == '+').collect::<Vec<_>>(), all);
        let cases = [
            (of("++--", 2), 1.0),
            (of("--++", 2), (1.0 / 3.0 + 2.0 / 4.0) / 2.0),
            (of("+-+-+", 3), (1.0 + 2.0 / 3.0 + 3.0 / 5.0) / 3.0),
            // a cutoff hides one of three
            (of("+-+", 3), (1.0 + 2.0 / 3.0) / 3.0),
            (of("----", 2), 0.0),
            (of("----", 0), 0.0),
        ];
        for (got, expected) in cases {
            close([got], [expected], 1e-12);
        }
    }

    /// Database at 1, 2, 3 and 4 of classes 0, 1, 0, 1; queries at 0 of classes 1 and 7.
    #[test]
    fn hand_made_retrieval() {
        let points = |points: &[(f32, usize)]| {
            let mut labeled = Labeled::with_capacity([1, 1, 1], points.len());
            points.iter().for_each(|&(at, class)| labeled.push([at], class.try_into().unwrap()));
            labeled
        };
        let database = points(&[(1.0, 0), (2.0, 1), (3.0, 0), (4.0, 1)]);
        let config = RetrievalConfig::new().with_precision_at(vec![1, 2, 4]);
        let found = config.evaluate(&database, &points(&[(0.0, 1), (0.0, 7)]), &Device::flex()).unwrap();
        assert_eq!(found.average_precisions, [0.5, 0.0]);
        assert_eq!((found.mean_average_precision, found.precisions), (0.25, vec![0.0, 0.25, 0.25]));
        let cut = config.with_cutoff(Some(3)).evaluate(&database, &points(&[(0.0, 1)]), &Device::flex());
        assert_eq!(cut.unwrap().average_precisions, [0.25]);
    }

    #[test]
    fn agrees_with_scikit_learn() {
        let Fixture { json, train, test } = Fixture::load();
        for case in list(&json["retrieval"]) {
            let metric = if case["metric"] == "cosine" { Metric::Cosine } else { Metric::Euclidean };
            let config = RetrievalConfig::new().with_metric(metric).with_precision_at(vec![10]);
            let found = config.evaluate(&train, &test, &Device::flex()).unwrap();
            let expected = list(&case["average_precisions"]).iter().map(number);
            close(found.average_precisions, expected, 1e-9);
            close(found.precisions, [number(&case["precision_at_10"])], 1e-9);
            let cut = config.with_cutoff(Some(40)).evaluate(&train, &test, &Device::flex()).unwrap();
            close([cut.mean_average_precision], [number(&case["map_at_40"])], 1e-9);
        }
    }

    #[test]
    fn places_beyond_the_database_are_errors() {
        let Fixture { train, test, .. } = Fixture::load();
        let message = |config: RetrievalConfig| {
            config.evaluate(&train, &test, &Device::flex()).unwrap_err().to_string()
        };
        let config = RetrievalConfig::new;
        assert_eq!(message(config().with_cutoff(Some(201))), "cutoff must be in 1..=200, got 201");
        assert_eq!(message(config().with_precision_at(vec![5, 0])), "precision_at must be in 1..=200, got 0");
    }
}
