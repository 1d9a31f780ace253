//! Who may do what: keys with scopes, kept as digests; links that are signed and expire.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::error::Error;
use crate::problem::Problem;
use crate::store::{JobStore, KeyRecord};
use crate::work::sink::hex;

/// How long until a key that was added or revoked elsewhere is noticed.
const KEYS_AGE: Duration = Duration::from_secs(2);
/// Octets of chance in a key.
const KEY_OCTETS: usize = 32;
/// Octets of a name that a proxy says.
const NAME_OCTETS: usize = 256;
/// What a key begins with, so that scanners for leaked secrets know it.
const PREFIX: &str = "fgk_";
/// The cookie by which a browser shows a key.
pub(crate) const SESSION: &str = "flowgait";

/// What a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Synchronous predictions.
    Predict,
    /// Jobs of its own.
    Jobs,
    /// The registry of models.
    Models,
    /// Everything, also others' jobs and what is measured.
    Admin,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Predict, Self::Jobs, Self::Models, Self::Admin];

    /// Its word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Predict => "predict",
            Self::Jobs => "jobs",
            Self::Models => "models",
            Self::Admin => "admin",
        }
    }

    /// By its word.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The key's name, or what a proxy says; empty where no key is needed.
    pub name: String,
    scopes: Vec<Scope>,
}

impl Caller {
    /// Somebody on this machine, where no key is needed.
    #[must_use]
    pub fn local() -> Self {
        Self { name: String::new(), scopes: vec![Scope::Admin] }
    }

    /// Whether it may.
    #[must_use]
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope) || self.scopes.contains(&Scope::Admin)
    }

    /// What it may do.
    pub(crate) fn scopes(&self) -> &[Scope] {
        &self.scopes
    }

    /// Refuses what it may not do.
    pub(crate) fn check(&self, scope: Scope) -> Result<(), Problem> {
        if self.may(scope) {
            return Ok(());
        }
        let told = format!("The key '{}' lacks the scope '{}'.", self.name, scope.name());
        Err(Problem::forbidden(told))
    }

    /// Whose jobs it sees; `None` for all.
    #[must_use]
    pub fn sees(&self) -> Option<String> {
        (!self.may(Scope::Admin)).then(|| self.name.clone())
    }
}

/// A new key: what the person keeps, and what the store keeps.
///
/// # Errors
/// [`Error::Configuration`] when the name or a scope cannot be one.
pub fn new_key(name: &str, scopes: &[String], now: u64) -> Result<(String, KeyRecord), Error> {
    let octets: [u8; KEY_OCTETS] = rand::random();
    let key = format!("{PREFIX}{}", hex(&octets));
    Ok((key.clone(), record(name, scopes, &key, now)?))
}

/// What the store keeps of a key.
///
/// # Errors
/// As above.
pub fn record(name: &str, scopes: &[String], key: &str, now: u64) -> Result<KeyRecord, Error> {
    let refuse = |problem: String| Error::Configuration { problem };
    let is_name = !name.is_empty()
        && name.len() <= 64
        && name
            .bytes()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.' | b'@'));
    if !is_name {
        return Err(refuse(format!(
            "'{name}' cannot name a key: letters, digits, '-', '_', '.' and '@', at most 64"
        )));
    }
    if let Some(bad) = scopes.iter().find(|scope| Scope::of(scope).is_none()) {
        return Err(refuse(format!("'{bad}' is no scope: predict, jobs, models, admin")));
    }
    if scopes.is_empty() {
        return Err(refuse(
            "a key without a scope may do nothing: predict, jobs, models, admin".into(),
        ));
    }
    if key.len() < 20 {
        return Err(refuse(format!(
            "the key '{name}' has fewer than 20 characters, which can be guessed"
        )));
    }
    let scopes = scopes.to_vec();
    Ok(KeyRecord { name: name.to_owned(), digest: digest(key), scopes, created: now })
}

fn digest(key: &str) -> String {
    hex(&Sha256::digest(key.as_bytes()))
}

/// How callers show who they are.
#[derive(Clone, Debug, Default)]
pub struct Gate {
    /// No key is needed: only this machine can ask.
    pub open: bool,
    /// A header in which a proxy that everything comes through says who asks.
    pub trusted_header: Option<String>,
    /// Keys of a file, beside those of the store.
    pub fixed: Vec<KeyRecord>,
}

/// Finds out who asks.
pub struct Auth {
    gate: Gate,
    store: Arc<dyn JobStore>,
    known: Mutex<Option<(Instant, Arc<Vec<KeyRecord>>)>>,
    secret: [u8; 32],
}

impl Auth {
    pub(crate) async fn new(gate: Gate, store: Arc<dyn JobStore>) -> Result<Self, Error> {
        let secret = store.secret().await?;
        Ok(Self { gate, store, known: Mutex::new(None), secret })
    }

