//! A whole federation in one process: the coordinator's and the clients' own code, with messages handed over in memory.
//!
//! Clients of a cohort learn in parallel, a wave at a time, and their contributions are handed over in their order; what is drawn is
//! drawn from streams of the seed by round and client. So a run is the same on any number of threads, and after a restart.

mod asked;
mod faults;
mod liars;
mod masked;
mod sending;

use std::sync::Arc;

use flowgait_privacy::clip::norm;
use rayon::prelude::*;

pub use asked::{Asked, Came};
pub use faults::{Fate, Faults};
pub use liars::Liars;

use crate::client::{Memory, Personal, Work, Worker};
use crate::coordinator::{Coordinator, Past, RoundEnd, Task, ValidPlan};
use crate::error::{Error, Refusal};
use crate::learner::Learner;
use crate::run::{Rounds, State};
use crate::spare::Spare;
use crate::update::Contribution;
use sending::Sent;

/// Clients that learn at once, at least; their contributions are all that is held beside their memory.
const WAVE: usize = 32;
/// The same for each thread, where there are many: who is done early has nothing to do until the next wave.
const WAVE_OF_THREAD: usize = 8;

/// A federation in this process.
pub struct Simulation<'a> {
    coordinator: Coordinator,
    learner: &'a dyn Learner,
    personal: Personal,
    faults: Faults,
    liars: Option<Liars>,
    /// How the parameters moved in the round before, for clients that ride on it.
    moved: Option<Vec<f32>>,
    memories: Vec<Memory>,
    /// Contributions that come a round too late, and are refused then.
    late: Vec<Contribution>,
    /// Room that contributions had.
    spare: Arc<Spare>,
}

/// What a round did.
#[derive(Clone, Debug, PartialEq)]
pub struct Round {
    /// How it ended.
    pub end: RoundEnd,
    /// The mean loss over the steps of its clients, each before its step; none where nobody learnt.
    pub loss: Option<f64>,
    /// Share of the clients whose update was no longer than the clip norm.
    pub short: Option<f64>,
    /// Contributions that were refused, and why.
    pub refused: Vec<(u32, Refusal)>,
    /// What came of each client that was asked, as far as anything did; ascending.
    pub asked: Vec<Asked>,
    /// Octets that went to clients.
    pub octets_down: u64,
    /// Octets that they sent, also those that come too late.
    pub octets_up: u64,
    /// How many steps the server had made on average since a client began, where it does not wait for all.
    pub staleness: Option<f64>,
    /// The simulated time at its end there; 1 is what a client of middling speed takes.
    pub time: Option<f64>,
}

impl<'a> Simulation<'a> {
    /// A federation before its first round.
    #[must_use]
    pub fn new(
        mut coordinator: Coordinator,
        learner: &'a dyn Learner,
        personal: Personal,
        faults: Faults,
    ) -> Self {
        let memories = vec![Memory::default(); coordinator.plan().clients()];
        // Each thread also learns in one.
        let spare = Arc::new(Spare::new(wave_size() + rayon::current_num_threads()));
        coordinator.set_spare(Arc::clone(&spare));
        Self {
            coordinator,
            learner,
            personal,
            faults,
            liars: None,
            moved: None,
            memories,
            late: Vec::new(),
            spare,
        }
    }

    /// The same with clients that lie.
    #[must_use]
    pub fn with_liars(self, liars: Option<Liars>) -> Self {
        Self { liars, ..self }
    }

    /// The coordinator.
    #[must_use]
    pub fn coordinator(&self) -> &Coordinator {
        &self.coordinator
    }

    /// What each client remembers.
    #[must_use]
    pub fn memories(&self) -> &[Memory] {
        &self.memories
    }

    /// How the parameters moved in the round before, where clients may ride on it.
    #[must_use]
    pub fn moved(&self) -> Option<&[f32]> {
        self.moved.as_deref()
    }

