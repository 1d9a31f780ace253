//! What is gained when a model may answer "unknown": fewer mistakes among what it answers, and strangers found.

use serde::{Deserialize, Serialize};

use super::ranking::auroc;
use super::{Answers, best};

/// Accuracy of the answers kept, by how many are kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RiskCoverage {
    /// Mean share of mistakes over every number of answers kept, surest first: lower is better.
    pub area: f64,
    /// Points of the curve, surest first; the last keeps every answer.
    pub points: Vec<RiskPoint>,
}

/// One threshold.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RiskPoint {
    /// Answers of at least this confidence are kept.
    pub threshold: f64,
    /// Share of the answers that is kept.
    pub coverage: f64,
    /// Share of the kept that is right.
    pub accuracy: f64,
}

impl<P: Copy + Into<f64> + Sync> Answers<'_, P> {
    /// The risk–coverage curve, by the confidence in the most probable class, thinned to at most `points_max` thresholds.
    ///
    /// Answers of equal confidence are kept or refused together.
    ///
    /// # Reference
    /// Geifman and El-Yaniv, *Selective Classification for Deep Neural Networks*, NeurIPS 2017, section 2.
    #[must_use]
    pub fn risk_coverage(&self, points_max: usize) -> RiskCoverage {
        let judge = |(truth, row)| {
            let (class, confidence) = best(row);
            (confidence, class == truth)
        };
        let mut sure: Vec<(f64, bool)> = self.each().map(judge).collect();
        sure.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
        let rows = sure.len() as f64;
        let (mut kept, mut hits, mut area, mut points) = (0.0, 0.0, 0.0, Vec::new());
        for tied in sure.chunk_by(|a, b| a.0 == b.0) {
            let right = tied.iter().filter(|each| each.1).count() as f64 / tied.len() as f64;
            for _ in tied {
                kept += 1.0;
                hits += right;
                area += 1.0 - hits / kept;
            }
            let (coverage, accuracy) = (kept / rows, f64::min(hits / kept, 1.0));
            points.push(RiskPoint { threshold: tied[0].0, coverage, accuracy });
        }
        let points = thinned(&points, points_max, |point| point.coverage);
        RiskCoverage { area: f64::max(area / rows, 0.0), points }
    }
}

impl RiskCoverage {
    /// The first point that keeps at least this share of the answers.
    #[must_use]
    pub fn at_coverage(&self, coverage: f64) -> Option<&RiskPoint> {
        self.points.iter().find(|point| point.coverage >= coverage)
    }
}

/// How well rows of classes that were never learnt are told from known ones by how unsure their answers are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UnknownScore {
    /// Answers less sure than this are called unknown.
    pub threshold: f64,
    /// Share of the known rows that is wrongly called unknown.
    pub false_alarms: f64,
    /// Share of the unknown rows that is found.
    pub found: f64,
    /// The chance that an unknown row is less sure than a known one.
    pub auroc: f64,
    /// Number of known rows.
    pub known_rows: u64,
    /// Number of unknown rows.
    pub unknown_rows: u64,
    /// The curve of share found against false alarms.
    pub points: Vec<UnknownPoint>,
}

/// One threshold of the unknown-detection curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct UnknownPoint {
    /// Share of the known rows below the threshold.
    pub false_alarms: f64,
    /// Share of the unknown rows below the threshold.
    pub found: f64,
}

/// Scores unknown detection at the highest threshold that calls at most a share `false_alarms_max` of the known rows unknown.
///
/// `known` and `unknown` say how sure the answers to rows of learnt and of left-out classes are, greater where surer. None when either
/// is empty or holds a NaN, or when `false_alarms_max` is no share.
#[must_use]
pub fn unknown_score(
    known: &[f64],
    unknown: &[f64],
    false_alarms_max: f64,
) -> Option<UnknownScore> {
    let pairs = known.iter().map(|&c| (c, true)).chain(unknown.iter().map(|&c| (c, false)));
    let mut ranked: Vec<(f64, bool)> = pairs.collect();
    if ranked.iter().any(|each| each.0.is_nan()) || !(0.0..=1.0).contains(&false_alarms_max) {
        return None;
    }
    let auroc = auroc(&mut ranked)?;
    let (known_rows, unknown_rows) = (known.len() as f64, unknown.len() as f64);
    let (mut alarms, mut found) = (0.0, 0.0);
    let mut points = Vec::new();
    let mut chosen = (f64::NEG_INFINITY, UnknownPoint { false_alarms: 0.0, found: 0.0 });
    for tied in ranked.chunk_by(|a, b| a.0 == b.0) {
        // Strictly below this confidence: everything that came before it.
        let point = UnknownPoint { false_alarms: alarms / known_rows, found: found / unknown_rows };
        points.push(point);
        if point.false_alarms <= false_alarms_max {
            chosen = (tied[0].0, point);
        }
        let known = tied.iter().filter(|each| each.1).count() as f64;
        alarms += known;
        found += tied.len() as f64 - known;
    }
    points.push(UnknownPoint { false_alarms: 1.0, found: 1.0 });
    Some(UnknownScore {
        threshold: chosen.0,
        false_alarms: chosen.1.false_alarms,
        found: chosen.1.found,
        auroc,
        known_rows: known.len() as u64,
        unknown_rows: unknown.len() as u64,
        points: thinned(&points, 200, |point| point.false_alarms),
    })
}

/// At most `limit` points, spread evenly over `along` (which never falls), the first and the last among them.
fn thinned<T: Copy>(points: &[T], limit: usize, along: fn(&T) -> f64) -> Vec<T> {
    let limit = limit.max(2);
    if points.len() <= limit {
        return points.to_vec();
    }
    let (first, last) = (along(&points[0]), along(&points[points.len() - 1]));
    let mut kept = Vec::with_capacity(limit);
    for (place, point) in points.iter().enumerate() {
        let due = first + (last - first) * kept.len() as f64 / (limit - 1) as f64;
        let end = place + 1 == points.len();
        if end || (along(point) >= due && kept.len() + 1 < limit) {
            kept.push(*point);
        }
    }
    kept
}
