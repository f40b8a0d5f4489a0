//! Jobs on both engines: each test of this suite runs on SQLite and on PostgreSQL.

#[cfg(test)]
mod cancelling;
#[cfg(test)]
mod child;
#[cfg(test)]
mod crashing;
#[cfg(test)]
mod enqueueing;
#[cfg(test)]
mod failing;
#[cfg(test)]
mod performing;
#[cfg(test)]
mod permissions;
#[cfg(test)]
mod reconciling;
#[cfg(test)]
mod running;
#[cfg(test)]
mod shutting_down;
#[cfg(test)]
mod support;
#[cfg(test)]
mod watching;
