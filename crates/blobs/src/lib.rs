//! Bytes and the facts about them, joined: pins, references, sweep, spool.
