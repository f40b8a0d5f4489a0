//! One folder per noun, one file per verb.

pub(crate) mod archive;
pub(crate) mod completion;
pub(crate) mod config;
pub(crate) mod database;
pub(crate) mod datapoint;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod fits;
pub(crate) mod init;
pub(crate) mod job;
pub(crate) mod lineage;
pub(crate) mod operation;
pub(crate) mod project;
pub(crate) mod serve;
pub(crate) mod session;
pub(crate) mod store;
pub(crate) mod token;
pub(crate) mod user;
pub(crate) mod worker;