    /// Takes up where another left off.
    ///
    /// # Errors
    /// [`Error::State`] where what was kept is of another shape.
    pub fn resume(&mut self, past: &[Past], state: State) -> Result<(), Error> {
        let State { parameters, strategy, memories, moved, clip_norm, .. } = state;
        if memories.len() != self.memories.len() {
            let (found, expected) = (memories.len(), self.memories.len());
            let why = format!("{found} clients were kept, where the federation has {expected}");
            return Err(Error::State { why });
        }
        self.coordinator.resume(past, parameters, strategy, clip_norm)?;
        self.memories = memories;
        self.moved = moved;
        self.late = self.still_late();
        Ok(())
    }

    /// Contributions that are on their way since the round before. They will be refused, so what they say does not matter.
    fn still_late(&self) -> Vec<Contribution> {
        let (plan, round) = (self.coordinator.plan(), self.coordinator.round());
        if round == 0 || plan.secure().is_some() {
            return Vec::new();
        }
        let length = self.coordinator.length();
        let cohort = plan.sampling().draw(plan.clients(), round, plan.seed());
        let late =
            cohort.into_iter().filter(|&client| self.faults.fate(round, client) == Fate::Late);
        late.map(|client| Contribution { client, round, values: vec![0.0; length], weight: 1.0 })
            .collect()
    }

    /// Runs one round.
    ///
    /// # Errors
    /// As [`Coordinator::begin`] and [`Coordinator::close`], and as the learner.
    pub fn round(&mut self) -> Result<Round, Error> {
        let task = self.coordinator.begin()?;
        match self.coordinator.plan().secure() {
            Some(secure) => self.masked_round(&task, &secure),
            None => self.plain_round(&task),
        }
    }

    /// A round whose coordinator sees each contribution.
    fn plain_round(&mut self, task: &Task) -> Result<Round, Error> {
        let mut round = Tally::default();
        for late in std::mem::take(&mut self.late) {
            round.hand_over(&mut self.coordinator, Sent::Plain(late))?;
        }
        for wave in task.cohort.chunks(wave_size()) {
            let fates: Vec<Fate> =
                wave.iter().map(|&client| self.faults.fate(task.round, client)).collect();
            let works = self.wave(task, wave, &fates)?;
            for ((&client, fate), work) in wave.iter().zip(fates).zip(works) {
                match work {
                    Some(work) => self.answer(task, work, fate, &mut round)?,
                    None => {
                        self.coordinator.lose(client);
                        round.asked.push(Asked::missed(client, fate));
                    }
                }
            }
        }
        let end = self.coordinator.close()?;
        self.note_move(task);
        Ok(round.finish(end, octets_of(task)))
    }

    /// A client's answer on its way, as its fate has it.
    fn answer(
        &mut self,
        task: &Task,
        work: Work,
        fate: Fate,
        round: &mut Tally,
    ) -> Result<(), Error> {
        let seed = self.coordinator.plan().seed();
        round.note(&work);
        let mut asked = Asked::learnt(&work);
        let told = self.as_told(work, &mut asked)?;
        let late = (fate == Fate::Late).then(|| told.clone());
        match Sent::of(told, task, seed, fate == Fate::Wrong) {
            Err(why) => {
                round.refused.push((asked.client, why));
                self.coordinator.lose(asked.client);
                asked.came = Came::Refused;
            }
            Ok(sent) => {
                asked.octets = sent.octets() * if fate == Fate::Doubled { 2 } else { 1 };
                round.octets_up += asked.octets;
                if fate == Fate::Late {
                    self.coordinator.lose(asked.client);
                    self.late.extend(late);
                    asked.came = Came::Late;
                } else {
                    let again = (fate == Fate::Doubled).then(|| sent.clone());
                    if !round.hand_over(&mut self.coordinator, sent)? {
                        asked.came = Came::Refused;
                    }
                    if let Some(again) = again {
                        round.hand_over(&mut self.coordinator, again)?;
                    }
                }
            }
        }
        round.asked.push(asked);
        Ok(())
    }

    /// What a client gives of its work: the truth, or what a liar makes of it.
    fn as_told(&self, work: Work, asked: &mut Asked) -> Result<Contribution, Error> {
        let mut contribution = work.contribution;
        if let Some(liars) = &self.liars
            && liars.clients().contains(&contribution.client)
        {
            let seed = self.coordinator.plan().seed();
            liars.lie(&mut contribution, self.moved.as_deref(), seed)?;
            asked.norm = Some(norm(&contribution.values)).filter(|norm| norm.is_finite());
        }
        Ok(contribution)
    }

