//! Whether a stated confidence is true: of the answers given with 0.8, are eight in ten right?

use serde::{Deserialize, Serialize};

use super::{Answers, best, wilson};

/// Bins of equal width in [`Calibration::histogram`].
const HISTOGRAM_BINS: usize = 20;

/// Stated confidence against the share that is right.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Expected calibration error: the mean distance between both over the bins, by their rows.
    pub ece: f64,
    /// Bins of equal mass, least sure first.
    pub bins: Vec<ReliabilityBin>,
    /// Rows by confidence, in 20 bins of equal width from 0 to 1.
    pub histogram: Vec<u64>,
}

/// Answers of like confidence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReliabilityBin {
    /// How many answers.
    pub rows: u64,
    /// Their lowest confidence.
    pub confidence_low: f64,
    /// Their mean confidence.
    pub confidence: f64,
    /// Their highest confidence.
    pub confidence_high: f64,
    /// Share of them that is right.
    pub right: f64,
    /// Lower end of the 95 % interval of that share.
    pub right_low: f64,
    /// Upper end of that interval.
    pub right_high: f64,
}

impl<P: Copy + Into<f64> + Sync> Answers<'_, P> {
    /// The calibration of the most probable class, in bins of equal mass.
    ///
    /// The rows, sorted by confidence, are cut into consecutive bins; the first `rows % bins` hold one row more than the others.
    /// Where rows of equal confidence lie on both sides of a cut (a forest of few trees has many), each counts as right by the
    /// share of them that is right, which is the mean over every order they could have come in; so the result does not depend on
    /// the order of the rows. With fewer rows than bins the empty bins are left out.
    ///
    /// # Reference
    /// Guo et al., *On Calibration of Modern Neural Networks*, ICML 2017, eq. 3, with bins of equal mass as in Nixon et al.,
    /// *Measuring Calibration in Deep Learning*, CVPR workshops 2019.
    #[must_use]
    pub fn calibration(&self, bins: usize) -> Calibration {
        let mut sure: Vec<(f64, f64)> = Vec::with_capacity(self.rows());
        let mut histogram = vec![0; HISTOGRAM_BINS];
        for (truth, row) in self.each() {
            let (class, confidence) = best(row);
            let place = (confidence * HISTOGRAM_BINS as f64) as usize;
            histogram[place.min(HISTOGRAM_BINS - 1)] += 1;
            sure.push((confidence, f64::from(u8::from(class == truth))));
        }
        sure.sort_by(|a, b| a.0.total_cmp(&b.0));
        for tied in sure.chunk_by_mut(|a, b| a.0 == b.0) {
            let right = tied.iter().map(|&(_, hit)| hit).sum::<f64>() / tied.len() as f64;
            tied.iter_mut().for_each(|(_, hit)| *hit = right);
        }
        let bins = equal_mass(&sure, bins.max(1));
        let off = |bin: &ReliabilityBin| bin.rows as f64 * (bin.right - bin.confidence).abs();
        let ece = bins.iter().map(off).sum::<f64>() / self.rows() as f64;
        Calibration { ece, bins, histogram }
    }
}

/// Cuts sorted pairs of confidence and share right into bins of equal mass.
fn equal_mass(sure: &[(f64, f64)], bins: usize) -> Vec<ReliabilityBin> {
    let (each, longer) = (sure.len() / bins, sure.len() % bins);
    let mut rest = sure;
    let mut cut = Vec::with_capacity(bins);
    for bin in 0..bins {
        let (now, later) = rest.split_at(each + usize::from(bin < longer));
        rest = later;
        let (Some(first), Some(last)) = (now.first(), now.last()) else { break };
        let rows = now.len() as f64;
        let (confidence, hits) = now.iter().fold((0.0, 0.0), |(c, h), now| (c + now.0, h + now.1));
        let (right_low, right_high) = wilson(hits, rows);
        cut.push(ReliabilityBin {
            rows: now.len() as u64,
            confidence_low: first.0,
            confidence: confidence / rows,
            confidence_high: last.0,
            right: hits / rows,
            right_low,
            right_high,
        });
    }
    cut
}
