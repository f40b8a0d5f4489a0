-- Sessions: frames that somebody works on together, the operations on them, and what these made.

-- `input_data` is a list of frames as the client wrote it, as JSON.
CREATE TABLE sessions (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project    text COLLATE "C" NOT NULL REFERENCES projects (id),
    owner      text COLLATE "C" NOT NULL,
    owner_name text COLLATE "C" NOT NULL,
    name       text COLLATE "C" NOT NULL,
    input_data text COLLATE "C" NOT NULL,
    created    bigint NOT NULL,
    accessed   bigint NOT NULL,
    modified   bigint NOT NULL
);
CREATE INDEX sessions_by_owner ON sessions (owner, modified, id);

-- What an operation makes of certain bytes with certain parameters. `key` is the SHA-256 of all of that, in hexadecimal: the same work
-- has one row, however many operations ask for it. `request` is what the key was made of, as JSON; no secrets. `activity` is the job
-- that does it, or did: how far that is, is read there. `output` is what has been made so far, and all of it once `finished_at` is set.
CREATE TABLE results (
    key         text COLLATE "C" NOT NULL PRIMARY KEY,
    project     text COLLATE "C" NOT NULL REFERENCES projects (id),
    agent       text COLLATE "C" NOT NULL,
    operation   text COLLATE "C" NOT NULL,
    request     text COLLATE "C" NOT NULL,
    activity    text COLLATE "C" REFERENCES activities (id),
    output      text COLLATE "C",
    created_at  bigint NOT NULL,
    finished_at bigint
);

-- The files of a result. The result holds their blobs.
CREATE TABLE result_files (
    result     text COLLATE "C" NOT NULL REFERENCES results (key),
    name       text COLLATE "C" NOT NULL,
    digest     bytea NOT NULL,
    size       bigint NOT NULL,
    created_at bigint NOT NULL,
    PRIMARY KEY (result, name)
);

-- Who asked for which result. `project` and `agent` are those of the session.
CREATE TABLE operations (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    session    bigint NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    project    text COLLATE "C" NOT NULL,
    agent      text COLLATE "C" NOT NULL,
    name       text COLLATE "C" NOT NULL,
    input_data text COLLATE "C" NOT NULL,
    result     text COLLATE "C" NOT NULL REFERENCES results (key),
    created    bigint NOT NULL
);
CREATE INDEX operations_by_session ON operations (session, id);
CREATE INDEX operations_by_result ON operations (result);

-- The tokens with which users read other archives, encrypted under a key of the home. `user_id` may be the local owner.
CREATE TABLE archive_tokens (
    user_id    text COLLATE "C" NOT NULL,
    archive    text COLLATE "C" NOT NULL,
    ciphertext bytea NOT NULL,
    created    bigint NOT NULL,
    PRIMARY KEY (user_id, archive)
);

-- What a portal told of users.
CREATE TABLE profiles (
    user_id      text COLLATE "C" NOT NULL PRIMARY KEY REFERENCES users (id),
    first_name   text COLLATE "C" NOT NULL,
    last_name    text COLLATE "C" NOT NULL,
    email        text COLLATE "C" NOT NULL,
    staff_view   boolean NOT NULL,
    is_staff     boolean NOT NULL,
    is_superuser boolean NOT NULL
);

-- Frames of other archives whose bytes are in the store. `version` is what the archive names these bytes by. Nobody is given them without
-- having asked the archive for them: `input_grants` says whom it answered, and until when that counts.
CREATE TABLE input_cache (
    archive text COLLATE "C" NOT NULL,
    version text COLLATE "C" NOT NULL,
    name    text COLLATE "C" NOT NULL,
    digest  bytea NOT NULL,
    size    bigint NOT NULL,
    created bigint NOT NULL,
    used    bigint NOT NULL,
    PRIMARY KEY (archive, version)
);
CREATE INDEX input_cache_by_use ON input_cache (used);

CREATE TABLE input_grants (
    user_id   text COLLATE "C" NOT NULL,
    archive   text COLLATE "C" NOT NULL,
    basename  text COLLATE "C" NOT NULL,
    version   text COLLATE "C" NOT NULL,
    file_name text COLLATE "C" NOT NULL,
    until     bigint NOT NULL,
    PRIMARY KEY (user_id, archive, basename)
);
