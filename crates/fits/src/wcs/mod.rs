//! From pixels to the sky and back.
