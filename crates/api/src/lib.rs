//! Wire types of the HTTP API, on both sides of it.
