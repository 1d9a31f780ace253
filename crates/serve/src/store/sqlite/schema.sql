-- Version 1. Times are milliseconds since 1970; structured values are JSON.
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value NOT NULL
) WITHOUT ROWID;
INSERT INTO meta VALUES ('revision', 0), ('sequence', 0);

CREATE TABLE jobs (
    id         TEXT PRIMARY KEY,
    kind       TEXT NOT NULL,
    ordered    TEXT NOT NULL, -- what exactly is to be done
    owner      TEXT NOT NULL,
    state      TEXT NOT NULL,
    wish       TEXT NOT NULL,
    rows       INTEGER NOT NULL,
    octets     INTEGER NOT NULL,
    created    INTEGER NOT NULL,
    started    INTEGER,
    ended      INTEGER,
    attempt    INTEGER NOT NULL,
    parts      INTEGER NOT NULL,
    parts_done INTEGER NOT NULL,
    progress   TEXT NOT NULL,
    result     TEXT,
    reason     TEXT,
    worker     TEXT,
    revision   INTEGER NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX jobs_by_revision ON jobs (revision);
CREATE INDEX jobs_by_state ON jobs (state, created);
CREATE INDEX jobs_by_owner ON jobs (owner, id);
CREATE INDEX jobs_by_end ON jobs (ended) WHERE ended IS NOT NULL;

CREATE TABLE parts (
    job      TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    part     INTEGER NOT NULL,
    payload  TEXT NOT NULL,
    is_join  INTEGER NOT NULL,
    state    TEXT NOT NULL, -- waiting, running, held (its job is paused or ended), pending (a join before its chunks), done
    fence    INTEGER NOT NULL,
    lost     INTEGER NOT NULL, -- deliveries without an end
    due      INTEGER NOT NULL, -- waiting: not before; running: the end of the lease
    sequence INTEGER NOT NULL,
    came_to  TEXT,
    PRIMARY KEY (job, part)
) WITHOUT ROWID;
CREATE INDEX parts_waiting ON parts (sequence) WHERE state = 'waiting';
CREATE INDEX parts_running ON parts (due) WHERE state = 'running';

-- What jobs of a state come to, kept by triggers, so that a submission need not add up a long queue.
CREATE TABLE totals (
    state  TEXT PRIMARY KEY,
    jobs   INTEGER NOT NULL,
    rows   INTEGER NOT NULL,
    octets INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO totals VALUES
    ('queued', 0, 0, 0), ('running', 0, 0, 0), ('paused', 0, 0, 0), ('succeeded', 0, 0, 0),
    ('failed', 0, 0, 0), ('cancelled', 0, 0, 0), ('dead', 0, 0, 0);
CREATE TRIGGER totals_insert AFTER INSERT ON jobs BEGIN
    UPDATE totals SET jobs = jobs + 1, rows = rows + new.rows, octets = octets + new.octets WHERE state = new.state;
END;
CREATE TRIGGER totals_update AFTER UPDATE OF state ON jobs WHEN old.state <> new.state BEGIN
    UPDATE totals SET jobs = jobs - 1, rows = rows - old.rows, octets = octets - old.octets WHERE state = old.state;
    UPDATE totals SET jobs = jobs + 1, rows = rows + new.rows, octets = octets + new.octets WHERE state = new.state;
END;
CREATE TRIGGER totals_delete AFTER DELETE ON jobs BEGIN
    UPDATE totals SET jobs = jobs - 1, rows = rows - old.rows, octets = octets - old.octets WHERE state = old.state;
END;

CREATE TABLE idempotency (
    owner   TEXT NOT NULL,
    key     TEXT NOT NULL,
    digest  TEXT NOT NULL,
    job     TEXT NOT NULL,
    expires INTEGER NOT NULL,
    PRIMARY KEY (owner, key)
) WITHOUT ROWID;
CREATE INDEX idempotency_by_end ON idempotency (expires);

CREATE TABLE keys (
    name    TEXT PRIMARY KEY,
    digest  TEXT NOT NULL,
    scopes  TEXT NOT NULL,
    created INTEGER NOT NULL
) WITHOUT ROWID;
