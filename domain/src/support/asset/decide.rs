//! The rules of equipment.

use uuid::Uuid;

use super::commands::{Move, Register, Retire, SendToRepair, Specify};
use super::events::{Assigned, Moved, Registered, Retired, Returned, SentToRepair, Specified};
use super::{Asset, AssetCommand, AssetError, AssetEvent, AssetFacts, Piece};
use crate::values::{AssetStatus, UserStatus};

type Decision = Result<Vec<AssetEvent>, AssetError>;

pub(super) fn decide(asset: &Asset, command: &AssetCommand, facts: &AssetFacts) -> Decision {
    match command {
        AssetCommand::Register(command) => register(asset, command),
        AssetCommand::Assign(command) => assign(in_use(asset)?, command.user_id, facts),
        AssetCommand::Return(_) => give_back(in_use(asset)?),
        AssetCommand::Move(command) => move_it(in_use(asset)?, command),
        AssetCommand::SendToRepair(command) => send_to_repair(in_use(asset)?, command),
        AssetCommand::Retire(command) => retire(known(asset)?, command),
        AssetCommand::Specify(command) => specify(in_use(asset)?, command),
    }
}

fn one(event: impl Into<AssetEvent>) -> Decision {
    Ok(vec![event.into()])
}

fn known(asset: &Asset) -> Result<&Piece, AssetError> {
    asset.piece().ok_or(AssetError::Unknown)
}

/// A piece that is not retired.
fn in_use(asset: &Asset) -> Result<&Piece, AssetError> {
    let piece = known(asset)?;
    match piece.status {
        AssetStatus::Retired => Err(AssetError::Retired),
        AssetStatus::Active | AssetStatus::Assigned | AssetStatus::InRepair => Ok(piece),
    }
}

fn register(asset: &Asset, command: &Register) -> Decision {
    if asset.piece().is_some() {
        return Err(AssetError::AlreadyRegistered);
    }
    one(Registered {
        asset_tag: command.asset_tag.clone(),
        asset_type: command.asset_type.clone(),
        location: command.location.clone(),
        particulars: command.particulars(),
    })
}

fn assign(piece: &Piece, user_id: Uuid, facts: &AssetFacts) -> Decision {
    match piece.assigned_to {
        Some(holder) if holder == user_id => return Ok(vec![]),
        Some(holder) => return Err(AssetError::AssignedToAnother { holder }),
        None if piece.status == AssetStatus::InRepair => return Err(AssetError::InRepair),
        None => {}
    }
    let status = facts.holder.as_ref().and_then(|holder| holder.status());
    match status.ok_or(AssetError::HolderUnknown { user_id })? {
        UserStatus::Active => one(Assigned { user_id }),
        status @ (UserStatus::Inactive | UserStatus::Suspended | UserStatus::Deleted) => {
            Err(AssetError::HolderNotActive { user_id, status })
        }
    }
}

fn give_back(piece: &Piece) -> Decision {
    if piece.status == AssetStatus::Active {
        return Ok(vec![]);
    }
    one(Returned::from(piece.assigned_to))
}

fn move_it(piece: &Piece, command: &Move) -> Decision {
    if piece.location.as_ref() == Some(&command.location) {
        return Ok(vec![]);
    }
    one(Moved { location: command.location.clone() })
}

fn send_to_repair(piece: &Piece, command: &SendToRepair) -> Decision {
    if piece.status == AssetStatus::InRepair {
        return Ok(vec![]);
    }
    one(SentToRepair { from: piece.assigned_to, reason: command.reason.clone() })
}

fn retire(piece: &Piece, command: &Retire) -> Decision {
    if piece.status == AssetStatus::Retired {
        return Ok(vec![]);
    }
    one(Retired { from: piece.assigned_to, reason: command.reason.clone() })
}

fn specify(piece: &Piece, command: &Specify) -> Decision {
    let particulars = command.particulars();
    if particulars == piece.particulars {
        return Ok(vec![]);
    }
    one(Specified(particulars))
}
