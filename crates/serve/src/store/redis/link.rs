//! The way to Redis: one connection for commands, and one for each worker that waits.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig, MultiplexedConnection};
use redis::streams::StreamReadReply;
use redis::{
    AsyncConnectionConfig, Client, Cmd, FromRedisValue, RedisError, RedisResult, Script,
    ScriptInvocation,
};

use super::{address, server};
use crate::error::Error;

/// How long an answer may take: Redis may wait for the disk before each.
const ANSWER_MAX: Duration = Duration::from_secs(10);
const CONNECT_MAX: Duration = Duration::from_secs(2);
/// How long one read waits for work; a server that vanished without a word is noticed after it.
const BLOCK_MAX: Duration = Duration::from_secs(5);
/// Connections kept for workers that will wait again.
const IDLE_MAX: usize = 64;
/// As in `base.lua`.
const GROUP: &str = "flowgait";
const CONSUMER: &str = "worker";

/// Whether a command may be sent again when the connection broke, so that nobody knows whether it was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repeat {
    /// Done twice it is as if done once.
    Safe,
    /// The caller is to know.
    Never,
}

/// What a read delivered: an entry of a stream that says which part waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ticket {
    pub(super) stream: &'static str,
    pub(super) entry: String,
    pub(super) job: String,
    pub(super) part: String,
}

/// The streams of tickets, in the order they are read.
const STREAMS: [&str; 2] = ["first", "work"];

/// The way to one Redis.
pub(super) struct Link {
    client: Client,
    /// Shared by all callers: what they send at a time goes together.
    commands: ConnectionManager,
    waiting: Mutex<Vec<MultiplexedConnection>>,
    prefix: String,
}

impl Link {
    /// Connects.
    ///
    /// # Errors
    /// [`Error::StoreUnfit`] when the address is none; [`Error::Store`].
    pub(super) async fn open(url: &str) -> Result<Self, Error> {
        let (client, prefix) = address::read(url)?;
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(CONNECT_MAX))
            .set_response_timeout(Some(ANSWER_MAX))
            .set_number_of_retries(4)
            .set_max_delay(Duration::from_secs(1));
        let commands = client
            .get_connection_manager_with_config(config)
            .await
            .map_err(|error| Error::store("connecting to Redis", error))?;
        Ok(Self { client, commands, waiting: Mutex::default(), prefix })
    }

    /// The name of a key.
    pub(super) fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// A call of a script, to be given its own arguments.
    pub(super) fn call<'a>(&self, script: &'a Script) -> ScriptInvocation<'a> {
        let mut call = script.prepare_invoke();
        call.key(self.key(STREAMS[1])).arg(&self.prefix);
        call
    }

    /// Runs a script; Redis keeps it by its digest, and is given it anew when it started again.
    pub(super) async fn run<T: FromRedisValue>(
        &self,
        doing: &'static str,
        repeat: Repeat,
        call: &ScriptInvocation<'_>,
    ) -> Result<T, Error> {
        let mut answer = call.invoke_async(&mut self.commands.clone()).await;
        if is_worth_another(&answer, repeat) {
            answer = call.invoke_async(&mut self.commands.clone()).await;
        }
        told(doing, answer)
    }

    /// Sends a command.
    pub(super) async fn command<T: FromRedisValue>(
        &self,
        doing: &'static str,
        repeat: Repeat,
        command: &Cmd,
    ) -> Result<T, Error> {
        let mut answer = command.query_async(&mut self.commands.clone()).await;
        if is_worth_another(&answer, repeat) {
            answer = command.query_async(&mut self.commands.clone()).await;
        }
        told(doing, answer)
    }

    /// Waits for tickets, on a connection of its own: nothing else could be asked on it meanwhile.
    ///
    /// Tickets that are read and then lost, with the connection or with this process, are pending, and are handed out again when a lease
    /// has passed.
    pub(super) async fn wait(&self, time: Duration) -> Result<Vec<Ticket>, Error> {
        let doing = "waiting for work";
        let pooled = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let answer = match pooled {
            // It may be one that broke while nobody looked.
            Some(connection) => match self.read(connection, time).await {
                Err(error) if is_broken(&error) => self.read(self.connect().await?, time).await,
                answer => answer,
            },
            None => self.read(self.connect().await?, time).await,
        };
        match answer {
            Ok(read) => self.tickets(read),
            // The group is made anew by the next look for work.
            Err(error) if error.code() == Some("NOGROUP") => Ok(Vec::new()),
            Err(error) => Err(Error::store(doing, error)),
        }
    }

    async fn connect(&self) -> Result<MultiplexedConnection, Error> {
        // A read that waits is answered late, which is no fault; `read` has a limit of its own.
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_MAX))
            .set_response_timeout(None);
        self.client
            .get_multiplexed_async_connection_with_config(&config)
            .await
            .map_err(|error| Error::store("connecting to Redis", error))
    }

    async fn read(
        &self,
        mut connection: MultiplexedConnection,
        time: Duration,
    ) -> RedisResult<Option<StreamReadReply>> {
        let time = time.min(BLOCK_MAX);
        let mut command = redis::cmd("XREADGROUP");
        // Not less than one millisecond: none would be for ever.
        let block = time.as_millis().max(1) as u64;
        command.arg("GROUP").arg(GROUP).arg(CONSUMER).arg("COUNT").arg(1).arg("BLOCK").arg(block);
        command.arg("STREAMS").arg(&STREAMS.map(|stream| self.key(stream))).arg(">").arg(">");
        let answer = tokio::time::timeout(time + ANSWER_MAX, command.query_async(&mut connection));
        let answer = answer.await.unwrap_or_else(|_| {
            Err(RedisError::from(std::io::Error::from(std::io::ErrorKind::TimedOut)))
        });
        if answer.as_ref().err().is_none_or(|error| !error.is_io_error()) {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            if waiting.len() < IDLE_MAX {
                waiting.push(connection);
            }
        }
        answer
    }

    fn tickets(&self, read: Option<StreamReadReply>) -> Result<Vec<Ticket>, Error> {
        let mut tickets = Vec::new();
        for read in read.into_iter().flat_map(|read| read.keys) {
            let stream = STREAMS.into_iter().find(|stream| self.key(stream) == read.key);
            for entry in read.ids {
                let ticket = (stream, entry.get::<String>("job"), entry.get::<String>("part"));
                let (Some(stream), Some(job), Some(part)) = ticket else {
                    return Err(Error::StoreContent { what: format!("entry {}", entry.id) });
                };
                tickets.push(Ticket { stream, entry: entry.id, job, part });
            }
        }
        Ok(tickets)
    }
}

fn is_broken(error: &RedisError) -> bool {
    (error.is_connection_dropped() || error.is_unrecoverable_error()) && !error.is_timeout()
}

fn is_worth_another<T>(answer: &RedisResult<T>, repeat: Repeat) -> bool {
    repeat == Repeat::Safe && answer.as_ref().is_err_and(is_broken)
}

fn told<T>(doing: &'static str, answer: RedisResult<T>) -> Result<T, Error> {
    answer.map_err(|error| server::unfit(&error).unwrap_or_else(|| Error::store(doing, error)))
}
