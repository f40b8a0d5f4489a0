//! The database, SQLite or PostgreSQL: transactions, migrations, principals, blob references, lineage, audit.
