//! `AccessService`: keys of callers, and the audit log.

use tonic::{Request, Response, Status, async_trait};

use crate::domain::api_key::{KeyChange, KeySecret};
use crate::domain::strategy_version::Signer;
use crate::grpc::attribution::CalledBy;
use crate::grpc::shared::Shared;
use crate::grpc::status;
use crate::wire::access;
use crate::wire::error::Error as WireError;
use crate::wire::pb::v1 as pb;
use crate::wire::pb::v1::access_service_server::AccessService;
use crate::workflow::access_service::AccessService as Service;
use crate::workflow::erasure_service::ErasureService;
use crate::workflow::error::Error;
use crate::workflow::key_service::KeyService;

/// Unguessable bytes, others at each call; passed in, because only `cli` may ask for them.
pub type Entropy = fn() -> [u8; 32];

/// Serves `orderlens.v1.AccessService`.
#[derive(Debug)]
pub struct AccessDoor<S> {
    /// As every door.
    pub shared: Shared<S>,
    /// Makes secrets.
    pub random: Entropy,
}

impl<S> Clone for AccessDoor<S> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone(), random: self.random }
    }
}

#[async_trait]
impl<S: Service + KeyService + ErasureService> AccessService for AccessDoor<S> {
    async fn create_api_key(
        &self,
        request: Request<pb::CreateApiKeyRequest>,
    ) -> Result<Response<pb::CreateApiKeyResponse>, Status> {
        let door = self.shared.door();
        let caller = CalledBy::of(&request);
        let (draft, note) = read(access::read_create(request.into_inner(), door))?;
        let secret = KeySecret::new((self.random)());
        let change = KeyChange::Create { draft, key_hash: secret.hash() };
        let by = signer(&caller, note)?;
        let key = done(self.shared.service.change_key(change, by, door.now).await)?;
        let key = Some(access::key_to_pb(&key));
        Ok(Response::new(pb::CreateApiKeyResponse { key, secret: secret.expose().to_owned() }))
    }

    async fn rotate_api_key(
        &self,
        request: Request<pb::RotateApiKeyRequest>,
    ) -> Result<Response<pb::RotateApiKeyResponse>, Status> {
        let door = self.shared.door();
        let caller = CalledBy::of(&request);
        let pb::RotateApiKeyRequest { name, note } = request.into_inner();
        let (name, note) = read(access::read_named(name, note, door))?;
        let secret = KeySecret::new((self.random)());
        let change = KeyChange::Rotate { name, key_hash: secret.hash() };
        let by = signer(&caller, note)?;
        let key = done(self.shared.service.change_key(change, by, door.now).await)?;
        let key = Some(access::key_to_pb(&key));
        Ok(Response::new(pb::RotateApiKeyResponse { key, secret: secret.expose().to_owned() }))
    }

    async fn revoke_api_key(
        &self,
        request: Request<pb::RevokeApiKeyRequest>,
    ) -> Result<Response<pb::RevokeApiKeyResponse>, Status> {
        let door = self.shared.door();
        let caller = CalledBy::of(&request);
        let pb::RevokeApiKeyRequest { name, note } = request.into_inner();
        let (name, note) = read(access::read_named(name, note, door))?;
        let by = signer(&caller, note)?;
        let change = KeyChange::Revoke { name };
        let key = done(self.shared.service.change_key(change, by, door.now).await)?;
        Ok(Response::new(pb::RevokeApiKeyResponse { key: Some(access::key_to_pb(&key)) }))
    }

    async fn list_api_keys(
        &self,
        _: Request<pb::ListApiKeysRequest>,
    ) -> Result<Response<pb::ListApiKeysResponse>, Status> {
        let keys = done(self.shared.service.list_keys().await)?;
        let keys = keys.iter().map(access::key_to_pb).collect();
        Ok(Response::new(pb::ListApiKeysResponse { keys }))
    }

    async fn erase_identifiers(
        &self,
        request: Request<pb::EraseIdentifiersRequest>,
    ) -> Result<Response<pb::EraseIdentifiersResponse>, Status> {
        let door = self.shared.door();
        let caller = CalledBy::of(&request);
        let (entities, note) = read(access::read_erase(request.into_inner(), door))?;
        let by = signer(&caller, note)?;
        let erased = done(self.shared.service.erase(entities, by, door.now).await)?;
        let erased = erased.iter().map(access::erased_to_pb).collect();
        Ok(Response::new(pb::EraseIdentifiersResponse { erased }))
    }

    async fn list_audit_entries(
        &self,
        request: Request<pb::ListAuditEntriesRequest>,
    ) -> Result<Response<pb::ListAuditEntriesResponse>, Status> {
        let query = read(access::read_list(request.into_inner(), self.shared.door()))?;
        let entries = done(self.shared.service.list_audit(query).await)?;
        let entries = entries.iter().map(access::entry_to_pb).collect();
        Ok(Response::new(pb::ListAuditEntriesResponse { entries }))
    }

    async fn verify_audit_log(
        &self,
        _: Request<pb::VerifyAuditLogRequest>,
    ) -> Result<Response<pb::VerifyAuditLogResponse>, Status> {
        let report = done(self.shared.service.verify_audit().await)?;
        Ok(Response::new(access::report_to_pb(&report)))
    }
}

fn read<T>(read: Result<T, WireError>) -> Result<T, Status> {
    read.map_err(|error| status::of_invalid(&error))
}

fn done<T>(done: Result<T, Error>) -> Result<T, Status> {
    done.map_err(|error| status::of_error(&error))
}

/// The owner of the caller's key, without which nobody comes past the gate.
fn signer(caller: &CalledBy, note: Box<str>) -> Result<Signer, Status> {
    let by = caller.owner().ok_or_else(|| Status::unauthenticated("this needs an API key"))?;
    Ok(Signer { by: by.into(), note })
}
