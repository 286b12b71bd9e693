//! Which experiment holds which device.
//!
//! Does not know what a device is: positions only.

use crate::decision::Placement;
use crate::study::ExperimentId;

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Devices {
    holders: Vec<Option<ExperimentId>>,
    quarantined: Vec<bool>,
}

/// Devices kept back for an experiment that is before others in the queue.
pub(super) struct Reserved(Vec<bool>);

impl Devices {
    pub(super) fn new(count: usize) -> Self {
        Self { holders: vec![None; count], quarantined: vec![false; count] }
    }

    /// How many there are beside those held and those in quarantine.
    pub(super) fn usable_beside(&self, held: &[u16]) -> usize {
        let usable = |position: &usize| !self.quarantined[*position] && !holds(held, *position);
        (0..self.holders.len()).filter(usable).count()
    }

    /// Gives a device no further experiments, or gives it some again.
    pub(super) fn set_quarantine(&mut self, position: u16, quarantined: bool) {
        self.quarantined[usize::from(position)] = quarantined;
    }

    pub(super) fn any_quarantined(&self, positions: &[u16]) -> bool {
        positions.iter().any(|position| self.quarantined[usize::from(*position)])
    }

    pub(super) fn nothing_reserved(&self) -> Reserved {
        Reserved(vec![false; self.holders.len()])
    }

    /// How many devices are free and not kept back.
    pub(super) fn free_beside(&self, reserved: &Reserved) -> usize {
        let free = |position: &usize| {
            self.holders[*position].is_none() && !self.quarantined[*position] && !reserved.0[*position]
        };
        (0..self.holders.len()).filter(free).count()
    }

    /// The devices an experiment may have now. Where there are too few, those
    /// that it could use are kept back, so that it is not passed over for ever.
    pub(super) fn place(
        &self,
        needed: u32,
        placement: Placement,
        held_last: &[u16],
        reserved: &mut Reserved,
    ) -> Option<Vec<u16>> {
        // One that is in quarantine is not to be waited for.
        let placement = match placement {
            Placement::SameDevices if self.any_quarantined(held_last) => Placement::AnyDevices,
            other => other,
        };
        let wanted: Vec<u16> = (0..self.holders.len())
            .map(|position| u16::try_from(position).expect("a machine has fewer devices than that"))
            .filter(|position| match placement {
                Placement::AnyDevices => true,
                Placement::SameDevices => held_last.contains(position),
                Placement::OtherDevices => !held_last.contains(position),
            })
            .filter(|position| !self.quarantined[usize::from(*position)])
            .filter(|position| !reserved.0[usize::from(*position)])
            .collect();
        let free: Vec<u16> = wanted
            .iter()
            .copied()
            .filter(|position| self.holders[usize::from(*position)].is_none())
            .take(needed as usize)
            .collect();
        if free.len() == needed as usize {
            return Some(free);
        }
        if wanted.len() < needed as usize {
            // It waits for devices that are kept back or in quarantine: keeping
            // more back would not help it.
            return None;
        }
        for position in wanted {
            reserved.0[usize::from(position)] = true;
        }
        None
    }

    pub(super) fn lease(&mut self, positions: &[u16], id: ExperimentId) {
        for position in positions {
            let holder = &mut self.holders[usize::from(*position)];
            assert!(holder.is_none(), "device {position} is leased to {holder:?} and was offered to {id:?}");
            *holder = Some(id);
        }
    }

    pub(super) fn release(&mut self, id: ExperimentId) {
        for holder in &mut self.holders {
            if *holder == Some(id) {
                *holder = None;
            }
        }
    }
}

fn holds(held: &[u16], position: usize) -> bool {
    held.iter().any(|held| usize::from(*held) == position)
}
