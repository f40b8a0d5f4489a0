-- Fetches: what was asked of online archives, what they listed, and what of it a reduction tree holds.

-- `id` is that of the activity that does it. `config` is the checked configuration as JSON: names of environment variables,
-- never what they hold. `tree` is the root of the sorted directories; `report` accounts for every frame, once it has ended.
CREATE TABLE fetches (
    id           TEXT    NOT NULL PRIMARY KEY REFERENCES activities (id),
    project      TEXT    NOT NULL REFERENCES projects (id),
    agent        TEXT    NOT NULL,
    name         TEXT    NOT NULL,
    tree         TEXT    NOT NULL,
    config       TEXT    NOT NULL,
    window_start INTEGER NOT NULL,
    window_end   INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    report       TEXT,
    undone_at    INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX fetches_by_project ON fetches (project, id);
CREATE INDEX fetches_by_tree ON fetches (tree);

-- Every frame that an archive listed for a fetch, in its order, and what became of it. `listing` is what the archive said,
-- without its addresses, as long as the frame is still to be fetched. `replaced` says what stood in its place before, as JSON.
CREATE TABLE fetch_frames (
    fetch_id     TEXT    NOT NULL REFERENCES fetches (id) ON DELETE CASCADE,
    position    INTEGER NOT NULL,
    archive     TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    state       TEXT    NOT NULL,
    change      TEXT,
    checksum    TEXT,
    size        INTEGER,
    listing     TEXT,
    reason      TEXT,
    path        TEXT,
    transferred INTEGER NOT NULL,
    replaced    TEXT,
    changed_at  INTEGER NOT NULL,
    PRIMARY KEY (fetch_id, position),
    UNIQUE (fetch_id, archive, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX fetch_frames_by_state ON fetch_frames (fetch_id, state, position);

-- What a tree holds of an archive's frames. `blob` is the frame as the archive stores it; `path` the file made of it, and
-- `stamp` that file's size and time, by which it is known whether somebody has changed it since.
CREATE TABLE held_frames (
    project     TEXT    NOT NULL REFERENCES projects (id),
    tree        TEXT    NOT NULL,
    archive     TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    proposal    TEXT    NOT NULL,
    state       TEXT    NOT NULL,
    checksum    TEXT,
    version     TEXT,
    size        INTEGER,
    observed_at INTEGER,
    blob        BLOB,
    path        TEXT,
    stamp       TEXT,
    fetch_id     TEXT    NOT NULL,
    seen        TEXT    NOT NULL,
    PRIMARY KEY (project, tree, archive, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX held_frames_by_blob ON held_frames (project, archive, name);
CREATE INDEX held_frames_by_path ON held_frames (tree, path);

-- Fetches that are asked for by the clock.
CREATE TABLE fetch_schedules (
    id         TEXT    NOT NULL PRIMARY KEY,
    project    TEXT    NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    agent      TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    request    TEXT    NOT NULL,
    cron       TEXT    NOT NULL,
    time_zone  TEXT    NOT NULL,
    next_at    INTEGER NOT NULL,
    last_fetch TEXT,
    created_at INTEGER NOT NULL,
    UNIQUE (project, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX fetch_schedules_by_time ON fetch_schedules (next_at);
