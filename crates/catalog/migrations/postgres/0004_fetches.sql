-- Fetches: what was asked of online archives, what they listed, and what of it a reduction tree holds.

-- `id` is that of the activity that does it. `config` is the checked configuration as JSON: names of environment variables,
-- never what they hold. `tree` is the root of the sorted directories; `report` accounts for every frame, once it has ended.
CREATE TABLE fetches (
    id           text COLLATE "C" NOT NULL PRIMARY KEY REFERENCES activities (id),
    project      text COLLATE "C" NOT NULL REFERENCES projects (id),
    agent        text COLLATE "C" NOT NULL,
    name         text COLLATE "C" NOT NULL,
    tree         text COLLATE "C" NOT NULL,
    config       text COLLATE "C" NOT NULL,
    window_start bigint NOT NULL,
    window_end   bigint NOT NULL,
    created_at   bigint NOT NULL,
    report       text COLLATE "C",
    undone_at    bigint
);
CREATE INDEX fetches_by_project ON fetches (project, id);
CREATE INDEX fetches_by_tree ON fetches (tree);

-- Every frame that an archive listed for a fetch, in its order, and what became of it. `listing` is what the archive said,
-- without its addresses, as long as the frame is still to be fetched. `replaced` says what stood in its place before, as JSON.
CREATE TABLE fetch_frames (
    fetch_id     text COLLATE "C" NOT NULL REFERENCES fetches (id) ON DELETE CASCADE,
    position    bigint NOT NULL,
    archive     text COLLATE "C" NOT NULL,
    name        text COLLATE "C" NOT NULL,
    state       text COLLATE "C" NOT NULL,
    change      text COLLATE "C",
    checksum    text COLLATE "C",
    size        bigint,
    listing     text COLLATE "C",
    reason      text COLLATE "C",
    path        text COLLATE "C",
    transferred bigint NOT NULL,
    replaced    text COLLATE "C",
    changed_at  bigint NOT NULL,
    PRIMARY KEY (fetch_id, position),
    UNIQUE (fetch_id, archive, name)
);
CREATE INDEX fetch_frames_by_state ON fetch_frames (fetch_id, state, position);

-- What a tree holds of an archive's frames. `blob` is the frame as the archive stores it; `path` the file made of it, and
-- `stamp` that file's size and time, by which it is known whether somebody has changed it since.
CREATE TABLE held_frames (
    project     text COLLATE "C" NOT NULL REFERENCES projects (id),
    tree        text COLLATE "C" NOT NULL,
    archive     text COLLATE "C" NOT NULL,
    name        text COLLATE "C" NOT NULL,
    proposal    text COLLATE "C" NOT NULL,
    state       text COLLATE "C" NOT NULL,
    checksum    text COLLATE "C",
    version     text COLLATE "C",
    size        bigint,
    observed_at bigint,
    blob        bytea,
    path        text COLLATE "C",
    stamp       text COLLATE "C",
    fetch_id     text COLLATE "C" NOT NULL,
    seen        text COLLATE "C" NOT NULL,
    PRIMARY KEY (project, tree, archive, name)
);
CREATE INDEX held_frames_by_blob ON held_frames (project, archive, name);
CREATE INDEX held_frames_by_path ON held_frames (tree, path);

-- Fetches that are asked for by the clock.
CREATE TABLE fetch_schedules (
    id         text COLLATE "C" NOT NULL PRIMARY KEY,
    project    text COLLATE "C" NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    agent      text COLLATE "C" NOT NULL,
    name       text COLLATE "C" NOT NULL,
    request    text COLLATE "C" NOT NULL,
    cron       text COLLATE "C" NOT NULL,
    time_zone  text COLLATE "C" NOT NULL,
    next_at    bigint NOT NULL,
    last_fetch text COLLATE "C",
    created_at bigint NOT NULL,
    UNIQUE (project, name)
);
CREATE INDEX fetch_schedules_by_time ON fetch_schedules (next_at);
