//! What a network sees of a row: columns on one scale, and packets as channels beside each other.

use flowgait_features::layout::{ListKind, Sequence, SequenceList};

use super::statistics::Statistics;

/// Standardised values go no further, so that one wild cell cannot drown a row.
const FAR: f32 = 6.0;

/// How the columns of a table become the inputs of a network.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Inputs {
    /// Number of columns of the table.
    pub(crate) features: usize,
    /// The sequences of packets.
    pub(crate) sequences: Vec<SequenceInput>,
    /// The columns that stand alone.
    pub(crate) scalars: Vec<ScalarInput>,
}

/// A sequence of packets: a channel for each list, and one that says where there are packets.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SequenceInput {
    pub(crate) lists: Vec<ListInput>,
}

/// One number of each packet.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ListInput {
    pub(crate) columns: Vec<usize>,
    pub(crate) kind: ListKind,
    pub(crate) scale: Scale,
}

/// A column that stands alone.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ScalarInput {
    pub(crate) column: usize,
    pub(crate) scale: Scale,
    /// Whether the network is also told that the value is missing.
    pub(crate) tells_missing: bool,
}

/// How values are put on one scale: mean 0, standard deviation 1, of the values or of their logarithms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Scale {
    /// Whether ± ln(1 + |value|) is taken first.
    pub(crate) log: bool,
    pub(crate) mean: f32,
    pub(crate) deviation: f32,
}

impl Scale {
    /// The scale of some values, missing ones apart.
    fn of(values: impl Iterator<Item = f32> + Clone) -> Self {
        let values = values.filter(|value| !value.is_nan());
        Self::from_moments([Moments::of(values.clone()), Moments::of(values.map(signed_log))])
    }

    /// The scale by the moments of values and of their logarithms, which are taken where they make the values less lopsided.
    fn from_moments([plain, logs]: [Moments; 2]) -> Self {
        let log = logs.skewness.abs() < plain.skewness.abs();
        let moments = if log { logs } else { plain };
        let deviation = moments.deviation as f32;
        // A constant says nothing; dividing by its rounding errors would make noise of it.
        let deviation = if deviation > 1e-6 * moments.mean.abs() as f32 { deviation } else { 1.0 };
        Self { log, mean: moments.mean as f32, deviation: deviation.max(f32::MIN_POSITIVE) }
    }

    /// A value on the scale; 0, the mean, where it is missing.
    pub(crate) fn apply(self, value: f32) -> f32 {
        if value.is_nan() {
            return 0.0;
        }
        let value = if self.log { signed_log(value) } else { value };
        ((value - self.mean) / self.deviation).clamp(-FAR, FAR)
    }
}

pub(super) fn signed_log(value: f32) -> f32 {
    value.abs().ln_1p().copysign(value)
}

pub(super) struct Moments {
    mean: f64,
    deviation: f64,
    skewness: f64,
}

impl Moments {
    fn of(values: impl Iterator<Item = f32> + Clone) -> Self {
        let (mut count, mut sum) = (0_u64, 0.0);
        for value in values.clone() {
            count += 1;
            sum += f64::from(value);
        }
        let count = count.max(1) as f64;
        let mean = sum / count;
        let (mut squares, mut cubes) = (0.0, 0.0);
        for value in values {
            let off = f64::from(value) - mean;
            squares += off * off;
            cubes += off * off * off;
        }
        let deviation = (squares / count).sqrt();
        let skewness = if deviation > 0.0 { cubes / count / deviation.powi(3) } else { 0.0 };
        Self { mean, deviation, skewness }
    }

    /// Moments from sums of powers. Less exact than from the values where the mean is many deviations large.
    pub(super) fn from_sums(count: f64, sum: f64, squares: f64, cubes: f64) -> Self {
        let count = count.max(1.0);
        let mean = sum / count;
        let deviation = (squares / count - mean * mean).max(0.0).sqrt();
        let third = cubes / count - 3.0 * mean * squares / count + 2.0 * mean.powi(3);
        let skewness = if deviation > 0.0 { third / deviation.powi(3) } else { 0.0 };
        Self { mean, deviation, skewness }
    }
}

