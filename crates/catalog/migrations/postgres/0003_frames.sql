-- Frames: what telescopes observed, found by their metadata and served as an archive.

-- A frame is known by its name without extension, in its project; its `id` is never given out again.
-- `area` is a closed ring of [right ascension, declination] in degrees, as JSON; `west` to `north` are the limits of what it encloses, in
-- degrees: they narrow a search on the sky, they do not decide. `west` is within -180 to 180, and `east` follows from it without a jump.
-- `target_folded` is the target's name in small letters without accents: it is searched, not answered.
-- `public_date` is when everybody may see the frame; without it only members of the project may.
CREATE TABLE frames (
    id                      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project                 text COLLATE "C" NOT NULL REFERENCES projects (id),
    basename                text COLLATE "C" NOT NULL,
    observation_date        bigint,
    observation_day         text COLLATE "C",
    proposal_id             text COLLATE "C",
    instrument_id           text COLLATE "C",
    target_name             text COLLATE "C",
    target_folded           text COLLATE "C",
    site_id                 text COLLATE "C",
    telescope_id            text COLLATE "C",
    primary_optical_element text COLLATE "C",
    configuration_type      text COLLATE "C",
    submitter               text COLLATE "C",
    reduction_level         bigint,
    exposure_time           double precision,
    public_date             bigint,
    observation_id          bigint,
    request_id              bigint,
    area                    text COLLATE "C",
    west                    double precision,
    east                    double precision,
    south                   double precision,
    north                   double precision,
    agent                   text COLLATE "C" NOT NULL,
    created_at              bigint NOT NULL,
    UNIQUE (project, basename)
);
CREATE INDEX frames_by_date ON frames (observation_date DESC NULLS LAST, id DESC);
CREATE INDEX frames_by_proposal ON frames (proposal_id, observation_date DESC NULLS LAST, id DESC);
CREATE INDEX frames_by_request ON frames (request_id);
CREATE INDEX frames_by_basename ON frames (basename);

-- The keywords of a frame's newest version, as a JSON object. They are many, and searched by nobody: apart, they are in no search's way.
CREATE TABLE frame_headers (
    frame   bigint NOT NULL PRIMARY KEY REFERENCES frames (id),
    headers text COLLATE "C" NOT NULL
);

-- The bytes of a frame, as they came, one row for each time they changed; the greatest `id` is the newest.
CREATE TABLE frame_versions (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    frame      bigint NOT NULL REFERENCES frames (id),
    digest     bytea   NOT NULL,
    md5        bytea   NOT NULL,
    size       bigint NOT NULL,
    extension  text COLLATE "C" NOT NULL,
    agent      text COLLATE "C" NOT NULL,
    created_at bigint NOT NULL
);
CREATE INDEX frame_versions_by_frame ON frame_versions (frame, id);
CREATE INDEX frame_versions_by_md5 ON frame_versions (md5);

-- Frames that a frame says it was made from or with, by their names: they may come later, or never.
CREATE TABLE frame_relations (
    frame   bigint NOT NULL REFERENCES frames (id),
    related text COLLATE "C" NOT NULL,
    PRIMARY KEY (frame, related)
);
CREATE INDEX frame_relations_by_name ON frame_relations (related);

-- Small pictures of versions.
CREATE TABLE frame_thumbnails (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    version    bigint NOT NULL REFERENCES frame_versions (id),
    size       text COLLATE "C" NOT NULL,
    digest     bytea   NOT NULL,
    md5        bytea   NOT NULL,
    bytes      bigint NOT NULL,
    created_at bigint NOT NULL,
    UNIQUE (version, size)
);
