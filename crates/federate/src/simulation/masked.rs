//! Rounds whose coordinator sees the sum only.

use rayon::prelude::*;

use super::{Asked, Came, Fate, Round, Simulation, Tally, octets_of, wave_size};
use crate::coordinator::{Counting, Task};
use crate::error::{Error, Refusal};
use crate::secure::{Entries, Joined, SecurePlan};
use crate::stream::{Purpose, stream};

impl Simulation<'_> {
    /// A round of secure aggregation: the cohort joins, learns and masks, and the sum is paid for before its masks come off.
    pub(super) fn masked_round(
        &mut self,
        task: &Task,
        secure: &SecurePlan,
    ) -> Result<Round, Error> {
        let counting = task.counting.as_ref().expect("invariant: a secure task says how to count");
        let fates: Vec<Fate> =
            task.cohort.iter().map(|&client| self.faults.fate(task.round, client)).collect();
        let absent: Vec<u32> = (task.cohort.iter().zip(&fates))
            .filter_map(|(&client, fate)| (*fate == Fate::Absent).then_some(client))
            .collect();
        let entries = Entries { count: counting.count(task.length), bound: counting.bound() };
        let seed = self.coordinator.plan().seed();
        let mut tally = Tally::default();
        let mut joined =
            match Joined::join(secure, entries, &task.cohort, &absent, task.round, seed) {
                Ok(joined) => joined,
                Err(Error::Secure(_)) => {
                    // Nobody gave anything yet: these came to the round.
                    let came = task.cohort.len() - absent.len();
                    tally.asked =
                        absent.iter().map(|&client| Asked::missed(client, Fate::Absent)).collect();
                    let end = self.coordinator.abandon(came)?;
                    return Ok(tally.finish(end, octets_of(task)));
                }
                Err(other) => return Err(other),
            };
        let mut answered = 0;
        for (wave, fates) in task.cohort.chunks(wave_size()).zip(fates.chunks(wave_size())) {
            let given = self.count_wave(task, counting, wave, fates, &mut tally)?;
            answered += given.len();
            for (client, octets) in joined.mask(given)? {
                if let Some(asked) = tally.of(client) {
                    asked.octets = octets;
                }
            }
        }
        let survived = match joined.close() {
            Ok(survived) => survived,
            Err(Error::Secure(_)) => {
                let end = self.coordinator.abandon(answered)?;
                return Ok(tally.finish(end, octets_of(task)));
            }
            Err(other) => return Err(other),
        };
        let survivors = survived.survivors();
        self.coordinator.pay_for(survivors)?;
        let sum = match survived.unmask() {
            Ok(sum) => sum,
            Err(Error::Secure(_)) => {
                let end = self.coordinator.abandon(survivors)?;
                return Ok(tally.finish(end, octets_of(task)));
            }
            Err(other) => return Err(other),
        };
        tally.octets_up += sum.traffic.up;
        self.coordinator.receive_sum(sum.entries, sum.clients)?;
        let end = self.coordinator.close()?;
        self.note_move(task);
        Ok(tally.finish(end, octets_of(task) + sum.traffic.down))
    }

    /// What the clients of a wave give, as whole numbers. A client that is late, or whose update is none, gives nothing.
    fn count_wave(
        &mut self,
        task: &Task,
        counting: &Counting,
        wave: &[u32],
        fates: &[Fate],
        tally: &mut Tally,
    ) -> Result<Vec<(u32, Vec<i64>)>, Error> {
        let works = self.wave(task, wave, fates)?;
        let mut told = Vec::with_capacity(wave.len());
        for ((&client, fate), work) in wave.iter().zip(fates).zip(works) {
            let Some(work) = work else {
                tally.asked.push(Asked::missed(client, *fate));
                continue;
            };
            tally.note(&work);
            let mut asked = Asked::learnt(&work);
            let mut contribution = self.as_told(work, &mut asked)?;
            if *fate == Fate::Late {
                asked.came = Came::Late;
            }
            tally.asked.push(asked);
            match fate {
                Fate::Late => continue,
                Fate::Wrong => contribution.values[0] = f32::NAN,
                _ => {}
            }
            // Nobody sees under the mask whether a client clipped. A liar could fill each entry up to the ring's bound; here it clips
            // what it made, so attacks under masks are weaker than they could be. What is no number cannot be clipped, and is refused below.
            if let Some(clip_norm) = task.clip_norm {
                let _ = flowgait_privacy::clip::clip(&mut contribution.values, clip_norm);
            }
            told.push((client, contribution.values));
        }
        let seed = self.coordinator.plan().seed();
        let counted: Vec<_> = told
            .into_par_iter()
            .map(|(client, values)| {
                let mut rng = stream(seed, Purpose::ClientNoise, task.round, client.into());
                (client, counting.encode(&values, &mut rng))
            })
            .collect();
        let mut given = Vec::with_capacity(counted.len());
        for (client, entries) in counted {
            match entries {
                Ok(entries) => given.push((client, entries)),
                Err(Error::Privacy(flowgait_privacy::Error::NotFinite { at, value })) => {
                    tally.refused.push((client, Refusal::NotFinite { at, value }));
                    if let Some(asked) = tally.of(client) {
                        asked.came = Came::Refused;
                    }
                }
                Err(other) => return Err(other),
            }
        }
        Ok(given)
    }
}
