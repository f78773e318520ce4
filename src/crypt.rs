//! TODO(crypt)
