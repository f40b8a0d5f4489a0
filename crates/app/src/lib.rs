//! The composition root: configuration to a running application, and its upkeep.
