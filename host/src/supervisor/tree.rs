//! All that descends from a supervisor: started, listened to, ended.
//!
//! Waits in one poll(2) for whatever comes first: output, an end, a request of
//! the host, a moment. Nothing is asked again and again. Knows no limits of an
//! attempt: see `child`.

use std::collections::{HashMap, HashSet};
use std::io;
use std::time::{Duration, Instant};

use nix::sys::signal::{SigSet, Signal as NixSignal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Signal, WaitStatus};

use crate::clock::monotonic as now;
use crate::process::{ControlGroup, Ours, Spawn, SpawnError, adopt_orphans, ours, reap};

use super::output::Output;
use super::shared_memory::Seen;

/// What a supervisor may be sent. Whoever starts it has them blocked, so that
/// none comes before it can be taken. A hang-up is no request: the supervisor
/// outlives its terminal.
pub(crate) const REQUESTS: [NixSignal; 3] = [NixSignal::SIGTERM, NixSignal::SIGINT, NixSignal::SIGHUP];

/// How often a tree that is being ended is looked at again: a process that
/// forks while it is walked may be missed once.
pub(super) const SWEEP_AGAIN: Duration = Duration::from_millis(20);

/// How long a killed process may take to end. One that a driver holds in the
/// kernel ends when that lets go: calls have been seen to block for 45 s behind
/// a driver's timeout (NVIDIA/open-gpu-kernel-modules#446), or for good (#1333).
const KILLED_ENDS_WITHIN: Duration = Duration::from_secs(120);

/// What the host asks for, by signal: SIGTERM to end politely, SIGINT at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wish {
    GoOn,
    End,
    EndAtOnce,
}

/// A tree that is being ended.
struct Closing {
    kill_at: Instant,
    killed_at: Option<Instant>,
    /// Those that have had their termination signal, by PID and start time.
    asked: HashSet<(i32, u64)>,
}

/// The descendants of this process, and what an earlier supervisor left.
pub(super) struct Tree {
    signals: SignalFd,
    pub(super) wish: Wish,
    /// Those that were started here, and how and when they ended.
    started: HashMap<i32, Option<(WaitStatus, Instant)>>,
    outputs: Vec<Output>,
    closing: Option<Closing>,
    leftovers: usize,
    /// Where what is started here belongs, where there is one.
    group: Option<ControlGroup>,
    /// What carries this token is ours too.
    token: Option<String>,
    /// Whether something has not ended although it was killed.
    stuck: bool,
    /// What its processes were seen to use of it.
    pub(super) shared_memory: Seen,
    /// The sessions of those that [`Self::run_all`] runs now: they are no leftovers.
    helpers: Vec<i32>,
}

/// What has happened since it was last looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct News {
    pub(super) output: bool,
    /// Whether any descendant is left.
    pub(super) left: bool,
}

