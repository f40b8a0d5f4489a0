//! Values and files from instruments, with owners and metadata, and queries over them.