    /// How the parameters moved, for clients that ride on it.
    fn note_move(&mut self, task: &Task) {
        if self.liars.is_some() {
            let now = self.coordinator.parameters();
            let moved = now.iter().zip(&*task.parameters).map(|(now, before)| now - before);
            self.moved = Some(moved.collect());
        }
    }

    /// What the clients of a wave do; nothing from those that are lost.
    fn wave(
        &mut self,
        task: &Task,
        wave: &[u32],
        fates: &[Fate],
    ) -> Result<Vec<Option<Work>>, Error> {
        let worker = Worker {
            learner: self.learner,
            strategy: self.coordinator.strategy(),
            personal: &self.personal,
            seed: self.coordinator.plan().seed(),
        };
        // A wave is ascending, so its clients' memories are found in one pass.
        let mut own: Vec<(u32, Fate, &mut Memory)> = Vec::with_capacity(wave.len());
        let mut wanted = wave.iter().zip(fates).peekable();
        for (client, memory) in (0..).zip(&mut self.memories) {
            if let Some((_, &fate)) = wanted.next_if(|(at, _)| **at == client) {
                own.push((client, fate, memory));
            }
        }
        own.into_par_iter()
            .map(|(client, fate, memory)| match fate {
                Fate::Lost | Fate::Absent => Ok(None),
                _ => worker.work_in(task, client, memory, &self.spare).map(Some),
            })
            .collect()
    }
}

impl Rounds for Simulation<'_> {
    fn round(&mut self) -> Result<Round, Error> {
        Simulation::round(self)
    }

    fn rounds(&self) -> u64 {
        self.coordinator.round()
    }

    fn plan(&self) -> &ValidPlan {
        self.coordinator.plan()
    }

    fn parameters(&self) -> Arc<[f32]> {
        self.coordinator.parameters()
    }

    fn memories(&self) -> &[Memory] {
        &self.memories
    }

    fn state(&self) -> State {
        State::of(self)
    }

    fn resume(&mut self, past: &[Past], state: State) -> Result<(), Error> {
        Simulation::resume(self, past, state)
    }
}

/// How many clients learn at once.
fn wave_size() -> usize {
    WAVE.max(WAVE_OF_THREAD * rayon::current_num_threads())
}

/// Octets that a task is to its cohort.
fn octets_of(task: &Task) -> u64 {
    let numbers = task.parameters.len() + task.variate.as_ref().map_or(0, |variate| variate.len());
    (task.cohort.len() * numbers * size_of::<f32>()) as u64
}

/// What a round has seen so far.
#[derive(Default)]
struct Tally {
    loss: f64,
    learnt: usize,
    short: usize,
    octets_up: u64,
    refused: Vec<(u32, Refusal)>,
    asked: Vec<Asked>,
}

impl Tally {
    fn note(&mut self, work: &Work) {
        self.learnt += 1;
        self.loss += work.learnt.loss;
        self.short += usize::from(work.is_short);
    }

    /// Gives whether it was taken.
    fn hand_over(&mut self, coordinator: &mut Coordinator, sent: Sent) -> Result<bool, Error> {
        match sent.give(coordinator) {
            Ok(()) => Ok(true),
            Err(Error::Contribution { client, why, .. }) => {
                self.refused.push((client, why));
                Ok(false)
            }
            Err(other) => Err(other),
        }
    }

    /// The client that was asked, once it was noted.
    fn of(&mut self, client: u32) -> Option<&mut Asked> {
        let at = self.asked.binary_search_by_key(&client, |asked| asked.client).ok()?;
        self.asked.get_mut(at)
    }

    fn finish(self, end: RoundEnd, octets_down: u64) -> Round {
        let learnt = self.learnt as f64;
        let is_clipped = end.clip_norm.is_some();
        Round {
            end,
            loss: (self.learnt > 0).then(|| self.loss / learnt),
            short: (self.learnt > 0 && is_clipped).then(|| self.short as f64 / learnt),
            refused: self.refused,
            asked: self.asked,
            octets_down,
            octets_up: self.octets_up,
            staleness: None,
            time: None,
        }
    }
}
