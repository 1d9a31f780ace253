//! Threads that own shards, and the blocks and records that pass between them and the meter.
//!
//! Each worker releases the records that are due, in order, before it meters the next block; the meter merges the workers' records
//! while they go on. All channels are bounded, so at most two blocks and a few hundred records are under way.

use std::sync::Arc;
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, SendError, Sender, bounded};
use flowgait_capture::Block;

use super::names::KnownNames;
use super::report::ShardReport;
use super::shard::{CaptureName, Place, Shard};
use super::{Feed, GROUP, Standing, release};
use crate::key::{FlowKey, SHARDS, shard_of};
use crate::record::FlowRecord;

/// Records handed over at a time.
const RECORDS: usize = 64;
/// Hand-overs under way from each worker.
const HANDOVERS: usize = 4;
const GONE: &str = "a worker stops only when the meter is dropped, or by a panic, which is our bug";

/// A block, and what the reading side found out about its packets.
#[derive(Debug, Default)]
pub(crate) struct Epoch {
    block: Block,
    feed: Feed,
    /// Hash of the key and stream's clock of each packet.
    tickets: Vec<(u64, i64)>,
    /// Each shard's packets, by index.
    shards: [Vec<u32>; SHARDS],
    captures: Arc<[CaptureName]>,
    /// The stream's clock after the last packet.
    clock: i64,
}

impl Epoch {
    /// Takes a block's content, leaving the epoch's former one; gives the clock after the last packet.
    pub fn fill(&mut self, block: &mut Block, feed: &Feed, captures: &[CaptureName]) -> i64 {
        self.tickets.clear();
        self.shards.iter_mut().for_each(Vec::clear);
        if !CaptureName::are_same(&self.captures, captures) {
            self.captures = captures.into();
        }
        self.feed = *feed;
        let mut at = 0;
        self.clock = feed.run(block, |group| {
            for arrival in group {
                self.tickets.push((arrival.hash, arrival.clock));
                self.shards[shard_of(arrival.hash)].push(at);
                at += 1;
            }
        });
        std::mem::swap(&mut self.block, block);
        self.clock
    }

    /// Lets a shard take its packets.
    fn meter(&self, number: usize, shard: &mut Shard, names: &KnownNames) {
        shard.set_captures(&self.captures);
        for group in self.shards[number].chunks(GROUP) {
            group.iter().for_each(|&at| shard.touch(self.tickets[at as usize].0));
            for &at in group {
                let packet = &self.block.packets[at as usize];
                let (hash, clock) = self.tickets[at as usize];
                let key = FlowKey::of(packet);
                shard.packet(&self.feed.arrival(&self.block, packet, key, hash, clock), names);
            }
        }
        shard.clock(self.clock);
    }
}

enum Job {
    /// Release what belongs before the watermark, then meter the block.
    Meter { epoch: Arc<Epoch>, names: Arc<KnownNames>, watermark: i64 },
    /// End all flows and release all records.
    Finish,
}

enum Out {
    Records(Vec<(Place, FlowRecord)>),
    Released,
    Metered(Standing, ShardReport),
}

#[derive(Debug)]
struct Worker {
    jobs: Option<Sender<Job>>,
    outs: Receiver<Out>,
    report: ShardReport,
    thread: Option<JoinHandle<()>>,
}

/// The workers of one meter.
#[derive(Debug)]
pub(crate) struct Pool {
    workers: Vec<Worker>,
    running: bool,
    epoch: Option<Arc<Epoch>>,
    spare: Vec<Epoch>,
    standing: Standing,
}

impl Pool {
    /// Deals the shards out to so many new threads.
    pub fn new(shards: Vec<Shard>, threads: usize) -> Self {
        let mut hands: Vec<Vec<Shard>> = (0..threads).map(|_| Vec::new()).collect();
        for (at, shard) in shards.into_iter().enumerate() {
            hands[at % threads].push(shard);
        }
        let workers = hands.into_iter().enumerate().map(|(at, hand)| {
            let (jobs, jobs_in) = bounded(1);
            let (outs_out, outs) = bounded(HANDOVERS);
            let mut bench = Bench { shards: hand, first: at, step: threads, outs: outs_out };
            let thread = std::thread::spawn(move || {
                for job in jobs_in {
                    // An error means that the meter is gone, and nobody waits for anything.
                    if bench.work(job).is_err() {
                        return;
                    }
                }
            });
            Worker { jobs: Some(jobs), outs, report: ShardReport::default(), thread: Some(thread) }
        });
        Self {
            workers: workers.collect(),
            running: false,
            epoch: None,
            spare: Vec::new(),
            standing: Standing { oldest: i64::MAX, open: 0 },
        }
    }

