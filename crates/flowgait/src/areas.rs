//! How many areas the system's allocator keeps.
//!
//! glibc gives threads areas of their own, up to eight a core, and buffers of megabytes that one thread makes and another gives back leave
//! holes in each: a service of days grows though it keeps nothing. Two areas stay small; a program that computes on all cores for a while
//! is better off with many (decision 0013).

/// What tells glibc, at its start and never later (`mallopt(3)`).
pub const VARIABLE: &str = "MALLOC_ARENA_MAX";

/// Begins this program anew with two areas, where nobody has said how many; the process stays the same one.
pub fn limit() {
    if !cfg!(all(target_os = "linux", target_env = "gnu")) || std::env::var_os(VARIABLE).is_some() {
        return;
    }
    let Ok(program) = std::env::current_exe() else { return };
    let mut again = std::process::Command::new(program);
    again.args(std::env::args_os().skip(1)).env(VARIABLE, "2");
    // It only comes back when it could not be done, and then all works as well, but larger.
    let _ = std::os::unix::process::CommandExt::exec(&mut again);
}
