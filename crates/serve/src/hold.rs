//! Leases that a process holds: renewed by a thread of its own, which computing cannot block, and looked at by the work between batches.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::job::{Claim, Standing, Wish};
use crate::store::JobStore;

/// What the work is to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Go on.
    GoOn,
    /// Wait, keeping what there is, as a person wishes.
    Pause,
    /// End with what there is, as a person wishes.
    Stop,
    /// Give the part back: the process ends.
    GiveBack,
    /// Leave it: the claim does not hold any more.
    Leave,
}

/// A claim that is renewed while this lives.
#[derive(Debug)]
pub struct Hold {
    claim: Claim,
    wish: AtomicU8,
    is_lost: AtomicBool,
    gives_back: AtomicBool,
}

impl Hold {
    /// What it proves itself by.
    #[must_use]
    pub fn claim(&self) -> &Claim {
        &self.claim
    }

    /// What the work is to do next; asked between batches.
    #[must_use]
    pub fn next(&self) -> Next {
        if self.is_lost.load(Ordering::Acquire) {
            return Next::Leave;
        }
        if self.gives_back.load(Ordering::Acquire) {
            return Next::GiveBack;
        }
        match self.wish.load(Ordering::Acquire) {
            1 => Next::Pause,
            2 => Next::Stop,
            _ => Next::GoOn,
        }
    }

    /// Notes how the claim stands.
    pub fn note(&self, standing: Standing) {
        match standing {
            Standing::Lost => {
                if !self.is_lost.swap(true, Ordering::AcqRel) {
                    metrics::counter!("flowgait_leases_lost_total").increment(1);
                    let Claim { job, part, .. } = &self.claim;
                    tracing::warn!(job.id = %job, part, "lease lost");
                }
            }
            Standing::Held(wish) => {
                let wish = match wish {
                    Wish::Run => 0,
                    Wish::Pause => 1,
                    Wish::Stop => 2,
                };
                self.wish.store(wish, Ordering::Release);
            }
        }
    }

    /// Has the work give the part back.
    pub fn give_back(&self) {
        self.gives_back.store(true, Ordering::Release);
    }
}

struct Shared {
    holds: Mutex<HashMap<Claim, Arc<Hold>>>,
    /// Whether the thread is to end.
    ends: Mutex<bool>,
    woken: Condvar,
}

impl Shared {
    fn holds(&self) -> std::sync::MutexGuard<'_, HashMap<Claim, Arc<Hold>>> {
        self.holds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All leases of a process.
pub struct Keeper {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Keeper {
    /// Starts the thread; it renews three times a lease.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(store: Arc<dyn JobStore>, lease: Duration) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            holds: Mutex::default(),
            ends: Mutex::new(false),
            woken: Condvar::new(),
        });
        let (of_thread, runtime) = (shared.clone(), tokio::runtime::Handle::current());
        let thread = std::thread::Builder::new()
            .name("flowgait-leases".to_owned())
            .spawn(move || renew(&of_thread, &*store, lease / 3, &runtime))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Holds a claim until [`drop`](Self::drop_claim).
    #[must_use]
    pub fn hold(&self, claim: Claim, wish: Wish) -> Arc<Hold> {
        let hold = Arc::new(Hold {
            claim: claim.clone(),
            wish: AtomicU8::new(0),
            is_lost: AtomicBool::new(false),
            gives_back: AtomicBool::new(false),
        });
        hold.note(Standing::Held(wish));
        self.shared.holds().insert(claim, hold.clone());
        hold
    }

    /// Renews a claim no more.
    pub fn drop_claim(&self, claim: &Claim) {
        self.shared.holds().remove(claim);
    }

    /// Has all work give its parts back.
    pub fn give_all_back(&self) {
        self.shared.holds().values().for_each(|hold| hold.give_back());
    }

    /// How many claims are held.
    #[must_use]
    pub fn count(&self) -> usize {
        self.shared.holds().len()
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        *self.shared.ends.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.shared.woken.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn renew(shared: &Shared, store: &dyn JobStore, every: Duration, runtime: &tokio::runtime::Handle) {
    loop {
        let ends = shared.ends.lock().unwrap_or_else(PoisonError::into_inner);
        let (ends, _) = shared
            .woken
            .wait_timeout_while(ends, every, |ends| !*ends)
            .unwrap_or_else(PoisonError::into_inner);
        if *ends {
            return;
        }
        drop(ends);
        let holds: Vec<Arc<Hold>> = shared.holds().values().cloned().collect();
        if holds.is_empty() {
            continue;
        }
        let claims: Vec<Claim> = holds.iter().map(|hold| hold.claim.clone()).collect();
        // An answer that takes longer than the time to the next try is worth no more than that try.
        let asked = async { tokio::time::timeout(every, store.renew(&claims)).await };
        match runtime.block_on(asked) {
            Ok(Ok(standings)) => {
                for (hold, standing) in holds.iter().zip(standings) {
                    // One that ended meanwhile is not lost.
                    if standing.is_held() || shared.holds().contains_key(hold.claim()) {
                        hold.note(standing);
                    }
                }
            }
            Ok(Err(error)) => tracing::warn!(%error, "leases could not be renewed"),
            Err(_) => tracing::warn!("the store did not answer in time to renew leases"),
        }
    }
}
