//! Made rows and masks.

use flowgait_federate::Error;
use flowgait_federate::forest::{Plain, Summing};
use flowgait_federate::homes::Homes;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;

/// Rows of some classes, the first twice as frequent as the second and so on; every second column tells something, some values are
/// missing, and rows are dealt by chance to clients of unequal size.
pub fn homes(rows: u32, columns: usize, classes: usize, clients: u32, seed: u64) -> Homes {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let mut unit = move || f64::from(rng.next_u32()) / f64::from(u32::MAX);
    let codes: Vec<u32> =
        (0..rows).map(|_| ((1.0 - unit()).log2().abs() as u32).min(classes as u32 - 1)).collect();
    let columns = (0..columns)
        .map(|column| {
            let told = if column % 2 == 0 { 3.0 } else { 0.0 };
            let centres: Vec<f64> = (0..classes).map(|_| unit() * told).collect();
            let value = |code: &u32| match column % 3 == 1 && unit() < 0.1 {
                true => f32::NAN,
                false => (centres[*code as usize] + unit() + unit()) as f32,
            };
            codes.iter().map(value).collect()
        })
        .collect();
    let mut of_client = vec![Vec::new(); clients as usize];
    for row in 0..rows {
        of_client[((unit() * unit()) * f64::from(clients) * 0.999) as usize].push(row);
    }
    Homes { columns, codes, classes, rows: of_client, ..Homes::default() }
}

/// Adds up under masks that cancel: each pair of clients shares a stream, that one adds and the other takes away. Notes whether
/// what it was given could still be read off what it added up.
pub struct Masked {
    pub seed: u64,
    pub sums: u64,
}

impl Summing for Masked {
    fn sum(&mut self, mut given: Vec<Vec<u32>>) -> Result<Vec<u32>, Error> {
        self.sums += 1;
        for one in 0..given.len() {
            for other in one + 1..given.len() {
                let mut rng = ChaCha20Rng::seed_from_u64(self.seed ^ self.sums << 32);
                rng.set_stream((one << 16 | other) as u64);
                for at in 0..given[one].len() {
                    let mask = rng.next_u32();
                    given[one][at] = given[one][at].wrapping_add(mask);
                    given[other][at] = given[other][at].wrapping_sub(mask);
                }
            }
        }
        Plain.sum(given)
    }
}
