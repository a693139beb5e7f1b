//! Identifiers in the records that are erased, or known otherwise now.

use crate::domain::entity::EntityKind;
use crate::domain::erasure::IdentifierErased;
use crate::domain::pseudonym::PseudonymLinked;
use crate::store::records::access::put_audit;
use crate::store::records::database::{DatabaseError, Statements};

const FORGET_ACCOUNT: &str = "UPDATE decisions SET account = NULL WHERE account = ?1";
const RENAME_ACCOUNT: &str = "UPDATE decisions SET account = ?2 WHERE account = ?1";
const REDACT_REASONS: &str = "UPDATE decisions SET reason = replace(reason, ?1, ?2) \
    WHERE position < ?3 AND reason LIKE '%' || ?1 || '%'";

/// Takes the identifier out of every row before the erasure; rows behind it are of somebody
/// who came again.
pub(super) fn erase(
    to: &mut dyn Statements,
    position: u64,
    erased: &IdentifierErased,
) -> Result<(), DatabaseError> {
    let shown = erased.shown().label();
    for entity in erased.all() {
        to.execute(FORGET_ACCOUNT, &[entity.key.to_string().into()])?;
        let (label, shown) = (entity.label(), shown.clone());
        to.execute(REDACT_REASONS, &[label.into(), shown.into(), position.into()])?;
    }
    put_audit(to, position, &erased.audited)
}

/// Finds the decisions of an account under the pseudonym that it is known by now.
pub(super) fn rename(
    to: &mut dyn Statements,
    linked: &PseudonymLinked,
) -> Result<(), DatabaseError> {
    if linked.pseudonym.kind == EntityKind::Account {
        let names = [&linked.pseudonym, &linked.known_as].map(|it| it.key.to_string().into());
        to.execute(RENAME_ACCOUNT, &names)?;
    }
    Ok(())
}