    /// An epoch to fill.
    pub fn spare(&mut self) -> Epoch {
        self.spare.pop().unwrap_or_default()
    }

    /// Lets the workers release what is due and meter the epoch.
    pub fn start(&mut self, epoch: Epoch, names: &Arc<KnownNames>, watermark: i64) {
        let epoch = Arc::new(epoch);
        for worker in &self.workers {
            let (epoch, names) = (Arc::clone(&epoch), Arc::clone(names));
            worker.send(Job::Meter { epoch, names, watermark });
        }
        self.epoch = Some(epoch);
        self.running = true;
    }

    /// Lets the workers end all flows and release all records.
    pub fn finish(&mut self) {
        self.workers.iter().for_each(|worker| worker.send(Job::Finish));
        self.running = true;
    }

    /// Hands over all records that are due, in order. After an error the rest is lost.
    pub fn released<E>(
        &mut self,
        give: &mut dyn FnMut(Place, FlowRecord) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut lines: Vec<_> = self
            .workers
            .iter()
            .map(|worker| {
                let more = || match worker.outs.recv().expect(GONE) {
                    Out::Records(records) => Some(records),
                    Out::Released | Out::Metered(..) => None,
                };
                std::iter::from_fn(more).fuse().flatten().peekable()
            })
            .collect();
        let mut result = Ok(());
        loop {
            let next = lines
                .iter_mut()
                .enumerate()
                .filter_map(|(at, line)| line.peek().map(|(place, _)| (*place, at)))
                .min();
            let Some((_, (place, record))) = next.and_then(|(_, at)| Some((at, lines[at].next()?)))
            else {
                return result;
            };
            if result.is_ok() {
                result = give(place, record);
            }
        }
    }

    /// Waits until all workers have done their work.
    pub fn wait(&mut self) -> Standing {
        if std::mem::take(&mut self.running) {
            self.standing = Standing { oldest: i64::MAX, open: 0 };
            for worker in &mut self.workers {
                if let Out::Metered(standing, report) = worker.outs.recv().expect(GONE) {
                    self.standing = self.standing.and(standing);
                    worker.report = report;
                }
            }
            self.spare.extend(self.epoch.take().and_then(Arc::into_inner));
        }
        self.standing
    }

    /// What each worker's shards did, as of the last wait.
    pub fn reports(&self) -> impl Iterator<Item = &ShardReport> {
        self.workers.iter().map(|worker| &worker.report)
    }
}

impl Worker {
    fn send(&self, job: Job) {
        self.jobs.as_ref().and_then(|jobs| jobs.send(job).ok()).expect(GONE);
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        for worker in &mut self.workers {
            worker.jobs = None;
            // A worker that waits to hand something over must see that nobody will take it.
            worker.outs = crossbeam_channel::never();
            if let Some(thread) = worker.thread.take() {
                // A worker's panic was reported when it happened.
                let _ = thread.join();
            }
        }
    }
}

/// A worker's side.
struct Bench {
    shards: Vec<Shard>,
    /// Number of the first shard; the others follow in equal steps.
    first: usize,
    step: usize,
    outs: Sender<Out>,
}

impl Bench {
    fn work(&mut self, job: Job) -> Result<(), SendError<Out>> {
        match job {
            Job::Meter { epoch, names, watermark } => {
                self.release(watermark)?;
                for (at, shard) in self.shards.iter_mut().enumerate() {
                    epoch.meter(self.first + at * self.step, shard, &names);
                }
            }
            Job::Finish => {
                self.shards.iter_mut().for_each(Shard::finish);
                self.release(i64::MAX)?;
            }
        }
        // The block and the names are dropped by now: the meter may change them.
        let mut report = ShardReport::default();
        self.shards.iter().for_each(|shard| report.add(&shard.report()));
        self.outs.send(Out::Metered(Standing::of(&self.shards), report))
    }

    fn release(&mut self, bound: i64) -> Result<(), SendError<Out>> {
        let mut records = Vec::with_capacity(RECORDS);
        release(&mut self.shards, bound, &mut |place, record| {
            records.push((place, record));
            if records.len() < RECORDS {
                return Ok(());
            }
            self.outs
                .send(Out::Records(std::mem::replace(&mut records, Vec::with_capacity(RECORDS))))
        })?;
        self.outs.send(Out::Records(records))?;
        self.outs.send(Out::Released)
    }
}
