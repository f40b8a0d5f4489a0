-- Fetches: what was asked of online archives, what they listed, and what of it a reduction tree holds.

-- `id` is that of the activity that does it. `config` is the checked configuration as JSON: names of environment variables,
-- never what they hold. `tree` is the root of the sorted directories.
CREATE TABLE fetches (
    id           text   NOT NULL PRIMARY KEY REFERENCES activities (id),
    project      text   NOT NULL REFERENCES projects (id),
    agent        text   NOT NULL,
    name         text   NOT NULL,
    tree         text   NOT NULL,
    config       text   NOT NULL,
    window_start bigint NOT NULL,
    window_end   bigint NOT NULL,
    created_at   bigint NOT NULL,
    undone_at    bigint
);
CREATE INDEX fetches_by_project ON fetches (project, id);
CREATE INDEX fetches_by_tree ON fetches (tree);

-- Every frame that an archive listed for a fetch, in its order, and what became of it. `listing` is what the archive said,
-- without its addresses, as long as the frame is still to be fetched. `replaced` says what stood in its place before, as JSON.
CREATE TABLE fetch_frames (
    fetch_id     text   NOT NULL REFERENCES fetches (id) ON DELETE CASCADE,
    position    bigint NOT NULL,
    archive     text   NOT NULL,
    name        text   NOT NULL,
    state       text   NOT NULL,
    change      text,
    checksum    text,
    size        bigint,
    listing     text,
    reason      text,
    path        text,
    transferred bigint NOT NULL,
    replaced    text,
    changed_at  bigint NOT NULL,
    PRIMARY KEY (fetch_id, position),
    UNIQUE (fetch_id, archive, name)
);
CREATE INDEX fetch_frames_by_state ON fetch_frames (fetch_id, state, position);

-- What a tree holds of an archive's frames. `blob` is the frame as the archive stores it; `path` the file made of it, and
-- `stamp` that file's size and time, by which it is known whether somebody has changed it since.
CREATE TABLE held_frames (
    project     text   NOT NULL REFERENCES projects (id),
    tree        text   NOT NULL,
    archive     text   NOT NULL,
    name        text   NOT NULL,
    proposal    text   NOT NULL,
    state       text   NOT NULL,
    checksum    text,
    version     text,
    size        bigint,
    observed_at bigint,
    blob        bytea,
    path        text,
    stamp       text,
    fetch_id     text   NOT NULL,
    seen        text   NOT NULL,
    PRIMARY KEY (project, tree, archive, name)
);
CREATE INDEX held_frames_by_blob ON held_frames (project, archive, name);
CREATE INDEX held_frames_by_path ON held_frames (tree, path);

-- Fetches that are asked for by the clock.
CREATE TABLE fetch_schedules (
    id         text   NOT NULL PRIMARY KEY,
    project    text   NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    agent      text   NOT NULL,
    name       text   NOT NULL,
    request    text   NOT NULL,
    cron       text   NOT NULL,
    time_zone  text   NOT NULL,
    next_at    bigint NOT NULL,
    last_fetch text,
    created_at bigint NOT NULL,
    UNIQUE (project, name)
);
CREATE INDEX fetch_schedules_by_time ON fetch_schedules (next_at);
