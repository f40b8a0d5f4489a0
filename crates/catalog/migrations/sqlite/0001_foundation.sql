-- The foundation: who may, what happened, which bytes are held for whom, and how things were made.

-- Instants are microseconds since 1970 UTC. Ids are ULIDs as text. Booleans are 0 or 1.

CREATE TABLE projects (
    id         TEXT    NOT NULL PRIMARY KEY,
    name       TEXT    NOT NULL UNIQUE,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- `password` is an argon2id hash in its standard text form. A user is disabled, never deleted: records name them.
CREATE TABLE users (
    id              TEXT    NOT NULL PRIMARY KEY,
    name            TEXT    NOT NULL UNIQUE,
    password        TEXT,
    admin           INTEGER NOT NULL CHECK (admin IN (0, 1)),
    default_project TEXT    NOT NULL REFERENCES projects (id),
    created_at      INTEGER NOT NULL,
    disabled_at     INTEGER
) STRICT, WITHOUT ROWID;

-- `secret` is the SHA-256 of the token: the token itself is kept nowhere.
CREATE TABLE tokens (
    id           TEXT    NOT NULL PRIMARY KEY,
    user_id      TEXT    NOT NULL REFERENCES users (id),
    name         TEXT    NOT NULL,
    secret       BLOB    NOT NULL UNIQUE,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER,
    last_used_at INTEGER,
    revoked_at   INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX tokens_by_user ON tokens (user_id);

-- `user_id` may be the local owner, who is no row of `users`.
CREATE TABLE members (
    project TEXT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    user_id TEXT NOT NULL,
    role    TEXT NOT NULL CHECK (role IN ('viewer', 'editor', 'owner')),
    PRIMARY KEY (project, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX members_by_user ON members (user_id);

-- `detail` is a JSON text. The name is kept beside the id: it is what people read, also when the user is gone.
CREATE TABLE audit_events (
    sequence  INTEGER PRIMARY KEY AUTOINCREMENT,
    at        INTEGER NOT NULL,
    user_id   TEXT    NOT NULL,
    user_name TEXT    NOT NULL,
    token_id  TEXT,
    action    TEXT    NOT NULL,
    target    TEXT    NOT NULL,
    detail    TEXT    NOT NULL
) STRICT;

-- `reference_count` is the number of rows in `blob_references`, kept here so that the decision to delete is one row's.
-- `unused_since` is when the last reference went, or the blob came. `deleting_until`: a sweep has claimed the deletion until then.
CREATE TABLE blobs (
    digest          BLOB    NOT NULL PRIMARY KEY,
    size            INTEGER NOT NULL,
    md5             BLOB    NOT NULL,
    state           TEXT    NOT NULL CHECK (state IN ('present', 'spooled', 'deleting')),
    reference_count INTEGER NOT NULL CHECK (reference_count >= 0),
    pinned_until    INTEGER NOT NULL,
    unused_since    INTEGER NOT NULL,
    deleting_until  INTEGER,
    created_at      INTEGER NOT NULL,
    verified_at     INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX blobs_unused ON blobs (unused_since) WHERE reference_count = 0;
CREATE INDEX blobs_spooled ON blobs (digest) WHERE state = 'spooled';

CREATE TABLE blob_references (
    kind    TEXT NOT NULL,
    project TEXT NOT NULL,
    record  TEXT NOT NULL,
    name    TEXT NOT NULL,
    digest  BLOB NOT NULL REFERENCES blobs (digest),
    PRIMARY KEY (kind, project, record, name, digest)
) STRICT, WITHOUT ROWID;
CREATE INDEX blob_references_by_digest ON blob_references (digest);

-- `params` and `result` are JSON texts; `progress` runs from 0 to 1; `attempt` is the fencing token of whoever runs it.
CREATE TABLE activities (
    id               TEXT    NOT NULL PRIMARY KEY,
    project          TEXT    NOT NULL REFERENCES projects (id),
    kind             TEXT    NOT NULL,
    agent            TEXT    NOT NULL,
    state            TEXT    NOT NULL,
    attempt          INTEGER NOT NULL,
    max_attempts     INTEGER NOT NULL,
    priority         INTEGER NOT NULL,
    params           TEXT    NOT NULL,
    result           TEXT,
    error            TEXT,
    progress         REAL    NOT NULL,
    message          TEXT,
    code_version     TEXT    NOT NULL,
    created_at       INTEGER NOT NULL,
    started_at       INTEGER,
    finished_at      INTEGER,
    run_after        INTEGER NOT NULL,
    heartbeat_at     INTEGER
) STRICT;
CREATE INDEX activities_by_project ON activities (project, id);
CREATE INDEX activities_by_state ON activities (state, run_after);

CREATE TABLE job_logs (
    activity TEXT    NOT NULL REFERENCES activities (id) ON DELETE CASCADE,
    sequence INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    level    TEXT    NOT NULL,
    text     TEXT    NOT NULL,
    PRIMARY KEY (activity, sequence)
) STRICT, WITHOUT ROWID;

-- What an activity used, and what it made. `kind` and `id` name a blob (its digest) or a record, in a project.
CREATE TABLE activity_inputs (
    activity TEXT NOT NULL REFERENCES activities (id) ON DELETE CASCADE,
    kind     TEXT NOT NULL,
    project  TEXT NOT NULL,
    id       TEXT NOT NULL,
    PRIMARY KEY (activity, kind, project, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX activity_inputs_by_entity ON activity_inputs (kind, project, id);

CREATE TABLE activity_outputs (
    activity TEXT NOT NULL REFERENCES activities (id) ON DELETE CASCADE,
    kind     TEXT NOT NULL,
    project  TEXT NOT NULL,
    id       TEXT NOT NULL,
    PRIMARY KEY (activity, kind, project, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX activity_outputs_by_entity ON activity_outputs (kind, project, id);
