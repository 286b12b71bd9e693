//! Devices that get no further experiments, and what that means for the study.
//!
//! Does not know what makes a device sick: it is told.

use crate::action::Start;
use crate::attempt::Stage;
use crate::cleanup::{Consequence, HandOver, Quarantine, StepOutcome};
use crate::event::{AttemptEnded, Device, StudyEnd};
use crate::study::ExperimentId;

use super::StudyState;
use super::experiment::Status;

impl StudyState {
    /// A host has looked at the devices anew: a person may have mended some.
    pub(super) fn devices_found(&mut self, readings: &[HandOver]) {
        for (position, found) in (0..).zip(readings) {
            self.baselines[usize::from(position)] = found.baseline_bytes;
            self.set_quarantine(position, found.quarantine.clone());
        }
    }

    fn set_quarantine(&mut self, position: u16, quarantine: Option<Quarantine>) {
        self.devices.set_quarantine(position, quarantine.is_some());
        self.quarantines[usize::from(position)] = quarantine;
    }

    /// What an attempt did to its devices: quarantines, and the study's stop.
    pub(super) fn handed_over(&mut self, ended: &AttemptEnded) {
        let leased = self.experiment(ended.experiment).devices.clone();
        for (position, left) in leased.iter().zip(&ended.devices) {
            if left.quarantine.is_some() {
                self.set_quarantine(*position, left.quarantine.clone());
            }
        }
        for report in ended.cleanup.iter().flat_map(|cleanup| &cleanup.steps) {
            if let (StepOutcome::Failed(why), Consequence::StopStudy) =
                (&report.outcome, report.step.if_it_fails)
            {
                let reason = format!("the cleanup step {} failed: {why}", report.step.action.name());
                self.drain(StudyEnd::Stopped(reason));
            }
        }
    }

    /// Whether all that is left waits for devices that are in quarantine, once nothing is in flight.
    pub(super) fn is_stuck(&self) -> bool {
        self.quarantines.iter().any(Option::is_some)
            && !self
                .experiments
                .iter()
                .any(|experiment| matches!(experiment.status, Status::InBackoff { .. }))
    }

    pub(super) fn why_stuck(&self) -> String {
        let devices = self.described.iter().zip(&self.quarantines);
        let quarantined: Vec<String> = devices
            .filter_map(|(device, quarantine)| {
                let Quarantine { reason, remedy } = quarantine.as_ref()?;
                Some(format!("{} is quarantined: {reason}. To do: {remedy}", device.id))
            })
            .collect();
        let remaining = self.progress.remaining;
        let waiting = if remaining == 1 {
            "1 experiment waits".to_owned()
        } else {
            format!("{remaining} experiments wait")
        };
        format!("{waiting} for devices. {}", quarantined.join(". "))
    }

    /// Positions of the devices that an experiment holds, or held last; none once it has ended.
    pub fn leased(&self, id: ExperimentId) -> &[u16] {
        &self.experiment(id).devices
    }

    /// What is used on a device without our doing, in bytes; 0 where it is a slot.
    pub fn baseline_bytes(&self, position: u16) -> u64 {
        self.baselines[usize::from(position)]
    }

    /// Why a device gets no further experiments, where it does not.
    pub fn quarantine(&self, position: u16) -> Option<&Quarantine> {
        self.quarantines[usize::from(position)].as_ref()
    }

    /// The device in quarantine that keeps an attempt from starting, where one
    /// does. `finish` puts in order what `measure` left, wherever that was.
    pub fn unfit(&self, start: &Start) -> Option<(&Device, &Quarantine)> {
        let sick =
            |position: &u16| Some((&self.described[usize::from(*position)], self.quarantine(*position)?));
        start.devices.iter().find_map(sick).filter(|_| start.stage != Stage::Finish)
    }
}
