//! Vocabulary: what the runner is to do next.
//!
//! Never journaled: a replay derives the actions again, and those that no
//! event has settled are what recovery must settle. Hence each of them is safe
//! to repeat.

use jiff::Timestamp;

use crate::attempt::Stage;
use crate::event::StudyEnd;
use crate::study::ExperimentId;

/// Something to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Start an attempt's supervisor, or find the one that was started;
    /// settled by `AttemptStarted`, then by `AttemptEnded`.
    StartAttempt(Start),
    /// Ask what follows the newest attempt; settled by `Decided`.
    Ask {
        /// Whose attempt.
        experiment: ExperimentId,
        /// Whether the stage's policy was set aside, so that the fallback answers.
        set_aside: bool,
    },
    /// Wait out a retry's delay; settled by `BackoffElapsed`.
    Backoff {
        /// Whose.
        experiment: ExperimentId,
        /// When it has passed.
        due: Timestamp,
    },
    /// Forget every delay that is being waited out; their due times stay known.
    CancelBackoffs,
    /// Let what runs go on for the study's grace; settled by `GraceElapsed`.
    AwaitGrace,
    /// End every running attempt: politely, or at once.
    EndAttempts {
        /// Without the termination signal and its grace.
        at_once: bool,
    },
    /// Close the study; settled by `StudyEnded`.
    End(StudyEnd),
}

/// An attempt to start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// Whose attempt.
    pub experiment: ExperimentId,
    /// At which stage.
    pub stage: Stage,
    /// From 1 at each stage.
    pub attempt: u32,
    /// Positions of the leased devices among the study's.
    pub devices: Vec<u16>,
}
