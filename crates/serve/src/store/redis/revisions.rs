//! Tells who follows the changes of a store that there are some, whichever process made them.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use super::link::{Link, Repeat};
use crate::error::Error;

/// How often Redis is asked while somebody follows. Asking costs a fraction of what a message for every change would: a busy store makes
/// thousands a second, and whoever follows wants the last.
const POLL: Duration = Duration::from_millis(50);

/// The highest revision that this process knows of.
pub(super) struct Revisions {
    told: watch::Sender<u64>,
    asked: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Revisions {
    pub(super) fn follow(link: Arc<Link>) -> Self {
        let (told, asked) = (watch::Sender::new(0), Arc::new(Notify::new()));
        let task = tokio::spawn(poll(link, told.clone(), asked.clone()));
        Self { told, asked, task }
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<u64> {
        let receiver = self.told.subscribe();
        self.asked.notify_one();
        receiver
    }

    /// This process made a change, or heard of one.
    pub(super) fn grew(&self, revision: Option<u64>) {
        grew(&self.told, revision);
    }
}

impl Drop for Revisions {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn grew(told: &watch::Sender<u64>, revision: Option<u64>) {
    let Some(revision) = revision else { return };
    told.send_if_modified(|known| {
        let grew = revision > *known;
        *known = revision.max(*known);
        grew
    });
}

/// The highest revision; none where nothing was ever told of a job.
pub(super) async fn read(link: &Link) -> Result<Option<u64>, Error> {
    let mut get = redis::cmd("GET");
    get.arg(link.key("revision"));
    link.command("asking for changes", Repeat::Safe, &get).await
}

async fn poll(link: Arc<Link>, told: watch::Sender<u64>, asked: Arc<Notify>) {
    loop {
        if told.receiver_count() == 0 {
            asked.notified().await;
        }
        // While Redis is away there is nothing new.
        if let Ok(revision) = read(&link).await {
            grew(&told, revision);
        }
        tokio::time::sleep(POLL).await;
    }
}
