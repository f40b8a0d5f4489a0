//! What a composed application promises, on both engines.

#[cfg(test)]
mod backups;
#[cfg(test)]
mod demonstration;
#[cfg(test)]
mod examining;
#[cfg(test)]
mod installation;
#[cfg(test)]
mod migrating;
#[cfg(test)]
mod opening;
#[cfg(test)]
mod restoring;
#[cfg(test)]
mod upkeep;