impl Inputs {
    /// The inputs for some sequences and all columns that are in none of them, on the scale of some rows.
    pub(crate) fn fit(columns: &[Vec<f32>], rows: &[u32], sequences: Vec<Sequence>) -> Self {
        let of = |column: usize| rows.iter().map(move |&row| columns[column][row as usize]);
        let scale = |columns: &[usize]| Scale::of(columns.iter().flat_map(|&column| of(column)));
        Self::of(columns.len(), sequences, scale, |column| of(column).any(f32::is_nan))
    }

    /// The same on a scale that sums tell.
    pub(crate) fn from_statistics(statistics: &Statistics, sequences: Vec<Sequence>) -> Self {
        let scale = |columns: &[usize]| Scale::from_moments(statistics.moments(columns));
        Self::of(statistics.features(), sequences, scale, |column| statistics.has_missing(column))
    }

    fn of(
        features: usize,
        sequences: Vec<Sequence>,
        scale: impl Fn(&[usize]) -> Scale,
        has_missing: impl Fn(usize) -> bool,
    ) -> Self {
        let mut in_sequence = vec![false; features];
        let lists = sequences.iter().flat_map(|sequence| &sequence.lists);
        lists.flat_map(|list| &list.columns).for_each(|&column| in_sequence[column] = true);
        let list = |SequenceList { columns, kind }: SequenceList| {
            let scale = scale(&columns);
            ListInput { columns, kind, scale }
        };
        let sequences = sequences
            .into_iter()
            .map(|sequence| SequenceInput { lists: sequence.lists.into_iter().map(list).collect() })
            .collect();
        let scalar = |column: usize| ScalarInput {
            column,
            scale: scale(&[column]),
            tells_missing: has_missing(column),
        };
        let alone = (0..features).filter(|&column| !in_sequence[column]);
        Self { features, sequences, scalars: alone.map(scalar).collect() }
    }

    /// Number of channels of the sequences: one for each list, and one for each sequence's presence.
    pub(crate) fn channels(&self) -> usize {
        self.sequences.iter().map(|sequence| sequence.lists.len() + 1).sum()
    }

    /// Number of packets of the longest sequence.
    pub(crate) fn length(&self) -> usize {
        self.sequences.iter().map(SequenceInput::length).max().unwrap_or(0)
    }

    /// Number of values of a row that do not belong to packets.
    pub(crate) fn scalars(&self) -> usize {
        self.scalars.len() + self.scalars.iter().filter(|scalar| scalar.tells_missing).count()
    }

    /// The packets of a row as they are in the table.
    pub(crate) fn packets(&self, columns: &[Vec<f32>], row: u32) -> Packets {
        let list = |list: &ListInput| -> Vec<f32> {
            list.columns.iter().map(|&column| columns[column][row as usize]).collect()
        };
        let sequence =
            |sequence: &SequenceInput| sequence.lists.iter().map(list).collect::<Vec<_>>();
        Packets(self.sequences.iter().map(sequence).collect())
    }

    /// Writes the values that do not belong to packets; `scalars()` of them.
    pub(crate) fn write_scalars(&self, columns: &[Vec<f32>], row: u32, out: &mut [f32]) {
        let (values, missing) = out.split_at_mut(self.scalars.len());
        let mut missing = missing.iter_mut();
        for (scalar, to) in self.scalars.iter().zip(values) {
            let value = columns[scalar.column][row as usize];
            *to = scalar.scale.apply(value);
            if scalar.tells_missing
                && let Some(told) = missing.next()
            {
                *told = f32::from(u8::from(value.is_nan()));
            }
        }
    }

    /// Writes what stands where nothing is known of a flow but its packets.
    pub(crate) fn write_no_scalars(&self, out: &mut [f32]) {
        let (values, missing) = out.split_at_mut(self.scalars.len());
        values.fill(0.0);
        missing.fill(1.0);
    }

