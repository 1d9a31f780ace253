//! How many neighbours a client needs, so that chance does not give it to the server.

use super::error::Error;
use super::share::SHARES_MAX;

/// Chance with which a round may fail although no more clients were lost than was said, as a negative power of two.
const CORRECTNESS_BITS: f64 = 20.0;

/// Neighbours of each client, and how many of them must stay until the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Degree {
    /// Neighbours of each client: even, or everybody else.
    pub neighbours: u32,
    /// Neighbours that are needed for unmasking.
    pub threshold: u32,
}

/// The least degree at which, except with a chance of `2^-security_bits`, the honest clients that survive hang together
/// and no client has so many corrupt neighbours that lying about who survived would give away both halves of its
/// secrets (`2t > k + c`, which makes `t` more than half); and at which, except with a chance of `2^-20`, every client
/// keeps `t` neighbours.
///
/// Where no sparse graph does, it is everybody else, with a threshold that holds for certain.
///
/// # Shapes
/// Shares are of the cohort: `corrupt_share` of the clients work for the server, `lost_share` are lost at any time.
/// # Errors
/// [`Error::Parameter`] for shares outside 0 … 1 or a cohort below 3 or above 2^16; [`Error::NoDegree`] where even the
/// complete graph does not suffice, or a cohort too large for it needs more than 255 neighbours.
/// # Reference
/// Bell et al. 2020, their conditions on a good graph, with exact hypergeometric tails in place of its bounds; the union
/// over cuts of the ring is that of the authors' own program.
pub fn degree(
    cohort: u32,
    corrupt_share: f64,
    lost_share: f64,
    security_bits: u32,
) -> Result<Degree, Error> {
    let wrong = |name, value, must: &str| Error::Parameter { name, value, must: must.to_owned() };
    for (name, share) in [("corrupt share", corrupt_share), ("lost share", lost_share)] {
        if !(0.0..1.0).contains(&share) {
            return Err(wrong(name, share, "from 0 to below 1"));
        }
    }
    if !(3..=1 << 16).contains(&cohort) {
        return Err(wrong("cohort", f64::from(cohort), "from 3 to 65536"));
    }
    // A share such as 0.1 is a little less than it says; neither count may come out lower for that.
    let count = |share: f64| ((share + 1e-14) * f64::from(cohort)) as u32;
    let (corrupt, lost) = (count(corrupt_share), count(lost_share));
    let setting = Setting { cohort, corrupt, lost, security_bits: f64::from(security_bits) };
    let degree_max = (SHARES_MAX as u32).min(cohort - 1);
    let sparse = (2..degree_max.min(cohort - 2) + 1).step_by(2);
    let mut found = sparse.filter_map(|neighbours| setting.sparse(neighbours));
    let complete = || (degree_max == cohort - 1).then(|| setting.complete()).flatten();
    found.next().or_else(complete).ok_or(Error::NoDegree { cohort, corrupt, lost, degree_max })
}

struct Setting {
    cohort: u32,
    corrupt: u32,
    lost: u32,
    security_bits: f64,
}

impl Setting {
    fn sparse(&self, neighbours: u32) -> Option<Degree> {
        // The two ways to lose security, corrupt neighbours and a graph that falls apart, share what may go wrong.
        let log_risk = -(self.security_bits + 1.0) * std::f64::consts::LN_2;
        if self.log_chance_of_cut(neighbours) >= log_risk {
            return None;
        }
        let per_client = f64::from(self.cohort).ln();
        let corrupt = self.marked_max(self.corrupt, neighbours, log_risk - per_client)?;
        let threshold = ((corrupt + neighbours) / 2 + 1).max(2);
        let log_failure = -CORRECTNESS_BITS * std::f64::consts::LN_2 - per_client;
        let lost = self.marked_max(self.lost, neighbours, log_failure)?;
        (threshold + lost <= neighbours).then_some(Degree { neighbours, threshold })
    }

