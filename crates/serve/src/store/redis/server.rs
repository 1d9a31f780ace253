//! What a Redis must be so that what was accepted is not lost.

use std::collections::HashMap;

use redis::{ErrorKind, RedisError, ServerErrorKind};

use super::link::{Link, Repeat};
use crate::error::Error;

/// The first version with what this store uses: `XAUTOCLAIM`'s siblings, and reads of groups within scripts.
const VERSION_LEAST: (u32, u32) = (6, 2);

/// Refuses a server that may lose jobs; a warning where it may lose the last second of them.
///
/// # Errors
/// [`Error::StoreUnfit`] says what to set; [`Error::Store`].
pub(super) async fn check(link: &Link) -> Result<Option<String>, Error> {
    let doing = "asking Redis what it is";
    let info: String = link.command(doing, Repeat::Safe, &redis::cmd("INFO")).await?;
    refuse(&facts(&info))?;
    // Managed services forbid CONFIG; then nobody knows, and there is nothing to warn of.
    let mut ask = redis::cmd("CONFIG");
    ask.arg("GET").arg("appendfsync");
    let setting: Result<HashMap<String, String>, Error> =
        link.command(doing, Repeat::Safe, &ask).await;
    Ok(setting.ok().and_then(|setting| warning(setting.get("appendfsync")?)))
}

/// What an error of the first write says about the server, where that is a thing to be set right.
pub(super) fn unfit(error: &RedisError) -> Option<Error> {
    let problem = match error.kind() {
        ErrorKind::Server(ServerErrorKind::Moved) => format!(
            "Redis is a cluster and keeps these keys on another node{}: name that node, or another prefix",
            error.redirect_node().map(|(node, _)| format!(", {node}")).unwrap_or_default()
        ),
        ErrorKind::Server(ServerErrorKind::NoPerm) => {
            "the user of Redis may not do what a store needs: allow it all commands on keys with the store's prefix".into()
        }
        _ => return None,
    };
    Some(Error::StoreUnfit { problem })
}

fn facts(info: &str) -> HashMap<&str, &str> {
    info.lines().filter_map(|line| line.trim_end().split_once(':')).collect()
}

fn refuse(facts: &HashMap<&str, &str>) -> Result<(), Error> {
    let fact = |name: &str| facts.get(name).copied().unwrap_or("unknown");
    let unfit = |problem: String| Err(Error::StoreUnfit { problem });
    // Valkey tells here the version of Redis that it is like.
    let version = fact("redis_version");
    let mut numbers = version.split('.').map(|number| number.parse::<u32>().unwrap_or(0));
    if (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) < VERSION_LEAST {
        let (major, minor) = VERSION_LEAST;
        return unfit(format!(
            "Redis is of version {version}: jobs need {major}.{minor} or later, or Valkey"
        ));
    }
    if fact("role") == "slave" {
        return unfit(
            "this Redis is a replica, which takes no jobs: name its primary in --store".into(),
        );
    }
    if fact("aof_enabled") != "1" {
        return unfit(
            "Redis keeps no append-only file and would lose accepted jobs when it ends: set `appendonly yes` in redis.conf, \
             or run `redis-cli CONFIG SET appendonly yes`"
                .into(),
        );
    }
    let policy = fact("maxmemory_policy");
    if policy != "noeviction" {
        return unfit(format!(
            "Redis drops keys when its memory is full (maxmemory-policy {policy}), jobs too: set `maxmemory-policy noeviction` in \
             redis.conf, or run `redis-cli CONFIG SET maxmemory-policy noeviction`"
        ));
    }
    Ok(())
}

fn warning(appendfsync: &str) -> Option<String> {
    // With `everysec` Redis answers first and writes up to two seconds later while the disk is busy: a kill is enough to lose that.
    let loss = match appendfsync {
        "always" => return None,
        "everysec" => "the last second or two",
        _ => "half a minute",
    };
    Some(format!(
        "Redis writes to disk with appendfsync {appendfsync}: a power cut, or its own crash while the disk is busy, may lose {loss} of \
         accepted jobs; `appendfsync always` in redis.conf (or `redis-cli CONFIG SET appendfsync always`) closes that, at the price of \
         a disk write for each batch of commands"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIT: &str = "# Server\r\nredis_version:7.0.15\r\nrole:master\r\naof_enabled:1\r\nmaxmemory_policy:noeviction\r\n";

    #[test]
    fn what_may_lose_jobs_is_refused_and_told_what_to_set() {
        let check = |from: &str, to: &str, says: &str| {
            let info = FIT.replace(from, to);
            let Err(Error::StoreUnfit { problem }) = refuse(&facts(&info)) else { panic!("{to}") };
            assert!(problem.contains(says), "{problem}");
        };
        refuse(&facts(FIT)).unwrap();
        for version in ["6.2.0", "7.2.4", "10.0.0"] {
            refuse(&facts(&FIT.replace("7.0.15", version))).unwrap();
        }
        check("7.0.15", "6.0.20", "6.2 or later");
        check("7.0.15", "5.0.3", "6.2 or later");
        check("aof_enabled:1", "aof_enabled:0", "CONFIG SET appendonly yes");
        check("aof_enabled:1", "", "appendonly yes");
        check("noeviction", "allkeys-lru", "maxmemory-policy noeviction");
        check("role:master", "role:slave", "primary");
    }

    #[test]
    fn what_a_power_cut_may_lose_is_told() {
        assert_eq!(warning("always"), None);
        assert!(warning("everysec").unwrap().contains("last second or two"));
        assert!(warning("no").unwrap().contains("half a minute"));
    }
}