impl Tree {
    /// From here on the host's requests are taken, and this process's orphans.
    /// With a token, what an earlier supervisor of the attempt started is ours too.
    pub(super) fn new(token: Option<String>, group: Option<ControlGroup>) -> io::Result<Self> {
        let handled: SigSet = REQUESTS.into_iter().chain([NixSignal::SIGCHLD]).collect();
        handled.thread_block()?;
        let signals = SignalFd::with_flags(&handled, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
        adopt_orphans()?;
        Ok(Self {
            signals,
            wish: Wish::GoOn,
            started: HashMap::new(),
            outputs: Vec::new(),
            closing: None,
            leftovers: 0,
            group,
            token,
            stuck: false,
            shared_memory: Seen::default(),
            helpers: Vec::new(),
        })
    }

    /// Starts a process, whose end will be noted.
    pub(super) fn start(&mut self, spawn: &Spawn<'_>) -> Result<i32, SpawnError> {
        let start = || spawn.start();
        let pid = self.group.as_ref().map_or_else(start, |group| group.start(start))?;
        self.started.insert(pid, None);
        Ok(pid)
    }

    /// Listens to a stream from here on, beside those before it.
    pub(super) fn listen(&mut self, output: Output) {
        self.outputs.push(output);
    }

    /// The ends of the streams that are listened to, in the order they came.
    pub(super) fn tails(&self) -> Vec<String> {
        self.outputs.iter().map(Output::tail).collect()
    }

    /// How much of the beginnings of the streams is in no file any more.
    pub(super) fn dropped_bytes(&self) -> u64 {
        self.outputs.iter().map(Output::dropped_bytes).sum()
    }

    /// How and when a process that was started here has ended.
    pub(super) fn end_of(&self, pid: i32) -> Option<(WaitStatus, Instant)> {
        self.started.get(&pid).copied().flatten()
    }

    /// Waits for the next thing to happen, at most until then, and takes in all that has.
    pub(super) fn next(&mut self, until: Option<Instant>) -> io::Result<News> {
        let mut fds = vec![PollFd::new(&self.signals, PollFlags::IN)];
        fds.extend(
            self.outputs
                .iter()
                .filter_map(Output::pipe)
                .map(|pipe| PollFd::from_borrowed_fd(pipe, PollFlags::IN)),
        );
        let timeout = until.map(|at| {
            let left = at.saturating_duration_since(now());
            Timespec {
                tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
                tv_nsec: left.subsec_nanos().into(),
            }
        });
        match poll(&mut fds, timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        let mut output = self.take_in();
        self.take_requests();
        // Every descendant is, or becomes, a child of this subreaper.
        let started = &mut self.started;
        let left = reap(|pid, status| {
            if let Some(end) = started.get_mut(&pid) {
                *end = Some((status, now()));
            }
        });
        if !left {
            output |= self.take_in();
        }
        if self.closing.is_some() {
            self.sweep();
        }
        Ok(News { output, left })
    }

    fn take_in(&mut self) -> bool {
        self.outputs.iter_mut().fold(false, |any, output| any | output.take_in())
    }

    fn take_requests(&mut self) {
        while let Ok(Some(request)) = self.signals.read_signal() {
            let number = i32::try_from(request.ssi_signo).unwrap_or_default();
            let wish = match number {
                _ if number == NixSignal::SIGTERM as i32 => Wish::End,
                _ if number == NixSignal::SIGINT as i32 => Wish::EndAtOnce,
                _ => Wish::GoOn,
            };
            self.wish = self.wish.max(wish);
        }
    }

    /// Looks at what its processes use of the machine's shared memory.
    pub(super) fn look(&mut self) {
        for process in ours(self.token.as_deref()) {
            self.shared_memory.look(process.pid);
        }
    }

    /// Begins to end all of it: a termination signal, this grace, then a kill.
    pub(super) fn close(&mut self, grace: Duration) {
        self.closing.get_or_insert_with(|| Closing {
            kill_at: now() + grace,
            killed_at: None,
            asked: HashSet::new(),
        });
        self.sweep();
    }

    pub(super) fn is_closing(&self) -> bool {
        self.closing.is_some()
    }

    /// Sends each of them the termination signal once, and the kill once it is time.
    fn sweep(&mut self) {
        let Some(closing) = &mut self.closing else { return };
        let kill = self.wish == Wish::EndAtOnce || now() >= closing.kill_at;
        if kill {
            closing.killed_at.get_or_insert_with(now);
            if let Some(group) = self.group.as_ref().filter(|_| self.helpers.is_empty()) {
                group.kill();
            }
        }
        let is_helper =
            |process: &Ours| !self.helpers.is_empty() && self.helpers.contains(&process.session());
        for process in ours(self.token.as_deref()).iter().filter(|process| !is_helper(process)) {
            let first = closing.asked.insert((process.pid, process.start_ticks));
            if first {
                self.shared_memory.look(process.pid);
            }
            if kill {
                process.signal(Signal::KILL);
            } else if first {
                process.signal(Signal::TERM);
            }
        }
    }

    /// Whether something that was killed does not end: it is stuck in the
    /// kernel, or another user's. It has had its time; that is given once.
    pub(super) fn gives_up(&self) -> bool {
        let killed_at = self.closing.as_ref().and_then(|closing| closing.killed_at);
        killed_at.is_some_and(|at| self.is_past_patience(at))
    }

    fn is_past_patience(&self, killed_at: Instant) -> bool {
        killed_at.elapsed() >= if self.stuck { SWEEP_AGAIN } else { KILLED_ENDS_WITHIN }
    }

    /// Ends all of it, as [`Self::close`], and waits until none is left. Says
    /// how many there were.
    ///
    /// # Errors
    ///
    /// Where something does not end although it was killed: who, for people.
    pub(super) fn end_all(&mut self, grace: Duration) -> io::Result<usize> {
        if !self.is_left(now())? {
            self.closing = None;
            return Ok(0);
        }
        // Those that a limit has asked already have their grace from then on.
        let before = self.closing.as_ref().map_or(0, |closing| closing.asked.len());
        self.close(grace);
        while self.is_left(now() + SWEEP_AGAIN)? {
            if self.gives_up() {
                self.closing = None;
                return Err(self.stuck(&ours(self.token.as_deref())));
            }
        }
        let asked = self.closing.take().map_or(0, |closing| closing.asked.len());
        let ended = asked.saturating_sub(before);
        self.leftovers += ended;
        Ok(ended)
    }

    /// What is said of those that do not end although they were killed.
    fn stuck(&mut self, alive: &[Ours]) -> io::Error {
        self.stuck = true;
        let who: Vec<_> = alive.iter().map(|one| format!("{} ({})", one.pid, one.name())).collect();
        io::Error::other(format!("killed and still there: pid {}", who.join(", ")))
    }

    /// Whether any of it is left, once something has happened or then.
    fn is_left(&mut self, until: Instant) -> io::Result<bool> {
        let descendants = self.next(Some(until))?.left;
        Ok(descendants || self.token.is_some() && !ours(self.token.as_deref()).is_empty())
    }

    /// How many were left running and ended, by [`Self::end_all`].
    pub(super) fn leftovers(&self) -> usize {
        self.leftovers
    }

    /// Lets time pass; `false` where the host wants an end at once.
    pub(super) fn pause(&mut self, span: Duration) -> bool {
        let until = now() + span;
        while now() < until && self.wish != Wish::EndAtOnce {
            if self.next(Some(until)).is_err() {
                break;
            }
        }
        self.wish != Wish::EndAtOnce
    }

    /// Runs a short-lived process to its end; `None` where it took too long
    /// and was ended.
    pub(super) fn run(&mut self, spawn: &Spawn<'_>, timeout: Duration) -> io::Result<Option<WaitStatus>> {
        let ends = self.run_all(std::slice::from_ref(spawn), timeout)?;
        Ok(ends.into_iter().next().flatten())
    }

    /// The same for several, side by side.
    pub(super) fn run_all(
        &mut self,
        spawns: &[Spawn<'_>],
        timeout: Duration,
    ) -> io::Result<Vec<Option<WaitStatus>>> {
        let mut pids = Vec::new();
        let mut failed = Ok(());
        for spawn in spawns {
            match self.start(spawn) {
                Ok(pid) => pids.push(pid),
                Err(error) => failed = failed.and(Err(io::Error::other(error))),
            }
        }
        let until = now() + timeout;
        self.helpers.clone_from(&pids);
        loop {
            let ends: Vec<_> = pids.iter().map(|pid| self.end_of(*pid).map(|(status, _)| status)).collect();
            let ended = if ends.iter().all(Option::is_some) {
                Ok(())
            } else if failed.is_err() || now() >= until || self.wish == Wish::EndAtOnce {
                self.end_helpers()
            } else {
                self.next(Some(until))?;
                continue;
            };
            self.helpers.clear();
            return ended.and(failed).map(|()| ends);
        }
    }

    /// Kills what [`Self::run_all`] runs, each with its session. What else is
    /// left running keeps the grace that a plan has for it.
    fn end_helpers(&mut self) -> io::Result<()> {
        let killed_at = now();
        while self.helpers.iter().any(|pid| self.end_of(*pid).is_none()) {
            let alive: Vec<Ours> =
                ours(None).into_iter().filter(|process| self.helpers.contains(&process.session())).collect();
            alive.iter().for_each(|process| process.signal(Signal::KILL));
            if self.is_past_patience(killed_at) {
                return Err(self.stuck(&alive));
            }
            self.next(Some(now() + SWEEP_AGAIN))?;
        }
        Ok(())
    }
}
