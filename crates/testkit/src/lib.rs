//! For tests only: contract suites, throw-away S3 and PostgreSQL, strategies, fixtures.
