//! Archives to fetch from: what they list, and where its bytes are.
