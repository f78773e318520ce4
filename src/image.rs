//! TODO(image)
