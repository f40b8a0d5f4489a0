//! Archives, from outside.

mod http;
mod local;
mod ocs;
