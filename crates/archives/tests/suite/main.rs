//! What archives promise, on both engines, and what they stand from the archives of others.

#[cfg(test)]
mod bench;
#[cfg(test)]
mod declared;
#[cfg(test)]
mod finding;
#[cfg(test)]
mod http;
#[cfg(test)]
mod keeping;
#[cfg(test)]
mod local;
#[cfg(test)]
mod ocs;
#[cfg(test)]
mod remote;
#[cfg(test)]
mod scheduling;
#[cfg(test)]
mod seeing;
#[cfg(test)]
mod tabling;
#[cfg(test)]
mod zipping;