    /// Whether no key is needed.
    pub(crate) fn is_open(&self) -> bool {
        self.gate.open
    }

    async fn keys(&self) -> Result<Arc<Vec<KeyRecord>>, Error> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((asked, keys)) = &known
            && asked.elapsed() < KEYS_AGE
        {
            return Ok(keys.clone());
        }
        match self.store.keys().await {
            Ok(mut keys) => {
                keys.extend(self.gate.fixed.iter().cloned());
                let keys = Arc::new(keys);
                *self.known.lock().unwrap_or_else(PoisonError::into_inner) =
                    Some((Instant::now(), keys.clone()));
                Ok(keys)
            }
            Err(error) => Err(error),
        }
    }

    /// Who shows these headers.
    pub(crate) async fn caller(&self, headers: &axum::http::HeaderMap) -> Result<Caller, Problem> {
        if let Some(name) = &self.gate.trusted_header
            && let Some(who) = headers.get(name).and_then(|who| who.to_str().ok())
            && !who.is_empty()
        {
            // Cut short, two long names could be the same.
            if who.len() > NAME_OCTETS {
                let told = format!("'{name}' says who asks in more than {NAME_OCTETS} octets.");
                return Err(Problem::unauthorized(told));
            }
            return Ok(Caller {
                name: who.to_owned(),
                scopes: vec![Scope::Predict, Scope::Jobs, Scope::Models],
            });
        }
        let bearer = headers
            .get(axum::http::header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer ").or(value.strip_prefix("bearer ")));
        let shown = bearer
            .or_else(|| headers.get("x-api-key").and_then(|key| key.to_str().ok()))
            .or_else(|| of_session(headers));
        let Some(shown) = shown else {
            if self.gate.open {
                return Ok(Caller::local());
            }
            return Err(Problem::unauthorized(
                "Send a key: 'Authorization: Bearer fgk_…'. An operator makes one by 'flowgait keys add NAME'.",
            ));
        };
        let shown = digest(shown.trim());
        let mut found = None;
        for key in self.keys().await?.iter() {
            // Every key is compared, each in constant time.
            if bool::from(key.digest.as_bytes().ct_eq(shown.as_bytes())) {
                found = Some(key.clone());
            }
        }
        let key =
            found.ok_or_else(|| Problem::unauthorized("The key is not known, or was revoked."))?;
        let scopes = key.scopes.iter().filter_map(|scope| Scope::of(scope)).collect();
        Ok(Caller { name: key.name, scopes })
    }

    /// The signature of a path until a time, in seconds since 1970.
    pub(crate) fn sign(&self, path: &str, expires: u64) -> String {
        hex(&self.mac(path, expires).finalize().into_bytes())
    }

    /// Whether a link is as it was signed, and still holds.
    pub(crate) fn is_signed(&self, path: &str, expires: u64, signature: &str, now: u64) -> bool {
        let right = self.sign(path, expires);
        now <= expires && bool::from(right.as_bytes().ct_eq(signature.as_bytes()))
    }

    fn mac(&self, path: &str, expires: u64) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.secret)
            .expect("invariant: HMAC takes a key of any length");
        mac.update(format!("{path}\n{expires}").as_bytes());
        mac
    }
}

/// The key that a browser's session holds. A page of another origin cannot send it (its cookie is `SameSite=Strict`), and if a browser let
/// it, its request would name that origin.
fn of_session(headers: &axum::http::HeaderMap) -> Option<&str> {
    if !is_of_this_origin(headers) {
        return None;
    }
    let lines = headers
        .get_all(axum::http::header::COOKIE)
        .into_iter()
        .filter_map(|line| line.to_str().ok());
    let mut cookies = lines.flat_map(|line| line.split(';'));
    cookies.find_map(|cookie| cookie.trim().strip_prefix(SESSION)?.strip_prefix('='))
}

/// Whether no page of another origin sent this: browsers say where a page is from with all that changes anything.
pub(crate) fn is_of_this_origin(headers: &axum::http::HeaderMap) -> bool {
    use axum::http::header::{HOST, ORIGIN};
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(origin) = text(ORIGIN) else { return true };
    origin.split_once("://").map(|(_, origin)| origin) == text(HOST)
}

/// Requests that each caller may make: a bucket that fills by so many a second and holds twice as many.
pub struct Rate {
    limiter: Option<governor::DefaultKeyedRateLimiter<String>>,
}

impl Rate {
    /// At most so many a second; 0 for no limit.
    #[must_use]
    pub fn new(a_second: u32) -> Self {
        let limiter = std::num::NonZeroU32::new(a_second).map(|rate| {
            let burst = rate.saturating_add(rate.get());
            governor::RateLimiter::keyed(governor::Quota::per_second(rate).allow_burst(burst))
        });
        Self { limiter }
    }

