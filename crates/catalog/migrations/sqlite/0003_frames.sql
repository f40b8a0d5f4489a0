-- Frames: what telescopes observed, found by their metadata and served as an archive.

-- A frame is known by its name without extension, in its project; its `id` is never given out again.
-- `area` is a closed ring of [right ascension, declination] in degrees, as JSON; `west` to `north` are the limits of what it encloses, in
-- degrees: they narrow a search on the sky, they do not decide. `west` is within -180 to 180, and `east` follows from it without a jump.
-- `target_folded` is the target's name in small letters without accents: it is searched, not answered.
-- `public_date` is when everybody may see the frame; without it only members of the project may.
CREATE TABLE frames (
    id                      INTEGER PRIMARY KEY AUTOINCREMENT,
    project                 TEXT    NOT NULL REFERENCES projects (id),
    basename                TEXT    NOT NULL,
    observation_date        INTEGER,
    observation_day         TEXT,
    proposal_id             TEXT,
    instrument_id           TEXT,
    target_name             TEXT,
    target_folded           TEXT,
    site_id                 TEXT,
    telescope_id            TEXT,
    primary_optical_element TEXT,
    configuration_type      TEXT,
    submitter               TEXT,
    reduction_level         INTEGER,
    exposure_time           REAL,
    public_date             INTEGER,
    observation_id          INTEGER,
    request_id              INTEGER,
    area                    TEXT,
    west                    REAL,
    east                    REAL,
    south                   REAL,
    north                   REAL,
    agent                   TEXT    NOT NULL,
    created_at              INTEGER NOT NULL,
    UNIQUE (project, basename)
) STRICT;
CREATE INDEX frames_by_date ON frames (observation_date, id);
CREATE INDEX frames_by_proposal ON frames (proposal_id, observation_date, id);
CREATE INDEX frames_by_request ON frames (request_id);
CREATE INDEX frames_by_basename ON frames (basename);

-- The keywords of a frame's newest version, as a JSON object. They are many, and searched by nobody: apart, they are in no search's way.
CREATE TABLE frame_headers (
    frame   INTEGER NOT NULL PRIMARY KEY REFERENCES frames (id),
    headers TEXT NOT NULL
) STRICT;

-- The bytes of a frame, as they came, one row for each time they changed; the greatest `id` is the newest.
CREATE TABLE frame_versions (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    frame      INTEGER NOT NULL REFERENCES frames (id),
    digest     BLOB    NOT NULL,
    md5        BLOB    NOT NULL,
    size       INTEGER NOT NULL,
    extension  TEXT    NOT NULL,
    agent      TEXT    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX frame_versions_by_frame ON frame_versions (frame, id);
CREATE INDEX frame_versions_by_md5 ON frame_versions (md5);

-- Frames that a frame says it was made from or with, by their names: they may come later, or never.
CREATE TABLE frame_relations (
    frame   INTEGER NOT NULL REFERENCES frames (id),
    related TEXT    NOT NULL,
    PRIMARY KEY (frame, related)
) STRICT, WITHOUT ROWID;
CREATE INDEX frame_relations_by_name ON frame_relations (related);

-- Small pictures of versions.
CREATE TABLE frame_thumbnails (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    version    INTEGER NOT NULL REFERENCES frame_versions (id),
    size       TEXT    NOT NULL,
    digest     BLOB    NOT NULL,
    md5        BLOB    NOT NULL,
    bytes      INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (version, size)
) STRICT;
