//! Hand-made packets.
