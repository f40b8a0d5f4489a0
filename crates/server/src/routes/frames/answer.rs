//! Frames, versions and thumbnails as the archive answers them.

use holotype_app::archives::frames::{Frame, Thumbnail, Version};
use serde_json::{Map, Value, json};

use super::links::Links;

/// The names of before for the fields of now. Clients still read them.
const ALIASES: [(&str, &str); 14] = [
    ("DATE_OBS", "observation_date"),
    ("DAY_OBS", "observation_day"),
    ("PROPID", "proposal_id"),
    ("INSTRUME", "instrument_id"),
    ("OBJECT", "target_name"),
    ("RLEVEL", "reduction_level"),
    ("SITEID", "site_id"),
    ("TELID", "telescope_id"),
    ("EXPTIME", "exposure_time"),
    ("FILTER", "primary_optical_element"),
    ("L1PUBDAT", "public_date"),
    ("OBSTYPE", "configuration_type"),
    ("BLKUID", "observation_id"),
    ("REQNUM", "request_id"),
];

/// A frame as lists and its own address answer it: with the fields' names of before as well.
pub(super) fn frame(links: &Links, frame: &Frame) -> Value {
    let mut members = fields(frame);
    members.extend(files(links, frame));
    if let Some(thumbnails) = &frame.thumbnails {
        members.insert("thumbnails".to_owned(), thumbnails.iter().map(|one| thumbnail(links, one)).collect());
    }
    for (alias, name) in ALIASES {
        let value = members.get(name).cloned().unwrap_or_default();
        members.insert(alias.to_owned(), value);
    }
    members.extend(area(frame));
    members.extend(related(frame));
    members.into()
}

/// A frame as a relative of another is answered, and one that was described: with the fields' names of now alone.
pub(super) fn plain_frame(links: &Links, frame: &Frame) -> Value {
    let mut members = fields(frame);
    members.extend(area(frame));
    members.extend(related(frame));
    members.extend(files(links, frame));
    members.into()
}

fn fields(frame: &Frame) -> Map<String, Value> {
    let facts = &frame.facts;
    let pairs = [
        ("id", json!(frame.id.0)),
        ("basename", json!(facts.basename)),
        ("observation_date", json!(facts.observation_date)),
        ("observation_day", json!(facts.observation_day)),
        ("proposal_id", json!(facts.proposal_id)),
        ("instrument_id", json!(facts.instrument_id)),
        ("target_name", json!(facts.target_name)),
        ("reduction_level", json!(facts.reduction_level)),
        ("site_id", json!(facts.site_id)),
        ("telescope_id", json!(facts.telescope_id)),
        ("exposure_time", json!(facts.exposure_time)),
        ("primary_optical_element", json!(facts.primary_optical_element)),
        ("public_date", json!(facts.public_date)),
        ("configuration_type", json!(facts.configuration_type)),
        ("observation_id", json!(facts.observation_id)),
        ("request_id", json!(facts.request_id)),
    ];
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The versions, and the address and name of the newest.
fn files(links: &Links, frame: &Frame) -> Map<String, Value> {
    let name = |version: &Version| format!("{}{}", frame.facts.basename, version.extension);
    let versions: Vec<Value> = frame.versions.iter().map(|one| version(links, one, &name(one))).collect();
    let url = versions.first().map(|version| version["url"].clone()).unwrap_or_default();
    let file_name = frame.versions.first().map_or(Value::Null, |newest| name(newest).into());
    let pairs = [("version_set", versions.into()), ("url", url), ("filename", file_name)];
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn area(frame: &Frame) -> Option<(String, Value)> {
    let ring = frame.facts.area.as_ref()?;
    Some(("area".to_owned(), json!({"type": "Polygon", "coordinates": [ring]})))
}

fn related(frame: &Frame) -> Option<(String, Value)> {
    let related = frame.related.as_ref()?;
    Some(("related_frames".to_owned(), related.iter().map(|id| id.0).collect()))
}

/// A version; `file_name` is what its address ends in.
pub(super) fn version(links: &Links, version: &Version, file_name: &str) -> Value {
    json!({
        "id": version.id.0,
        "key": version.key(),
        "md5": version.md5_text(),
        "extension": version.extension,
        "url": links.version(version.frame, version.id, file_name),
        "created": version.created_at,
    })
}

/// A thumbnail.
pub(super) fn thumbnail(links: &Links, thumbnail: &Thumbnail) -> Value {
    json!({
        "id": thumbnail.id.0,
        "frame": thumbnail.frame.0,
        "frame_basename": thumbnail.basename,
        "size": thumbnail.size.name(),
        "key": thumbnail.key(),
        "md5": thumbnail.md5_text(),
        "extension": ".jpg",
        "filename": thumbnail.file_name(),
        "url": links.thumbnail(thumbnail),
        "created": thumbnail.created_at,
    })
}
