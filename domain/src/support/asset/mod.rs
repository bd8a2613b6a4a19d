//! A piece of equipment: in stock, with someone, in repair, or retired.
//!
//! At most one person has it at a time; what one has, another gets only after
//! it came back. It is known by its tag, which it keeps when it is retired.

pub mod commands;
mod decide;
pub mod errors;
pub mod events;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::access::Owned;
use crate::aggregate::{Aggregate, Claim, Effects, Lifecycle};
use crate::context::Context;
use crate::identity::user::User;
use crate::values::{AssetStatus, Text};

pub use commands::AssetCommand;
pub use errors::AssetError;
pub use events::AssetEvent;

use events::Particulars;

/// The scope of claims on tags (as they are: case counts).
pub const TAG_CLAIM: &str = "asset.tag";

/// A piece of equipment as its events left it; nothing before the first one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Asset(Option<Piece>);

/// A piece of equipment that was registered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Piece {
    /// Where it stands.
    pub status: AssetStatus,
    /// Who has it, while someone does.
    pub assigned_to: Option<Uuid>,
    /// Where it is.
    pub location: Option<Text<200>>,
    /// What it is.
    pub particulars: Particulars,
}

/// What a piece of equipment must know of others, read under a guard.
#[derive(Debug, Clone, Default)]
pub struct AssetFacts {
    /// The state of the user who gets it; `None` or an empty one: there is no such user.
    pub holder: Option<User>,
}

impl Asset {
    /// The piece, once registered.
    #[must_use]
    pub fn piece(&self) -> Option<&Piece> {
        self.0.as_ref()
    }

    /// The user whose state the command's decision must know, if any.
    #[must_use]
    pub fn reads(&self, command: &AssetCommand) -> Option<Uuid> {
        match command {
            AssetCommand::Assign(command) => Some(command.user_id),
            AssetCommand::Register(_)
            | AssetCommand::Return(_)
            | AssetCommand::Move(_)
            | AssetCommand::SendToRepair(_)
            | AssetCommand::Retire(_)
            | AssetCommand::Specify(_) => None,
        }
    }
}

impl Owned for Asset {
    /// Whoever has it: they see it, and what happened to it; what is done to it is for others to do.
    fn owner(&self, _: Uuid, _: &AssetCommand) -> Option<Uuid> {
        self.0.as_ref().and_then(|piece| piece.assigned_to)
    }
}

impl Aggregate for Asset {
    const KIND: &'static str = "support.asset";
    type Command = AssetCommand;
    type Event = AssetEvent;
    type Error = AssetError;
    type Facts = AssetFacts;

    fn decide(
        &self,
        command: &AssetCommand,
        facts: &AssetFacts,
        _: &Context,
    ) -> Result<Vec<AssetEvent>, AssetError> {
        decide::decide(self, command, facts)
    }

    fn apply(&mut self, event: &AssetEvent) {
        if let AssetEvent::Registered(event) = event {
            self.0 = Some(Piece::registered(event));
        } else if let Some(piece) = &mut self.0 {
            piece.apply(event);
        }
    }

    fn effects(&self, _: Uuid, event: &AssetEvent) -> Effects {
        match event {
            AssetEvent::Registered(event) => Effects {
                lifecycle: Lifecycle::Opens,
                claims: vec![Claim::new(TAG_CLAIM, event.asset_tag.as_str())],
                ..Effects::default()
            },
            AssetEvent::Assigned(event) => {
                Effects { references: vec![event.user_id], ..Effects::default() }
            }
            AssetEvent::Retired(_) => {
                Effects { lifecycle: Lifecycle::Closes, ..Effects::default() }
            }
            AssetEvent::Returned(_)
            | AssetEvent::Moved(_)
            | AssetEvent::SentToRepair(_)
            | AssetEvent::Specified(_) => Effects::default(),
        }
    }
}

impl Piece {
    fn registered(event: &events::Registered) -> Self {
        Self {
            status: AssetStatus::Active,
            assigned_to: None,
            location: event.location.clone(),
            particulars: event.particulars.clone(),
        }
    }

    fn apply(&mut self, event: &AssetEvent) {
        match event {
            AssetEvent::Registered(event) => *self = Self::registered(event),
            AssetEvent::Assigned(event) => self.stands(AssetStatus::Assigned, Some(event.user_id)),
            AssetEvent::Returned(_) => self.stands(AssetStatus::Active, None),
            AssetEvent::Moved(event) => self.location = Some(event.location.clone()),
            AssetEvent::SentToRepair(_) => self.stands(AssetStatus::InRepair, None),
            AssetEvent::Retired(_) => self.stands(AssetStatus::Retired, None),
            AssetEvent::Specified(event) => self.particulars = event.0.clone(),
        }
    }

    fn stands(&mut self, status: AssetStatus, assigned_to: Option<Uuid>) {
        self.status = status;
        self.assigned_to = assigned_to;
    }
}
