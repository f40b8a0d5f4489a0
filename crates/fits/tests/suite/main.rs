//! The room from outside: whole files, read, unpacked and written.

mod samples;
