//! Blobs on disk or S3, named by SHA-256: put, get, list, verify, delete.
