//! What the columns of a table became, once all rows were seen.

use std::collections::HashMap;
use std::ops::Range;

use super::origin::origin;
use super::{Plan, leave_out};
use crate::Error;
use crate::schema::{self, Feature, HASHED, LIST_PLACE, ONE_HOT};
use crate::table::builder::{Builder, Guess, Guessed};
use crate::table::{LeftOut, List, ReadReport, Why, native};

/// Features with their values.
#[derive(Default)]
struct Outcome {
    features: Vec<Feature>,
    columns: Vec<Vec<f32>>,
    /// Which of them came from a column.
    ranges: HashMap<String, Range<usize>>,
}

impl Plan {
    /// The features that the columns became, in the order of the first table's header.
    pub(in crate::table) fn features(
        &self,
        builders: Vec<Builder>,
        rows: usize,
        report: &mut ReadReport,
    ) -> Result<(Vec<Feature>, Vec<Vec<f32>>), Error> {
        let mut outcome = Outcome::default();
        for (input, builder) in self.inputs.iter().zip(builders) {
            let name = &input.column;
            let start = outcome.features.len();
            let known = native::column(name).filter(|_| self.native);
            let unit = known.map_or("", |column| column.unit);
            match builder {
                Builder::Number(values) => outcome.push(name.clone(), unit, values),
                Builder::List(lists) => outcome.push_list(name, unit, lists),
                Builder::OneHot { .. } | Builder::Hash(_) => {
                    unreachable!("only a model's schema has known values")
                }
                Builder::Guess(guess) => outcome.guessed(name, unit, *guess, report)?,
            }
            let range = start..outcome.features.len();
            let first = self.twins.iter().find(|(twin, _)| twin == name).map(|(_, first)| first);
            if first.is_some_and(|first| outcome.are_equal((first, name), &range)) {
                outcome.features.truncate(start);
                outcome.columns.truncate(start);
                report.one_hot.retain(|(column, _)| column != name);
                report.lists.retain(|list| list.column != *name);
                leave_out(report, name, Why::Twin);
            } else {
                outcome.ranges.insert(name.clone(), range);
            }
        }
        self.check_found_again(&outcome)?;
        let Outcome { mut features, mut columns, .. } = outcome;
        self.order_as_the_flow_table(&mut features, &mut columns);
        if let Some(known) = self.known {
            let derived = known.derived(&features);
            columns.resize(columns.len() + derived.len(), Vec::new());
            features.extend(derived);
            known.complete(&features, &mut columns, rows);
        }
        Ok((features, columns))
    }

    /// A model finds its features again by name: each name must be there once, and lead to the column that it came from.
    fn check_found_again(&self, outcome: &Outcome) -> Result<(), Error> {
        let mut seen: HashMap<&str, &str> = HashMap::new();
        for input in &self.inputs {
            let own = input.column.as_str();
            let range = outcome.ranges.get(own).cloned().unwrap_or_default();
            for feature in &outcome.features[range] {
                let earlier = seen.insert(&feature.name, own);
                let found = origin(&self.header, feature).map(|(column, _)| column);
                if let Some(other) = earlier.or(found.filter(|&column| column != own)) {
                    return Err(Error::SameFeature {
                        path: self.path.clone(),
                        first: other.to_string(),
                        second: own.to_string(),
                        feature: feature.name.clone(),
                    });
                }
            }
        }
        Ok(())
    }

    /// Whatever the order of a file's columns, our own features come in the schema's order, and others behind them.
    fn order_as_the_flow_table(&self, features: &mut Vec<Feature>, columns: &mut Vec<Vec<f32>>) {
        if !self.native {
            return;
        }
        let order: HashMap<&str, usize> = schema::flow_schema()
            .features
            .iter()
            .enumerate()
            .map(|(place, feature)| (feature.name.as_str(), place))
            .collect();
        let mut both: Vec<_> = features.drain(..).zip(columns.drain(..)).collect();
        both.sort_by_key(|(feature, _)| {
            order.get(feature.name.as_str()).copied().unwrap_or(usize::MAX)
        });
        (*features, *columns) = both.into_iter().unzip();
    }
}

impl Outcome {
    fn push(&mut self, name: String, unit: &str, values: Vec<f32>) {
        self.features.push(Feature { name, unit: unit.to_string() });
        self.columns.push(values);
    }

    fn push_list(&mut self, column: &str, unit: &str, lists: Vec<Vec<f32>>) {
        for (index, values) in lists.into_iter().enumerate() {
            self.push(format!("{column}_{index}"), unit, values);
        }
    }

    fn guessed(
        &mut self,
        name: &str,
        unit: &str,
        guess: Guess,
        report: &mut ReadReport,
    ) -> Result<(), Error> {
        match guess.finish()? {
            Guessed::Number(values) => self.push(name.to_string(), unit, values),
            Guessed::Text(values) => {
                report.one_hot.push((name.to_string(), values.len()));
                for (value, values) in values {
                    self.push(format!("{name}={value}"), ONE_HOT, values);
                }
            }
            Guessed::List(lists, doubtful) => {
                report.lists.push(List { column: name.to_string(), doubtful });
                self.push_list(name, LIST_PLACE, lists);
            }
            Guessed::Hashed(buckets) => {
                report.hashed.push((name.to_string(), buckets.len()));
                for (bucket, values) in buckets.into_iter().enumerate() {
                    self.push(format!("{name}#{bucket:02}"), HASHED, values);
                }
            }
            Guessed::TooMany(first) => report.left_out.push(LeftOut {
                column: name.to_string(),
                why: Why::TooManyValues,
                first: Some(first),
            }),
            Guessed::RowNumber => leave_out(report, name, Why::RowNumber),
            Guessed::Empty => leave_out(report, name, Why::Empty),
        }
        Ok(())
    }

    /// Whether a column's features say the same in every row as those of an earlier column.
    fn are_equal(&self, (first, second): (&str, &str), of_second: &Range<usize>) -> bool {
        let Some(of_first) = self.ranges.get(first) else { return false };
        let part =
            |column: &str, place: usize| self.features[place].name[column.len()..].to_string();
        let bits = |place: usize| self.columns[place].iter().map(|value| value.to_bits());
        of_first.len() == of_second.len()
            && !of_first.is_empty()
            && of_first
                .clone()
                .zip(of_second.clone())
                .all(|(a, b)| part(first, a) == part(second, b) && bits(a).eq(bits(b)))
    }
}