    /// With all as neighbours nothing is left to chance: at most `corrupt` are corrupt and `lost` are lost.
    fn complete(&self) -> Option<Degree> {
        let neighbours = self.cohort - 1;
        let threshold = ((self.corrupt + neighbours) / 2 + 1).max(2);
        (threshold + self.lost <= neighbours).then_some(Degree { neighbours, threshold })
    }

    /// A bound on the chance that those who are corrupt or lost cut the ring in two. A cut takes `k/2` places in a row, in
    /// two places.
    fn log_chance_of_cut(&self, neighbours: u32) -> f64 {
        let gone = self.corrupt + self.lost;
        if neighbours > gone {
            return f64::NEG_INFINITY;
        }
        let cohort = f64::from(self.cohort);
        let cuts = cohort * (cohort - f64::from(neighbours) - 1.0) / 2.0;
        let ln_ways = |of, out: u32| ln_choose(of - out, gone - out) - ln_choose(of, gone);
        cuts.ln() + ln_ways(self.cohort, neighbours)
    }

    /// The least `m` such that more than `m` of the neighbours are among `marked` clients only with a chance below
    /// `e^log_risk`.
    fn marked_max(&self, marked: u32, neighbours: u32, log_risk: f64) -> Option<u32> {
        let clean = self.cohort - marked;
        let log_mass = |m: u32| {
            if m > marked || neighbours - m > clean {
                return f64::NEG_INFINITY;
            }
            ln_choose(marked, m) + ln_choose(clean, neighbours - m)
                - ln_choose(self.cohort, neighbours)
        };
        // Summed from the far end, where the masses are small, so that none is lost to a larger one.
        let mut tail = 0.0;
        for m in (0..=neighbours).rev() {
            tail += log_mass(m).exp();
            if tail > log_risk.exp() {
                return Some(m);
            }
        }
        None
    }
}

fn ln_choose(n: u32, k: u32) -> f64 {
    let ln_factorial = |n: u32| libm::lgamma(f64::from(n) + 1.0);
    ln_factorial(n) - ln_factorial(k) - ln_factorial(n - k)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(cohort: u32, corrupt: f64, lost: f64, neighbours: u32, threshold: u32) {
        let found = degree(cohort, corrupt, lost, 40).map(|d| (d.neighbours, d.threshold));
        assert_eq!(found, Ok((neighbours, threshold)), "{cohort} {corrupt} {lost}");
    }

    #[test]
    fn degrees_are_those_of_the_authors_program() {
        // github.com/google-parfait/federated-compute, graph_parameter_finder_test.cc, some of its semi-malicious rows, of at most
        // 255 neighbours; security 40, correctness 20.
        check(100, 0.3, 0.3, 92, 62);
        check(10, 0.05, 0.33, 8, 5);
        check(100, 0.05, 0.33, 72, 39);
        check(100, 0.33, 0.05, 42, 37);
        check(1000, 0.33, 0.05, 132, 109);
        check(10_000, 0.33, 0.05, 178, 146);
        check(10, 0.33, 0.05, 4, 4);
    }

    #[test]
    fn more_than_half_must_stay_and_more_security_takes_more_neighbours() {
        let mut before = 0;
        for bits in [10, 20, 40, 80] {
            let found = degree(1000, 0.1, 0.1, bits).expect("a degree");
            assert!(2 * found.threshold > found.neighbours && found.neighbours >= before);
            before = found.neighbours;
        }
    }

    #[test]
    fn few_clients_are_all_neighbours_and_impossible_shares_are_refused() {
        check(5, 0.0, 0.2, 4, 3);
        assert!(matches!(degree(100, 0.5, 0.5, 40), Err(Error::NoDegree { .. })));
        assert!(matches!(degree(1000, 0.3, 0.3, 40), Err(Error::NoDegree { degree_max: 255, .. })));
        assert!(degree(100, 1.0, 0.0, 40).is_err() && degree(100, 0.0, -0.1, 40).is_err());
        assert!(degree(2, 0.0, 0.0, 40).is_err() && degree(1 << 17, 0.0, 0.0, 40).is_err());
        assert!(degree(100, f64::NAN, 0.0, 40).is_err());
    }
}
