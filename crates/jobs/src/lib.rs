//! Activities as durable jobs: enqueue in a transaction, progress, logs, cancel, retry.
