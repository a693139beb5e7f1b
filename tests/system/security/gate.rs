//! No method answers without the right scope: all methods, all keys.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use orderlens::domain::api_key::{ApiKeyDraft, KeyChange, KeySecret, Scope};
use orderlens::domain::entity::IdentityKey;
use orderlens::domain::strategy_version::Signer;
use orderlens::domain::time::Timestamp;
use orderlens::grpc::entrance::ConnectionLimits;
use orderlens::grpc::gate::KeyRule;
use orderlens::grpc::server::{GrpcSettings, Reflection, serve};
use orderlens::wire::pb::CONTRACT_DESCRIPTOR_SET;
use orderlens::wire::pb::v1 as pb;
use orderlens::wire::pb::v1::decision_service_client::DecisionServiceClient;
use orderlens::wire::pb::v1::event_service_client::EventServiceClient;
use orderlens::workflow::key_service::KeyService as _;
use prost::Message as _;
use prost_types::FileDescriptorSet;
use tokio::net::TcpListener;
use tonic::client::Grpc;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;
use tonic_types::StatusExt as _;

use crate::fake::Fake;
use crate::grpc::watch;
use crate::orders;
use crate::security::{Line, Show, connect};

/// 2026-02-16T20:00:00Z.
const NOW: Timestamp = Timestamp(1_771_272_000_000_000);

struct Server {
    url: String,
    fake: Arc<Fake>,
}

async fn start(keys: KeyRule) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address: SocketAddr = listener.local_addr().expect("an address");
    let settings = GrpcSettings {
        in_flight_max: 64,
        deadline: Duration::from_secs(20),
        message_bytes_max: 64 * 1024,
        stream_items_max: 8,
        reflection: Reflection::Served,
        connections: ConnectionLimits {
            connections_max: 64,
            streams_max: 64,
            header_bytes_max: 16_384,
            handshake: Duration::from_secs(5),
            keepalive: Duration::from_secs(30),
        },
        keys,
        random: || [7; 32],
    };
    let fake = Arc::new(Fake::default());
    let service = fake.clone();
    tokio::spawn(async move {
        let key = IdentityKey::from_secret(b"test");
        let settings = (settings, watch());
        serve(listener, service, key, || NOW, settings, std::future::pending()).await
    });
    Server { url: format!("http://{address}"), fake }
}

impl Server {
    /// Makes a key for some scopes.
    async fn key(&self, number: u8, scopes: &[Scope]) -> KeySecret {
        self.key_with(number, scopes, |_| {}).await
    }

    async fn key_with(
        &self,
        number: u8,
        scopes: &[Scope],
        change: impl FnOnce(&mut ApiKeyDraft),
    ) -> KeySecret {
        let secret = KeySecret::new([number; 32]);
        let mut draft = ApiKeyDraft {
            name: format!("key-{number}").into(),
            owner: "lin".into(),
            scopes: scopes.iter().copied().collect(),
            calls_per_second: None,
            expires: None,
        };
        change(&mut draft);
        let change = KeyChange::Create { draft, key_hash: secret.hash() };
        let by = Signer { by: "test".into(), note: "".into() };
        self.fake.change_key(change, by, Timestamp(NOW.0 - 1_000_000)).await.expect("a key");
        secret
    }

    async fn revoke(&self, number: u8) {
        let change = KeyChange::Revoke { name: format!("key-{number}").into() };
        let by = Signer { by: "test".into(), note: "".into() };
        self.fake.change_key(change, by, NOW).await.expect("it is there");
    }
}

/// Paths of every published method.
fn methods() -> Vec<String> {
    let set = FileDescriptorSet::decode(CONTRACT_DESCRIPTOR_SET).expect("our own");
    let mut paths = Vec::new();
    for file in &set.file {
        for service in &file.service {
            for method in &service.method {
                let (package, service) = (file.package(), service.name());
                paths.push(format!("/{package}.{service}/{}", method.name()));
            }
        }
    }
    paths
}

/// Which scopes a method answers to, written down a second time: by its name alone.
fn scopes_of(path: &str) -> BTreeSet<Scope> {
    let (service, method) = path.rsplit_once('/').expect("a path");
    let see = [Scope::Review, Scope::StrategyAuthor, Scope::StrategyApprove];
    match (service.rsplit('.').next().expect("a name"), method) {
        ("DecisionService", "ScoreOrder" | "ScoreOrders") | ("EventService", _) => {
            [Scope::Score].into()
        }
        ("FeedbackService", _) => [Scope::Feedback].into(),
        ("AccessService", "ListAuditEntries" | "VerifyAuditLog") => [Scope::AuditRead].into(),
        ("AccessService", _) => [Scope::Admin].into(),
        ("StrategyService", "ListStrategies" | "GetStrategy")
        | ("ModelService", "ListModels" | "GetModelLiveAt")
        | ("ExperimentService", "ListExperiments" | "GetExperimentReport") => see.into(),
        ("StrategyService", "ApproveStrategy" | "ActivateStrategy" | "RevertStrategy")
        | ("ModelService", _) => [Scope::StrategyApprove].into(),
        ("StrategyService" | "ExperimentService", _) => [Scope::StrategyAuthor].into(),
        ("DecisionService" | "CaseService" | "GraphService" | "ReviewService", _) => {
            [Scope::Review].into()
        }
        // Nobody has said who may call it.
        (_, _) => BTreeSet::new(),
    }
}

