//! Confidence made true after each number of packets: what is said of half a flow needs another sharpness than what is said of a whole one.

use super::Sharpness;

/// A sharpness for each of some numbers of packets.
#[derive(Clone, Debug, PartialEq)]
pub struct EarlySharpness {
    /// From so many packets on, up to the next; ascending.
    from: Vec<(u32, Sharpness)>,
}

impl EarlySharpness {
    /// From numbers of packets; none where they do not ascend from 1.
    #[must_use]
    pub fn new(from: Vec<(u32, Sharpness)>) -> Option<Self> {
        let right =
            from.first().is_some_and(|first| first.0 == 1) && from.is_sorted_by(|a, b| a.0 < b.0);
        right.then_some(Self { from })
    }

    /// After so many packets.
    #[must_use]
    pub fn after(&self, packets: usize) -> Sharpness {
        let known = self.from.iter().take_while(|step| step.0 as usize <= packets.max(1));
        known.last().map_or(Sharpness::NONE, |step| step.1)
    }

    /// The numbers of packets and their sharpness, ascending.
    #[must_use]
    pub fn steps(&self) -> &[(u32, Sharpness)] {
        &self.from
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_step_that_is_reached_counts() {
        let power = |power| Sharpness::new(power).unwrap();
        let early = EarlySharpness::new(vec![(1, power(0.5)), (4, power(2.0))]).unwrap();
        assert_eq!([0, 1, 3].map(|k| early.after(k)), [power(0.5); 3]);
        assert_eq!([4, 90].map(|k| early.after(k)), [power(2.0); 2]);
        assert_eq!(EarlySharpness::new(vec![(2, power(1.0))]), None);
        assert_eq!(EarlySharpness::new(vec![(1, power(1.0)), (1, power(1.0))]), None);
        assert_eq!(EarlySharpness::new(Vec::new()), None);
    }
}
