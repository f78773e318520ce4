//! TODO(forge)
