//! What changes jobs in Redis: each a script, so that it happens as a whole or not at all.

use redis::Script;

/// The scripts, each with what it needs of the parts they share.
pub(super) struct Scripts {
    pub(super) submit: Script,
    pub(super) claim: Script,
    pub(super) renew: Script,
    pub(super) progress: Script,
    pub(super) finish: Script,
    pub(super) steer: Script,
    pub(super) tidy: Script,
    pub(super) list: Script,
    pub(super) changes: Script,
    pub(super) chunks: Script,
    pub(super) load: Script,
    pub(super) ready: Script,
}

const BASE: &str = include_str!("base.lua");
const LIFE: &str = include_str!("life.lua");
const SCAN: &str = include_str!("scan.lua");

impl Scripts {
    pub(super) fn new() -> Self {
        let script = |parts: &[&str]| Script::new(&parts.concat());
        Self {
            submit: script(&[BASE, include_str!("submit.lua")]),
            claim: script(&[BASE, include_str!("claim.lua")]),
            renew: script(&[BASE, LIFE, include_str!("renew.lua")]),
            progress: script(&[BASE, LIFE, include_str!("progress.lua")]),
            finish: script(&[BASE, LIFE, include_str!("finish.lua")]),
            steer: script(&[BASE, LIFE, include_str!("steer.lua")]),
            tidy: script(&[BASE, LIFE, SCAN, include_str!("tidy.lua")]),
            list: script(&[BASE, include_str!("list.lua")]),
            changes: script(&[BASE, include_str!("changes.lua")]),
            chunks: script(&[BASE, include_str!("chunks.lua")]),
            load: script(&[BASE, include_str!("load.lua")]),
            ready: script(&[BASE, include_str!("ready.lua")]),
        }
    }
}
