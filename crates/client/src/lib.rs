//! A typed client of the HTTP API over a socket, a Unix socket or in process.
