//! A seed in, labelled packets out.
//!
//! *Takes* a scenario and a seed.
//! *Gives* packets as a pcap file, with the truth about every flow beside it.
//! *Never* reads a clock or draws chance that the seed did not give.
//! *Start at* `scenario`.
