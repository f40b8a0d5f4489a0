//! Archives, from outside.

#[cfg(test)]
mod declared;
#[cfg(test)]
mod http;
#[cfg(test)]
mod local;
#[cfg(test)]
mod ocs;
