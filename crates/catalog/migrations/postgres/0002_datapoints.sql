-- Datapoints: what instruments measured, as the exact JSON text that is answered.

-- `document` is the record; every other column is an index on it, or says how it came to be.
-- `sequence` is the order of insertion and is never given out again.
-- `label` holds the first 200 characters of the document's label, and '' for null: it narrows and sorts, it does not decide.
-- `instant` is `data_timestamp` as microseconds UTC (a timestamp without an offset is read in the server's time zone).
-- Text that is compared or sorted has the collation "C", so that its order is that of its bytes, as in SQLite and in the matcher.
CREATE TABLE datapoints (
    sequence       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project        text   COLLATE "C" NOT NULL REFERENCES projects (id),
    id             text   COLLATE "C" NOT NULL,
    label          text   COLLATE "C" NOT NULL,
    data_type      text   COLLATE "C" NOT NULL,
    data_timestamp text   COLLATE "C" NOT NULL,
    instant        bigint,
    document       text   NOT NULL,
    content_digest bytea  NOT NULL,
    agent          text   NOT NULL,
    created_at     bigint NOT NULL,
    deleted_at     bigint,
    UNIQUE (project, id)
);

-- Only what is not deleted is listed, so only that is indexed. Every index is paid for by every datapoint, so points in time are
-- found by their text, give or take a day.
CREATE INDEX datapoints_by_sequence ON datapoints (project, sequence) WHERE deleted_at IS NULL;
CREATE INDEX datapoints_by_timestamp ON datapoints (project, data_timestamp, sequence) WHERE deleted_at IS NULL;
CREATE INDEX datapoints_by_label ON datapoints (project, label, data_timestamp, sequence) WHERE deleted_at IS NULL;
CREATE INDEX datapoints_deleted ON datapoints (deleted_at) WHERE deleted_at IS NOT NULL;

-- The members of `ownership_info` that a datapoint has, but for `manager_id`: an index on the document, written and removed with it.
CREATE TABLE datapoint_owners (
    project  text   COLLATE "C" NOT NULL,
    field    text   COLLATE "C" NOT NULL,
    value    text   COLLATE "C" NOT NULL,
    sequence bigint NOT NULL,
    PRIMARY KEY (project, field, value, sequence)
);

-- The files of a datapoint. Position 0 is the one the contract's routes answer.
CREATE TABLE datapoint_files (
    project     text   COLLATE "C" NOT NULL,
    datapoint   text   COLLATE "C" NOT NULL,
    position    bigint NOT NULL,
    name        text   NOT NULL,
    digest      bytea  NOT NULL,
    size        bigint NOT NULL,
    media_type  text   NOT NULL,
    modified_at bigint NOT NULL,
    path        text   NOT NULL,
    PRIMARY KEY (project, datapoint, position),
    FOREIGN KEY (project, datapoint) REFERENCES datapoints (project, id) ON DELETE CASCADE
);

-- What the values under a label must look like (`schema`, a JSON Schema, whose `unit` keywords name the units of fields),
-- and the unit of the whole value.
CREATE TABLE datapoint_schemas (
    project    text   COLLATE "C" NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    label      text   COLLATE "C" NOT NULL,
    schema     text   NOT NULL,
    unit       text,
    agent      text   NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (project, label)
);
