//! TODO(codex)
