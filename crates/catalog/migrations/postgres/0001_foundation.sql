-- The foundation: who may, what happened, which bytes are held for whom, and how things were made.

-- Instants are microseconds since 1970 UTC. Ids are ULIDs as text.
-- Text has the collation "C": it is compared and sorted by its bytes, as in SQLite.

CREATE TABLE projects (
    id         text COLLATE "C" NOT NULL PRIMARY KEY,
    name       text COLLATE "C" NOT NULL UNIQUE,
    created_at bigint           NOT NULL
);

-- `password` is an argon2id hash in its standard text form. A user is disabled, never deleted: records name them.
CREATE TABLE users (
    id              text COLLATE "C" NOT NULL PRIMARY KEY,
    name            text COLLATE "C" NOT NULL UNIQUE,
    password        text COLLATE "C",
    admin           boolean           NOT NULL,
    default_project text COLLATE "C" NOT NULL REFERENCES projects (id),
    created_at      bigint            NOT NULL,
    disabled_at     bigint
);

-- `secret` is the SHA-256 of the token: the token itself is kept nowhere.
CREATE TABLE tokens (
    id           text COLLATE "C" NOT NULL PRIMARY KEY,
    user_id      text COLLATE "C" NOT NULL REFERENCES users (id),
    name         text COLLATE "C" NOT NULL,
    secret       bytea            NOT NULL UNIQUE,
    created_at   bigint           NOT NULL,
    expires_at   bigint,
    last_used_at bigint,
    revoked_at   bigint
);
CREATE INDEX tokens_by_user ON tokens (user_id);

-- `user_id` may be the local owner, who is no row of `users`.
CREATE TABLE members (
    project text COLLATE "C" NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    user_id text COLLATE "C" NOT NULL,
    role    text COLLATE "C" NOT NULL CHECK (role IN ('viewer', 'editor', 'owner')),
    PRIMARY KEY (project, user_id)
);
CREATE INDEX members_by_user ON members (user_id);

-- `detail` is a JSON text. The name is kept beside the id: it is what people read, also when the user is gone.
CREATE TABLE audit_events (
    sequence  bigint            GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at        bigint            NOT NULL,
    user_id   text COLLATE "C" NOT NULL,
    user_name text COLLATE "C" NOT NULL,
    token_id  text COLLATE "C",
    action    text COLLATE "C" NOT NULL,
    target    text COLLATE "C" NOT NULL,
    detail    text COLLATE "C" NOT NULL
);

-- `reference_count` is the number of rows in `blob_references`, kept here so that the decision to delete is one row's.
-- `unused_since` is when the last reference went, or the blob came. `deleting_until`: a sweep has claimed the deletion until then.
CREATE TABLE blobs (
    digest          bytea            NOT NULL PRIMARY KEY,
    size            bigint           NOT NULL,
    md5             bytea            NOT NULL,
    state           text COLLATE "C" NOT NULL CHECK (state IN ('present', 'spooled', 'deleting')),
    reference_count bigint           NOT NULL CHECK (reference_count >= 0),
    pinned_until    bigint           NOT NULL,
    unused_since    bigint           NOT NULL,
    deleting_until  bigint,
    created_at      bigint           NOT NULL,
    verified_at     bigint
);
CREATE INDEX blobs_unused ON blobs (unused_since) WHERE reference_count = 0;
CREATE INDEX blobs_spooled ON blobs (digest) WHERE state = 'spooled';

CREATE TABLE blob_references (
    kind    text COLLATE "C" NOT NULL,
    project text COLLATE "C" NOT NULL,
    record  text COLLATE "C" NOT NULL,
    name    text COLLATE "C" NOT NULL,
    digest  bytea            NOT NULL REFERENCES blobs (digest),
    PRIMARY KEY (kind, project, record, name, digest)
);
CREATE INDEX blob_references_by_digest ON blob_references (digest);

-- `params` and `result` are JSON texts; `progress` runs from 0 to 1; `attempt` is the fencing token of whoever runs it.
CREATE TABLE activities (
    id               text COLLATE "C" NOT NULL PRIMARY KEY,
    project          text COLLATE "C" NOT NULL REFERENCES projects (id),
    kind             text COLLATE "C" NOT NULL,
    agent            text COLLATE "C" NOT NULL,
    state            text COLLATE "C" NOT NULL,
    attempt          bigint            NOT NULL,
    max_attempts     bigint            NOT NULL,
    priority         bigint            NOT NULL,
    params           text COLLATE "C" NOT NULL,
    result           text COLLATE "C",
    error            text COLLATE "C",
    progress         double precision  NOT NULL,
    message          text COLLATE "C",
    code_version     text COLLATE "C" NOT NULL,
    created_at       bigint            NOT NULL,
    started_at       bigint,
    finished_at      bigint,
    run_after        bigint            NOT NULL,
    heartbeat_at     bigint
);
CREATE INDEX activities_by_project ON activities (project, id);
CREATE INDEX activities_by_state ON activities (state, run_after);

CREATE TABLE job_logs (
    activity text COLLATE "C" NOT NULL REFERENCES activities (id) ON DELETE CASCADE,
    sequence bigint           NOT NULL,
    at       bigint           NOT NULL,
    level    text COLLATE "C" NOT NULL,
    text     text COLLATE "C" NOT NULL,
    PRIMARY KEY (activity, sequence)
);

-- What an activity used, and what it made. `kind` and `id` name a blob (its digest) or a record, in a project.
CREATE TABLE activity_inputs (
    activity text COLLATE "C" NOT NULL REFERENCES activities (id) ON DELETE CASCADE,
    kind     text COLLATE "C" NOT NULL,
    project  text COLLATE "C" NOT NULL,
    id       text COLLATE "C" NOT NULL,
    PRIMARY KEY (activity, kind, project, id)
);
CREATE INDEX activity_inputs_by_entity ON activity_inputs (kind, project, id);

CREATE TABLE activity_outputs (
    activity text COLLATE "C" NOT NULL REFERENCES activities (id) ON DELETE CASCADE,
    kind     text COLLATE "C" NOT NULL,
    project  text COLLATE "C" NOT NULL,
    id       text COLLATE "C" NOT NULL,
    PRIMARY KEY (activity, kind, project, id)
);
CREATE INDEX activity_outputs_by_entity ON activity_outputs (kind, project, id);
