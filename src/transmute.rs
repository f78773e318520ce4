//! TODO(transmute)
