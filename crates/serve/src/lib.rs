//! The pipeline behind HTTP: an API, durable jobs, and workers.
//!
//! *Takes* uploads (tables, captures) and orders to train, over HTTP.
//! *Gives* jobs with their answers, models under names, and what happens to them as it happens.
//! *Never* loses a job that it accepted, does one twice with effect, or lets a path from outside reach the file system.
//! *Start at* [`job`] and [`store`].

pub mod api;
pub mod auth;
pub mod backlog;
pub mod blobs;
mod collect;
pub mod config;
mod error;
pub mod first;
mod folder;
pub mod hold;
pub mod job;
pub mod models;
pub mod order;
pub mod problem;
mod result;
pub mod server;
pub mod store;
mod view;
pub mod work;
pub mod worker;

pub use error::Error;

/// A place without the password that its URL may hold, for logs and screens.
#[must_use]
pub fn masked(place: &str) -> String {
    let Some((scheme, rest)) = place.split_once("://") else { return place.to_owned() };
    let (authority, path) = rest.split_once('/').map_or((rest, None), |(a, p)| (a, Some(p)));
    let Some((user, host)) = authority.rsplit_once('@') else { return place.to_owned() };
    let user = user.split_once(':').map_or("", |(user, _)| user);
    let path = path.map_or(String::new(), |path| format!("/{path}"));
    format!("{scheme}://{user}:…@{host}{path}")
}

#[cfg(test)]
mod tests {
    #[test]
    fn passwords_are_not_shown() {
        assert_eq!(super::masked("redis://u:p@ss@h:6379/0"), "redis://u:…@h:6379/0");
        assert_eq!(super::masked("redis://h:6379/0"), "redis://h:6379/0");
        assert_eq!(super::masked("sqlite:/var/lib/x"), "sqlite:/var/lib/x");
        assert_eq!(super::masked("a folder"), "a folder");
    }
}
