//! What values a model's columns had while it learnt, about: what a form that asks for a flow begins with, and where its sliders end.

use crate::estimator::Estimator;
use crate::forest::bin::{Bins, Cuts, MISSING};
use crate::net::inputs::{Inputs, Scale};

/// About where 1, 50 and 99 % of a column's values end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// 1 %.
    pub low: f32,
    /// The middle one.
    pub usual: f32,
    /// 99 %.
    pub high: f32,
}

/// Standard deviations from the mean to the points at 1 and 99 %, were the values normal.
const FAR: f32 = 2.33;
/// The share below the lower of two points; above the other there are as many.
const EDGE: f64 = 0.01;

impl Estimator {
    /// What values its columns had, in their order; none of a column that it does not look at, or knows nothing of.
    ///
    /// Trees know it by where they cut, a network by mean and deviation; the linear classifier keeps neither.
    #[must_use]
    pub fn ranges(&self) -> Vec<Option<Range>> {
        let mut ranges = match self {
            Self::Forest(forest) => of_bins(&forest.bins),
            Self::SizeForest(trees) => of_bins(&trees.forest.bins),
            Self::Boost(boost) => of_bins(&boost.bins),
            Self::Network(network) => of_inputs(&network.inputs),
            Self::Voting(voting) => first_known(&voting.members),
            Self::Stack(stack) => first_known(&stack.bases),
            Self::Linear(_) => Vec::new(),
        };
        // What follows from the columns stands behind them, and is nothing that anybody types.
        ranges.resize(self.features(), None);
        ranges
    }
}

fn first_known(members: &[Estimator]) -> Vec<Option<Range>> {
    let all = members.iter().map(Estimator::ranges);
    all.reduce(|known, other| known.into_iter().zip(other).map(|(a, b)| a.or(b)).collect())
        .unwrap_or_default()
}

fn of_bins(bins: &Bins) -> Vec<Option<Range>> {
    bins.cuts().iter().map(of_cuts).collect()
}

/// A column is cut at its quantiles, so the edges are spread as the values are.
fn of_cuts(cuts: &Cuts) -> Option<Range> {
    let edges = cuts.edges();
    let last = edges.len().checked_sub(1)?;
    let at = |share: f64| edges[(share * last as f64).round() as usize];
    // The bin of the median is known where no value was missing; of few edges it is far from the middle one.
    let middle = match cuts.missing() {
        MISSING => at(0.5),
        bin => edges[usize::from(bin).min(last)],
    };
    Some(Range { low: at(EDGE), usual: middle, high: at(1.0 - EDGE) })
}

fn of_inputs(inputs: &Inputs) -> Vec<Option<Range>> {
    let mut ranges = vec![None; inputs.features];
    for input in &inputs.scalars {
        ranges[input.column] = Some(of_scale(input.scale));
    }
    for list in inputs.sequences.iter().flat_map(|sequence| &sequence.lists) {
        list.columns.iter().for_each(|&column| ranges[column] = Some(of_scale(list.scale)));
    }
    ranges
}

fn of_scale(scale: Scale) -> Range {
    let at = |deviations: f32| {
        let value = deviations.mul_add(scale.deviation, scale.mean);
        if scale.log { value.abs().exp_m1().copysign(value) } else { value }
    };
    Range { low: at(-FAR), usual: at(0.0), high: at(FAR) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_tell_where_the_values_were() {
        let column: Vec<f32> = (0..10_000).map(|n| n as f32 / 100.0).collect();
        let rows: Vec<u32> = (0..10_000).collect();
        let (bins, _) = Bins::learn(&[column, vec![7.0; 10_000]], &rows);
        let [Some(range), None] = of_bins(&bins)[..] else { panic!("{:?}", of_bins(&bins)) };
        assert!((range.low - 1.0).abs() < 1.0, "{range:?}");
        assert!((range.usual - 50.0).abs() < 1.0, "{range:?}");
        assert!((range.high - 99.0).abs() < 1.0, "{range:?}");
    }

    #[test]
    fn the_usual_value_of_few_is_the_most_frequent() {
        let column: Vec<f32> = (0..1_000).map(|n| if n % 10 == 0 { 17.0 } else { 6.0 }).collect();
        let rows: Vec<u32> = (0..1_000).collect();
        let (bins, _) = Bins::learn(&[column], &rows);
        let range = of_bins(&bins)[0].unwrap();
        assert!(range.usual < 17.0, "{range:?}");
    }

    #[test]
    fn a_scale_tells_it_too() {
        let plain = of_scale(Scale { log: false, mean: 100.0, deviation: 10.0 });
        assert_eq!(plain, Range { low: 76.7, usual: 100.0, high: 123.3 });
        let log = of_scale(Scale { log: true, mean: 4.0, deviation: 1.0 });
        assert!((log.usual - (4.0_f32.exp() - 1.0)).abs() < 1e-3);
        assert!(log.low > 0.0 && log.low < log.usual && log.usual < log.high);
    }
}
