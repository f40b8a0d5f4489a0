//! Fetches: plan, transfer, verify, unpack, sort, configure, report.
