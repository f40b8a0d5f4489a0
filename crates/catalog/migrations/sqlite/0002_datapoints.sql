-- Datapoints: what instruments measured, as the exact JSON text that is answered.

-- `document` is the record; every other column is an index on it, or says how it came to be.
-- `sequence` is the order of insertion and is never given out again.
-- `label` holds the first 200 characters of the document's label, and '' for null: it narrows and sorts, it does not decide.
-- `instant` is `data_timestamp` as microseconds UTC (a timestamp without an offset is read in the server's time zone).
CREATE TABLE datapoints (
    sequence       INTEGER PRIMARY KEY AUTOINCREMENT,
    project        TEXT    NOT NULL REFERENCES projects (id),
    id             TEXT    NOT NULL,
    label          TEXT    NOT NULL,
    data_type      TEXT    NOT NULL,
    data_timestamp TEXT    NOT NULL,
    instant        INTEGER,
    document       TEXT    NOT NULL,
    content_digest BLOB    NOT NULL,
    agent          TEXT    NOT NULL,
    created_at     INTEGER NOT NULL,
    deleted_at     INTEGER,
    UNIQUE (project, id)
) STRICT;

-- Only what is not deleted is listed, so only that is indexed. Every index is paid for by every datapoint, so points in time are
-- found by their text, give or take a day.
CREATE INDEX datapoints_by_sequence ON datapoints (project, sequence) WHERE deleted_at IS NULL;
CREATE INDEX datapoints_by_timestamp ON datapoints (project, data_timestamp, sequence) WHERE deleted_at IS NULL;
CREATE INDEX datapoints_by_label ON datapoints (project, label, data_timestamp, sequence) WHERE deleted_at IS NULL;
CREATE INDEX datapoints_deleted ON datapoints (deleted_at) WHERE deleted_at IS NOT NULL;

-- The members of `ownership_info` that a datapoint has, but for `manager_id`: an index on the document, written and removed with it.
CREATE TABLE datapoint_owners (
    project  TEXT    NOT NULL,
    field    TEXT    NOT NULL,
    value    TEXT    NOT NULL,
    sequence INTEGER NOT NULL,
    PRIMARY KEY (project, field, value, sequence)
) STRICT, WITHOUT ROWID;

-- The files of a datapoint. Position 0 is the one the contract's routes answer.
CREATE TABLE datapoint_files (
    project     TEXT    NOT NULL,
    datapoint   TEXT    NOT NULL,
    position    INTEGER NOT NULL,
    name        TEXT    NOT NULL,
    digest      BLOB    NOT NULL,
    size        INTEGER NOT NULL,
    media_type  TEXT    NOT NULL,
    modified_at INTEGER NOT NULL,
    path        TEXT    NOT NULL,
    PRIMARY KEY (project, datapoint, position),
    FOREIGN KEY (project, datapoint) REFERENCES datapoints (project, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- What the values under a label must look like (`schema`, a JSON Schema, whose `unit` keywords name the units of fields),
-- and the unit of the whole value.
CREATE TABLE datapoint_schemas (
    project    TEXT    NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    label      TEXT    NOT NULL,
    schema     TEXT    NOT NULL,
    unit       TEXT,
    agent      TEXT    NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (project, label)
) STRICT, WITHOUT ROWID;