/// Sends an empty message to a method of any kind; how it ends.
async fn call(channel: &Channel, path: &str, shown: &Show) -> Status {
    let mut client = Grpc::new(channel.clone());
    client.ready().await.expect("a connection");
    let mut request = Request::new(tokio_stream::iter([()]));
    if let Some(value) = &shown.0 {
        request.metadata_mut().insert("authorization", value.clone());
    }
    let path = path.parse().expect("a path");
    match client.streaming(request, path, ProstCodec::<(), ()>::default()).await {
        Err(status) => status,
        Ok(answers) => {
            let mut answers = answers.into_inner();
            loop {
                match answers.message().await {
                    Err(status) => break status,
                    Ok(None) => break Status::ok("answered"),
                    Ok(Some(())) => {}
                }
            }
        }
    }
}

fn told(status: &Status) -> (Code, String) {
    let reason = status.get_details_error_info().map(|info| info.reason).unwrap_or_default();
    (status.code(), reason)
}

fn is_let_in(status: &Status) -> bool {
    !matches!(status.code(), Code::Unauthenticated | Code::PermissionDenied)
}

#[tokio::test]
async fn every_method_answers_to_its_scopes_and_to_no_other() {
    let server = start(KeyRule::Required).await;
    let channel = connect(&server.url).await;
    let mut keys = BTreeMap::new();
    for (number, scope) in (1..).zip(Scope::ALL) {
        let secret = server.key(number, &[scope]).await;
        keys.insert(scope, Show::new(secret.expose()));
    }
    let all = Show::new(server.key(99, &Scope::ALL).await.expose());
    let methods = methods();
    assert!(39 <= methods.len(), "{methods:?}");
    for path in &methods {
        let expected = scopes_of(path);
        assert!(!expected.is_empty(), "nobody has said who may call {path}");
        for (scope, shown) in &keys {
            let status = call(&channel, path, shown).await;
            if expected.contains(scope) {
                assert!(is_let_in(&status), "{path} with {scope:?}: {status:?}");
                continue;
            }
            let (code, reason) = told(&status);
            assert_eq!(code, Code::PermissionDenied, "{path} with {scope:?}");
            assert_eq!(reason, "SCOPE_MISSING");
            let info = status.get_details_error_info().expect("why").metadata;
            let wanted: BTreeSet<_> =
                info["scope"].split(" or ").map(|it| Scope::parse(it).expect("a scope")).collect();
            assert_eq!((wanted, &info["method"]), (expected.clone(), path));
        }
        assert!(is_let_in(&call(&channel, path, &all).await), "{path}");
    }
}

#[tokio::test]
async fn without_a_key_that_is_good_nobody_is_answered() {
    let server = start(KeyRule::Required).await;
    let channel = connect(&server.url).await;
    let good = server.key(1, &Scope::ALL).await;
    let revoked = server.key(2, &Scope::ALL).await;
    server.revoke(2).await;
    let expired = server.key_with(3, &Scope::ALL, |draft| draft.expires = Some(NOW)).await;
    let unknown = KeySecret::new([4; 32]);
    let text = |text: &str| Show(Some(text.parse().expect("plain letters")));
    let invalid = (Code::Unauthenticated, "KEY_INVALID".to_owned());
    let missing = (Code::Unauthenticated, "KEY_MISSING".to_owned());
    let cases = [
        (Show(None), &missing),
        (Show::new(revoked.expose()), &invalid),
        (Show::new(expired.expose()), &invalid),
        (Show::new(unknown.expose()), &invalid),
        (Show::new(""), &invalid),
        (text(good.expose()), &invalid),
        (text(&format!("Basic {}", good.expose())), &invalid),
        (Show::new(&good.hash()), &invalid),
        (Show::new(&good.expose().to_uppercase()), &invalid),
    ];
    for path in methods() {
        for (shown, expected) in &cases {
            assert_eq!(told(&call(&channel, &path, shown).await), **expected, "{path}");
        }
    }
    let health = "/grpc.health.v1.Health/Check";
    assert_eq!(call(&channel, health, &Show(None)).await.code(), Code::Ok);
    let reflection = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
    assert_eq!(told(&call(&channel, reflection, &Show(None)).await), missing);
    assert!(is_let_in(&call(&channel, reflection, &Show::new(good.expose())).await));
}

#[tokio::test]
async fn where_no_key_is_required_one_that_is_shown_still_counts_and_keys_need_one() {
    let server = start(KeyRule::Optional).await;
    let channel = connect(&server.url).await;
    let score = Show::new(server.key(1, &[Scope::Score]).await.expose());
    for path in methods() {
        let is_about_keys = path.contains("AccessService");
        let status = call(&channel, &path, &Show(None)).await;
        assert_eq!(is_let_in(&status), !is_about_keys, "{path}: {status:?}");
        let status = call(&channel, &path, &score).await;
        assert_eq!(is_let_in(&status), scopes_of(&path).contains(&Scope::Score), "{path}");
        let status = call(&channel, &path, &Show::new("ol_nobody's")).await;
        assert_eq!(status.code(), Code::Unauthenticated, "{path}");
    }
}

