//! Whose name stands under what was told: the owner of the key.

use std::sync::Arc;

use tonic::{Code, Request, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::domain::api_key::Scope;
use crate::domain::time::Timestamp;
use crate::grpc::gate::{admit, scope_missing};
use crate::grpc::status::DOMAIN;
use crate::wire::pb::v1 as pb;
use crate::workflow::key_ring::Caller;

/// The message of a step, signed by the owner of the key that it came with.
///
/// # Errors
/// As [`CalledBy::signer`].
pub fn signed<T>(
    request: Request<T>,
    field: &str,
    name: impl FnOnce(&mut T) -> &mut String,
) -> Result<T, Status> {
    let caller = CalledBy::of(&request);
    let mut message = request.into_inner();
    let named = name(&mut message);
    *named = caller.signer(field, std::mem::take(named))?;
    Ok(message)
}

/// Who calls, as the gate found out; cheap to clone.
#[derive(Clone, Debug)]
pub struct CalledBy(Option<Arc<Caller>>);

impl CalledBy {
    /// Who makes this call.
    pub fn of<T>(request: &Request<T>) -> Self {
        Self(request.extensions().get::<Arc<Caller>>().cloned())
    }

    /// Who answers for what the caller does; `None` without a key.
    pub fn owner(&self) -> Option<&str> {
        self.0.as_ref().map(|caller| &*caller.key.owner)
    }

    /// Counts an item of a stream.
    ///
    /// # Errors
    /// As [`admit`].
    pub fn admit(&self, now: Timestamp) -> Result<(), Status> {
        self.0.as_ref().map_or(Ok(()), |caller| admit(caller, now))
    }

    /// Who signs a step: the owner of the key. A message may leave the name out, but not name
    /// anybody else, so that nobody approves their own work under another name.
    ///
    /// # Errors
    /// `PERMISSION_DENIED` when `named`, in `field`, is somebody else.
    pub fn signer(&self, field: &str, named: String) -> Result<String, Status> {
        let Some(owner) = self.owner() else { return Ok(named) };
        if named.is_empty() || named == owner {
            return Ok(owner.to_owned());
        }
        let metadata = [("field", field), ("owner", owner)];
        let metadata = metadata.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let details = ErrorDetails::with_error_info("SIGNER_NOT_OWNER", DOMAIN, metadata);
        let message = format!("{field} must be `{owner}`, whose key this is, or empty");
        Err(Status::with_error_details(Code::PermissionDenied, message, details))
    }

    /// Puts the owner of the key in front of the operator of a choice, as `owner/operator`: who
    /// looked at the order stays known, and so does who says it.
    pub fn attribute(&self, choice: &mut pb::OperatorChoice) {
        let Some(owner) = self.owner() else { return };
        let operator = &choice.operator_id;
        choice.operator_id = if operator.is_empty() || operator == owner {
            owner.to_owned()
        } else {
            format!("{owner}/{operator}")
        };
    }

    /// Says in an outcome who told it, whatever it says itself.
    pub fn attribute_outcome(&self, outcome: &mut pb::Outcome) {
        outcome.told_by = self.owner().map(str::to_owned);
    }

    /// Attributes a fact that is feedback; who tells one has to have that scope as well, since
    /// models learn from it.
    ///
    /// # Errors
    /// `PERMISSION_DENIED` without the scope.
    pub fn attribute_event(&self, event: &mut pb::Event, method: &str) -> Result<(), Status> {
        use pb::event::Fact;
        match &mut event.fact {
            Some(Fact::Choice(choice)) => self.attribute(choice),
            Some(Fact::Outcome(outcome)) => self.attribute_outcome(outcome),
            Some(Fact::Label(_)) => {}
            Some(
                Fact::OrderPlaced(_)
                | Fact::OrderPaid(_)
                | Fact::OrderCancelled(_)
                | Fact::StockReserved(_)
                | Fact::OrderShipped(_)
                | Fact::OrderDelivered(_)
                | Fact::OrderReturned(_)
                | Fact::OrderRefunded(_)
                | Fact::OrderChargedBack(_)
                | Fact::AccountCreated(_)
                | Fact::StockLevel(_)
                | Fact::MarketPrice(_),
            )
            | None => return Ok(()),
        }
        let is_allowed =
            self.0.as_ref().is_none_or(|caller| caller.key.scopes.contains(&Scope::Feedback));
        if is_allowed { Ok(()) } else { Err(scope_missing(&[Scope::Feedback], method)) }
    }
}
