//! The face
