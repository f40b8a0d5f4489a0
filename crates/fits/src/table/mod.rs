//! Tables.

pub(crate) mod form;
