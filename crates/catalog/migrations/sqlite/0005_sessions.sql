-- Sessions: frames that somebody works on together, the operations on them, and what these made.

-- `input_data` is a list of frames as the client wrote it, as JSON.
CREATE TABLE sessions (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    project    TEXT    NOT NULL REFERENCES projects (id),
    owner      TEXT    NOT NULL,
    owner_name TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    input_data TEXT    NOT NULL,
    created    INTEGER NOT NULL,
    accessed   INTEGER NOT NULL,
    modified   INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_by_owner ON sessions (owner, modified, id);

-- What an operation makes of certain bytes with certain parameters. `key` is the SHA-256 of all of that, in hexadecimal: the same work
-- has one row, however many operations ask for it. `request` is what the key was made of, as JSON; no secrets. `activity` is the job
-- that does it, or did: how far that is, is read there. `output` is what has been made so far, and all of it once `finished_at` is set.
CREATE TABLE results (
    key         TEXT    NOT NULL PRIMARY KEY,
    project     TEXT    NOT NULL REFERENCES projects (id),
    agent       TEXT    NOT NULL,
    operation   TEXT    NOT NULL,
    request     TEXT    NOT NULL,
    activity    TEXT    REFERENCES activities (id),
    output      TEXT,
    created_at  INTEGER NOT NULL,
    finished_at INTEGER
) STRICT, WITHOUT ROWID;

-- The files of a result. The result holds their blobs.
CREATE TABLE result_files (
    result     TEXT    NOT NULL REFERENCES results (key),
    name       TEXT    NOT NULL,
    digest     BLOB    NOT NULL,
    size       INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (result, name)
) STRICT, WITHOUT ROWID;

-- Who asked for which result. `project` and `agent` are those of the session.
CREATE TABLE operations (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    session    INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    project    TEXT    NOT NULL,
    agent      TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    input_data TEXT    NOT NULL,
    result     TEXT    NOT NULL REFERENCES results (key),
    created    INTEGER NOT NULL
) STRICT;
CREATE INDEX operations_by_session ON operations (session, id);
CREATE INDEX operations_by_result ON operations (result);

-- The tokens with which users read other archives, encrypted under a key of the home. `user_id` may be the local owner.
CREATE TABLE archive_tokens (
    user_id    TEXT    NOT NULL,
    archive    TEXT    NOT NULL,
    ciphertext BLOB    NOT NULL,
    created    INTEGER NOT NULL,
    PRIMARY KEY (user_id, archive)
) STRICT, WITHOUT ROWID;

-- What a portal told of users.
CREATE TABLE profiles (
    user_id      TEXT    NOT NULL PRIMARY KEY REFERENCES users (id),
    first_name   TEXT    NOT NULL,
    last_name    TEXT    NOT NULL,
    email        TEXT    NOT NULL,
    staff_view   INTEGER NOT NULL CHECK (staff_view IN (0, 1)),
    is_staff     INTEGER NOT NULL CHECK (is_staff IN (0, 1)),
    is_superuser INTEGER NOT NULL CHECK (is_superuser IN (0, 1))
) STRICT, WITHOUT ROWID;

-- Frames of other archives whose bytes are in the store. `version` is what the archive names these bytes by. Nobody is given them without
-- having asked the archive for them: `input_grants` says whom it answered, and until when that counts.
CREATE TABLE input_cache (
    archive TEXT    NOT NULL,
    version TEXT    NOT NULL,
    name    TEXT    NOT NULL,
    digest  BLOB    NOT NULL,
    size    INTEGER NOT NULL,
    created INTEGER NOT NULL,
    used    INTEGER NOT NULL,
    PRIMARY KEY (archive, version)
) STRICT, WITHOUT ROWID;
CREATE INDEX input_cache_by_use ON input_cache (used);

CREATE TABLE input_grants (
    user_id   TEXT    NOT NULL,
    archive   TEXT    NOT NULL,
    basename  TEXT    NOT NULL,
    version   TEXT    NOT NULL,
    file_name TEXT    NOT NULL,
    until     INTEGER NOT NULL,
    PRIMARY KEY (user_id, archive, basename)
) STRICT, WITHOUT ROWID;
