//! An erased identifier in the records: its rows stay, without it.

use crate::domain::erasure::IdentifierErased;
use crate::store::records::access::put_audit;
use crate::store::records::database::{DatabaseError, Statements};

const FORGET_ACCOUNT: &str = "UPDATE decisions SET account = NULL WHERE account = ?1";
const REDACT_REASONS: &str = "UPDATE decisions SET reason = replace(reason, ?1, ?2) \
    WHERE position < ?3 AND reason LIKE '%' || ?1 || '%'";

/// Takes the identifier out of every row before the erasure; rows behind it are of somebody
/// who came again.
pub(super) fn erase(
    to: &mut dyn Statements,
    position: u64,
    erased: &IdentifierErased,
) -> Result<(), DatabaseError> {
    to.execute(FORGET_ACCOUNT, &[erased.entity.key.to_string().into()])?;
    let (label, shown) = (erased.entity.label(), erased.shown().label());
    to.execute(REDACT_REASONS, &[label.into(), shown.into(), position.into()])?;
    put_audit(to, position, &erased.audited)
}
