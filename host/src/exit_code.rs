//! Vocabulary: the exit codes of every command, for scripts and service managers.

/// Everything was done, and every experiment succeeded.
pub const SUCCESS: u8 = 0;
/// The host itself failed: a fault of ours, or a machine that refuses to work.
pub const INTERNAL: u8 = 1;
/// The command line, the study file or a policy is wrong; nothing was started.
pub const USAGE: u8 = 2;
/// `probe`: the device is not usable; the line that was printed says why.
pub const PROBE_FAILED: u8 = 3;
/// `probe`: there is no CUDA to probe with: `EX_UNAVAILABLE` of <sysexits.h>.
pub const NO_CUDA: u8 = 69;
/// The journal cannot be read or written: `EX_IOERR` of <sysexits.h>.
pub const JOURNAL: u8 = 74;
/// The study was stopped before its end, and `resume` goes on: `EX_TEMPFAIL`
/// of <sysexits.h>, which systemd can be told to restart on.
pub const STOPPED: u8 = 75;
/// The study is complete, and experiments failed.
pub const EXPERIMENTS_FAILED: u8 = 100;
/// `exec`: the command was ended at a limit, as timeout(1) says it.
pub const TIMED_OUT: u8 = 124;
/// `exec`: the command could not be started, as shells say it.
pub const NOT_STARTED: u8 = 127;
/// A signal ended it: this plus the signal's number, as shells say it; 130
/// after SIGINT, 143 after SIGTERM.
pub const SIGNALLED: u8 = 128;
