//! How words of `holotype-core` look in the OpenAPI document: core itself knows nothing of HTTP.

use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{ArrayBuilder, Object, OneOfBuilder, Schema};

fn text(description: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).description(Some(description))
}

/// A ULID.
pub(crate) fn id() -> Object {
    text("A ULID: 26 characters of Crockford base 32.").pattern(Some("^[0-7][0-9A-HJKMNP-TV-Z]{25}$")).build()
}

/// A ULID or null.
pub(crate) fn optional_id() -> Schema {
    nullable(id())
}

/// A point in time.
pub(crate) fn instant() -> Object {
    text("RFC 3339, in UTC.").format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime))).build()
}

/// A point in time or null.
pub(crate) fn optional_instant() -> Schema {
    nullable(instant())
}

/// A SHA-256.
pub(crate) fn digest() -> Object {
    text("A SHA-256 in lower-case hexadecimal.").pattern(Some("^[0-9a-f]{64}$")).build()
}

/// A role on a project.
pub(crate) fn role() -> Object {
    text("What a user may do in a project.").enum_values(Some(["viewer", "editor", "owner"])).build()
}

/// A role on a project or null.
pub(crate) fn optional_role() -> Schema {
    nullable(role())
}

/// A way into a request: names of members and positions in arrays.
pub(crate) fn location() -> Schema {
    let step = OneOfBuilder::new()
        .item(ObjectBuilder::new().schema_type(Type::String))
        .item(ObjectBuilder::new().schema_type(Type::Integer));
    Schema::Array(ArrayBuilder::new().items(step).description(Some("The way to the fault in the request.")).build())
}

fn nullable(object: Object) -> Schema {
    Schema::OneOf(OneOfBuilder::new().item(ObjectBuilder::new().schema_type(Type::Null)).item(object).build())
}
