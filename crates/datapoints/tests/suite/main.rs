//! What datapoints promise, on both engines.

#[cfg(test)]
mod access;
#[cfg(test)]
mod batches;
#[cfg(test)]
mod bench;
#[cfg(test)]
mod buckets;
#[cfg(test)]
mod deletion;
#[cfg(test)]
mod differential;
#[cfg(test)]
mod exports;
#[cfg(test)]
mod imports;
#[cfg(test)]
mod lists;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod recorded;
#[cfg(test)]
mod schemas;
#[cfg(test)]
mod submissions;
#[cfg(test)]
mod tails;
#[cfg(test)]
mod together;
#[cfg(test)]
mod values;