fn limited(reason: &Status) -> Duration {
    assert_eq!(told(reason), (Code::ResourceExhausted, "KEY_RATE_LIMITED".to_owned()));
    let info = reason.get_details_retry_info().expect("when to try again");
    info.retry_delay.expect("a delay")
}

#[tokio::test]
async fn calls_and_items_of_streams_count_against_one_limit() {
    let server = start(KeyRule::Required).await;
    let slow = |draft: &mut ApiKeyDraft| draft.calls_per_second = Some(4);
    let secret = server.key_with(1, &[Scope::Score, Scope::Feedback], slow).await;
    let channel = connect(&server.url).await;
    let line = Line::new(channel.clone(), Show::new(secret.expose()));
    let mut decisions = DecisionServiceClient::new(line.clone());
    // The stream itself is one call, so that three items are left.
    let items = (0..8).map(|n| pb::ScoreOrdersRequest {
        item_id: n.to_string(),
        request: Some(orders::request(n)),
    });
    let answers = decisions.score_orders(tokio_stream::iter(items)).await.expect("a stream");
    let mut answers = answers.into_inner();
    let (mut n_scored, mut n_refused) = (0, 0);
    while let Some(answer) = answers.message().await.expect("no error") {
        match answer.result.expect("one of both") {
            pb::score_orders_response::Result::Response(_) => n_scored += 1,
            pb::score_orders_response::Result::Error(error) => {
                assert_eq!(error.code, i32::from(Code::ResourceExhausted));
                n_refused += 1;
            }
        }
    }
    // A slow machine may earn another allowance on the way, but not many.
    assert!((3..=5).contains(&n_scored) && n_scored + n_refused == 8, "{n_scored} {n_refused}");

    let mut refused = None;
    for n in 0..64 {
        refused = decisions.score_order(orders::request(n)).await.err();
        if refused.is_some() {
            break;
        }
    }
    let wait = limited(&refused.expect("64 calls at 4 a second"));
    assert!(Duration::ZERO < wait && wait <= Duration::from_secs(1), "{wait:?}");

    // Another key has an allowance of its own.
    let other = server.key(2, &[Scope::Score]).await;
    let mut other = DecisionServiceClient::new(Line::new(channel, Show::new(other.expose())));
    other.score_order(orders::request(1)).await.expect("not its limit");
}

#[tokio::test]
async fn a_stream_ends_for_a_key_that_is_revoked_meanwhile() {
    let server = start(KeyRule::Required).await;
    let secret = server.key(1, &[Scope::Score]).await;
    let line = Line::new(connect(&server.url).await, Show::new(secret.expose()));
    let (items, queue) = tokio::sync::mpsc::channel(4);
    let queue = tokio_stream::wrappers::ReceiverStream::new(queue);
    let send = async |n| {
        let event = Some(orders::paid(n));
        items.send(pb::IngestEventsRequest { event }).await.expect("the stream is open");
    };
    send(1).await;
    let answers = EventServiceClient::new(line).ingest_events(queue).await.expect("a stream");
    let mut answers = answers.into_inner();
    let first = answers.message().await.expect("no error").expect("an answer");
    assert_eq!(first.status(), pb::IngestStatus::Accepted, "{first:?}");
    server.revoke(1).await;
    send(2).await;
    let second = answers.message().await.expect("no error").expect("an answer");
    assert_eq!(second.error.expect("refused").code, i32::from(Code::Unauthenticated));
}

#[tokio::test]
async fn a_choice_in_a_stream_of_events_needs_the_scope_of_feedback() {
    let server = start(KeyRule::Required).await;
    let channel = connect(&server.url).await;
    let choice = orders::choice(1, "018f3f4e-0000-7000-8000-000000000001");
    let event = pb::Event {
        event_id: "choice".to_owned(),
        event_time: choice.decided_at,
        fact: Some(pb::event::Fact::Choice(choice)),
        ..Default::default()
    };
    let score_only: &[Scope] = &[Scope::Score];
    let cases = [(1, score_only, false), (2, &[Scope::Score, Scope::Feedback], true)];
    for (number, scopes, is_allowed) in cases {
        let secret = server.key(number, scopes).await;
        let line = Line::new(channel.clone(), Show::new(secret.expose()));
        let items = tokio_stream::iter([pb::IngestEventsRequest { event: Some(event.clone()) }]);
        let answers = EventServiceClient::new(line).ingest_events(items).await.expect("a stream");
        let answer = answers.into_inner().message().await.expect("no error").expect("an answer");
        let refusal = answer.error.map(|error| error.code);
        let is_refused = refusal == Some(i32::from(Code::PermissionDenied));
        assert_eq!(is_refused, !is_allowed, "{refusal:?}");
    }
}
