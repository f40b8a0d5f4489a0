//! The stretch from pixels to grey levels, and small pictures.