    /// Counts a request of a caller, or refuses it.
    pub(crate) fn check(&self, caller: &Caller) -> Result<(), Problem> {
        let Some(limiter) = &self.limiter else { return Ok(()) };
        // Nobody is slowed down on their own machine.
        if caller.name.is_empty() {
            return Ok(());
        }
        limiter.check_key(&caller.name).map_err(|_| {
            let told = format!("'{}' asks faster than it may. Slow down.", caller.name);
            Problem::too_many(told).after(1)
        })
    }

    /// Forgets callers that have not asked for long.
    pub(crate) fn tidy(&self) {
        if let Some(limiter) = &self.limiter {
            limiter.retain_recent();
        }
    }
}

/// Keys of a file, one a line: `NAME:SCOPE,SCOPE:KEY`; empty lines and those that begin with # are passed over.
///
/// # Errors
/// [`Error::System`] when it cannot be read; [`Error::Configuration`] names the line that is wrong, never the key.
pub fn keys_of(path: &std::path::Path) -> Result<Vec<KeyRecord>, Error> {
    let text = std::fs::read_to_string(path).map_err(|source| Error::System {
        doing: format!("read the keys in {}", path.display()),
        source,
    })?;
    let mut keys: HashMap<String, KeyRecord> = HashMap::new();
    for (line, number) in text.lines().map(str::trim).zip(1..) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let at = |problem: String| Error::Configuration {
            problem: format!("{}, line {number}: {problem}", path.display()),
        };
        let mut parts = line.splitn(3, ':');
        let (Some(name), Some(scopes), Some(key)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(at("a line is NAME:SCOPE,SCOPE:KEY".to_owned()));
        };
        let scopes: Vec<String> = scopes.split(',').map(|scope| scope.trim().to_owned()).collect();
        let record = record(name, &scopes, key.trim(), 0).map_err(|error| at(error.to_string()))?;
        if keys.insert(name.to_owned(), record).is_some() {
            return Err(at(format!("'{name}' is there twice")));
        }
    }
    Ok(keys.into_values().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_unlike_and_only_their_digest_is_kept() {
        let scopes = vec!["jobs".to_owned()];
        let (a, record) = new_key("a", &scopes, 1).unwrap();
        let (b, _) = new_key("a", &scopes, 1).unwrap();
        assert_ne!(a, b);
        assert!(a.starts_with("fgk_") && a.len() == 4 + 64);
        assert!(!format!("{record:?}").contains(&a));
        assert_eq!(record.digest, digest(&a));
        for (name, scopes) in
            [("", &scopes), ("a b", &scopes), ("a", &vec![]), ("a", &vec!["all".to_owned()])]
        {
            assert!(new_key(name, scopes, 1).is_err(), "{name} {scopes:?}");
        }
    }

    #[test]
    fn scopes_allow_what_they_say() {
        let caller = Caller { name: "a".into(), scopes: vec![Scope::Jobs] };
        assert!(caller.may(Scope::Jobs) && !caller.may(Scope::Models));
        assert_eq!(caller.check(Scope::Models).unwrap_err().status, 403);
        assert_eq!(caller.sees(), Some("a".to_owned()));
        assert!(Scope::ALL.iter().all(|scope| Caller::local().may(*scope)));
        assert_eq!(Caller::local().sees(), None);
    }

    #[test]
    fn a_rate_holds_for_each_caller() {
        let rate = Rate::new(5);
        let caller = |name: &str| Caller { name: name.into(), scopes: Vec::new() };
        let passed = (0..50).filter(|_| rate.check(&caller("a")).is_ok()).count();
        assert!((10..20).contains(&passed), "{passed}");
        assert!(rate.check(&caller("b")).is_ok());
        assert!((0..100).all(|_| rate.check(&Caller::local()).is_ok()));
        assert!((0..100).all(|_| Rate::new(0).check(&caller("a")).is_ok()));
    }

    #[test]
    fn a_file_of_keys_is_read_and_its_faults_are_named_without_the_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        let key = "k".repeat(30);
        std::fs::write(&path, format!("# ours\n\nops:admin:{key}\nweb:jobs, predict:{key}x\n"))
            .unwrap();
        let keys = keys_of(&path).unwrap();
        assert_eq!(keys.len(), 2);
        for (text, expected) in [
            (format!("ops:{key}"), "line 1"),
            (format!("a:admin:{key}\na:admin:{key}"), "line 2: 'a' is there twice"),
            (format!("a:root:{key}"), "'root' is no scope"),
            ("a:admin:short".to_owned(), "fewer than 20"),
        ] {
            std::fs::write(&path, text).unwrap();
            let told = keys_of(&path).unwrap_err().to_string();
            assert!(told.contains(expected) && !told.contains(&key), "{told}");
        }
    }
}
