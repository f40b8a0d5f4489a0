//! Frames: what is known of each, found by it, and served in the shapes of an OCS science archive.