    /// Writes packets as channels of row `at` of so many; `[length][rows][channels]`, which holds zeros before.
    pub(crate) fn write_packets(&self, packets: &Packets, rows: usize, at: usize, out: &mut [f32]) {
        let all = self.channels();
        let mut channel = at * all;
        for (sequence, values) in self.sequences.iter().zip(&packets.0) {
            let known = packets_known(values);
            for (list, values) in sequence.lists.iter().zip(values) {
                for (place, value) in values[..known].iter().enumerate() {
                    out[place * rows * all + channel] = list.scale.apply(*value);
                }
                channel += 1;
            }
            (0..known).for_each(|place| out[place * rows * all + channel] = 1.0);
            channel += 1;
        }
    }
}

impl SequenceInput {
    fn length(&self) -> usize {
        self.lists.first().map_or(0, |list| list.columns.len())
    }
}

/// The packets of one row: `[sequence][list][place]`, missing behind the last.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Packets(pub(crate) Vec<Vec<Vec<f32>>>);

/// How many packets a sequence has: up to the last place with a size.
pub(crate) fn packets_known(lists: &[Vec<f32>]) -> usize {
    let sizes = lists.first().map_or(&[][..], Vec::as_slice);
    sizes.iter().rposition(|size| !size.is_nan() && *size != 0.0).map_or(0, |last| last + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_put_on_one_scale_by_logarithm_where_that_helps() {
        let even = Scale::of([1.0, 2.0, 3.0, f32::NAN].into_iter());
        assert!(!even.log && (even.apply(2.0), even.apply(f32::NAN)) == (0.0, 0.0));
        assert!((even.apply(3.0) - 1.5_f32.sqrt()).abs() < 1e-6);
        let tailed = Scale::of([1.0, 10.0, 100.0, 1_000.0, 10_000.0].into_iter());
        assert!(tailed.log && tailed.apply(0.0) < tailed.apply(1.0));
        assert_eq!(tailed.apply(f32::MAX), FAR);
        let constant = Scale::of([0.1, 0.1, 0.1].into_iter());
        assert!(constant.apply(0.1).abs() < 1e-6 && constant.apply(0.2).abs() < 0.2);
        assert_eq!(Scale::of([f32::NAN].into_iter()).apply(5.0), 5.0);
    }

    #[test]
    fn packets_end_where_sizes_end_and_missing_numbers_are_told() {
        let kind = ListKind::Size;
        let sequence = |columns: [usize; 3]| Sequence {
            lists: vec![SequenceList { columns: columns.to_vec(), kind }],
        };
        let nan = f32::NAN;
        // Three packets, two packets; a plain number that the second lacks.
        let columns: Vec<Vec<f32>> =
            [[40.0, 40.0], [-80.0, -80.0], [60.0, nan], [7.0, nan]].map(|c| c.to_vec()).into();
        let inputs = Inputs::fit(&columns, &[0, 1], vec![sequence([0, 1, 2])]);
        assert_eq!((inputs.channels(), inputs.length(), inputs.scalars()), (2, 3, 2));
        // Three places of two rows, each with a size and a presence.
        let mut channels = [0.0; 12];
        inputs.write_packets(&inputs.packets(&columns, 1), 2, 1, &mut channels);
        assert!(channels[2] > 0.0 && channels[6] < 0.0 && channels[10] == 0.0);
        assert_eq!([channels[3], channels[7], channels[11]], [1.0, 1.0, 0.0]);
        assert_eq!([channels[0], channels[1], channels[4]], [0.0, 0.0, 0.0]);
        let mut scalars = [9.0; 2];
        inputs.write_scalars(&columns, 1, &mut scalars);
        assert_eq!(scalars, [0.0, 1.0]);
        inputs.write_scalars(&columns, 0, &mut scalars);
        assert_eq!(scalars, [0.0, 0.0]);
        inputs.write_no_scalars(&mut scalars);
        assert_eq!(scalars, [0.0, 1.0]);
    }
}
