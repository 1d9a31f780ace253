//! The first packets of every open flow, twelve octets each, in chunks of one cache line from one pool.
//!
//! A chunk is one cache line and holds five packets, so a flow of twelve packets takes 192 octets and a packet touches one line.

use crate::expiry::NONE;
use crate::key::Sender;

const CHUNK_SAMPLES: usize = 5;

/// What is kept of one packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub sender: Sender,
    /// Microseconds since the packet before it in its flow.
    pub gap: u64,
    /// Whether that gap was negative and was taken as zero.
    pub clamped: bool,
    pub octets: u16,
    pub payload: u16,
    pub window: u16,
    pub flags: u8,
}

#[derive(Clone, Copy, Debug, Default)]
struct Sample {
    /// The gap's low 32 bits; in an [`ESCAPE`], the high 32 bits of the next sample's gap (71 minutes and more).
    gap: u32,
    octets: u16,
    payload: u16,
    window: u16,
    flags: u8,
    marks: u8,
}

const FROM_HIGH: u8 = 1;
const CLAMPED: u8 = 2;
const ESCAPE: u8 = 4;

#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Chunk {
    samples: [Sample; CHUNK_SAMPLES],
    next: u32,
}

/// Where one flow's samples lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub head: u32,
    pub tail: u32,
    /// Samples written, escapes included.
    pub samples: u16,
}

impl Run {
    pub const EMPTY: Self = Self { head: NONE, tail: NONE, samples: 0 };
}

/// The pool of one shard.
#[derive(Debug)]
pub(crate) struct Samples {
    chunks: Vec<Chunk>,
    free: u32,
}

impl Default for Samples {
    fn default() -> Self {
        Self { chunks: Vec::new(), free: NONE }
    }
}

impl Samples {
    pub fn push(&mut self, run: &mut Run, step: &Step) {
        let high = (step.gap >> 32) as u32;
        if high != 0 {
            self.write(run, Sample { gap: high, marks: ESCAPE, ..Sample::default() });
        }
        self.write(
            run,
            Sample {
                #[expect(clippy::cast_possible_truncation, reason = "the high half went before")]
                gap: step.gap as u32,
                octets: step.octets,
                payload: step.payload,
                window: step.window,
                flags: step.flags,
                marks: (step.sender as u8 * FROM_HIGH) | (u8::from(step.clamped) * CLAMPED),
            },
        );
    }

    /// Reads where the next sample will go.
    pub fn touch(&self, tail: u32) -> u32 {
        self.chunks.get(tail as usize).map_or(0, |chunk| chunk.next)
    }

    /// The packets of a run, in order.
    pub fn steps(&self, run: Run) -> impl Iterator<Item = Step> + '_ {
        let mut chunk = run.head;
        let mut high = 0_u64;
        (0..usize::from(run.samples)).filter_map(move |at| {
            if at > 0 && at % CHUNK_SAMPLES == 0 {
                chunk = self.chunks[chunk as usize].next;
            }
            let sample = self.chunks[chunk as usize].samples[at % CHUNK_SAMPLES];
            if sample.marks & ESCAPE != 0 {
                high = u64::from(sample.gap) << 32;
                return None;
            }
            Some(Step {
                sender: if sample.marks & FROM_HIGH == 0 { Sender::Low } else { Sender::High },
                gap: std::mem::take(&mut high) | u64::from(sample.gap),
                clamped: sample.marks & CLAMPED != 0,
                octets: sample.octets,
                payload: sample.payload,
                window: sample.window,
                flags: sample.flags,
            })
        })
    }

    /// Gives a run's chunks back to the pool.
    pub fn free(&mut self, run: Run) {
        let mut chunk = run.head;
        for _ in 0..usize::from(run.samples).div_ceil(CHUNK_SAMPLES) {
            let next = self.chunks[chunk as usize].next;
            self.chunks[chunk as usize].next = self.free;
            self.free = chunk;
            chunk = next;
        }
    }

    fn write(&mut self, run: &mut Run, sample: Sample) {
        let at = usize::from(run.samples) % CHUNK_SAMPLES;
        if at == 0 {
            let fresh = self.chunk();
            match run.samples {
                0 => run.head = fresh,
                _ => self.chunks[run.tail as usize].next = fresh,
            }
            run.tail = fresh;
        }
        self.chunks[run.tail as usize].samples[at] = sample;
        run.samples += 1;
    }

    fn chunk(&mut self) -> u32 {
        if self.free != NONE {
            let chunk = self.free;
            self.free = self.chunks[chunk as usize].next;
            return chunk;
        }
        if self.chunks.len() == self.chunks.capacity() {
            self.chunks.reserve_exact(crate::table::growth(self.chunks.len()));
        }
        self.chunks.push(Chunk { samples: [Sample::default(); CHUNK_SAMPLES], next: NONE });
        u32::try_from(self.chunks.len() - 1).expect("flow_limit and packets keep chunks below 2^32")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn step() -> impl Strategy<Value = Step> {
        (any::<(bool, bool, u16, u16, u16, u8)>(), prop_oneof![0..1_000_000_u64, any::<u64>()])
            .prop_map(|((high, clamped, octets, payload, window, flags), gap)| Step {
                sender: if high { Sender::High } else { Sender::Low },
                gap,
                clamped,
                octets,
                payload,
                window,
                flags,
            })
    }

    proptest! {
        #[test]
        fn gives_back_what_it_took(flows in prop::collection::vec(prop::collection::vec(step(), 0..40), 1..5)) {
            let mut pool = Samples::default();
            let mut runs = vec![Run::EMPTY; flows.len()];
            for at in 0..40 {
                for (run, steps) in runs.iter_mut().zip(&flows) {
                    if let Some(step) = steps.get(at) {
                        pool.push(run, step);
                    }
                }
            }
            for (run, steps) in runs.iter().zip(&flows) {
                prop_assert_eq!(&pool.steps(*run).collect::<Vec<_>>(), steps);
            }
            let chunks = pool.chunks.len();
            for run in &mut runs {
                pool.free(std::mem::replace(run, Run::EMPTY));
            }
            for (run, steps) in runs.iter_mut().zip(&flows) {
                steps.iter().for_each(|step| pool.push(run, step));
                prop_assert_eq!(&pool.steps(*run).collect::<Vec<_>>(), steps);
            }
            prop_assert_eq!(pool.chunks.len(), chunks);
        }
    }

    #[test]
    fn a_chunk_is_one_cache_line() {
        assert_eq!(size_of::<Chunk>(), 64);
    }
}
