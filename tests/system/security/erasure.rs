//! A person wants to be forgotten: what is shown and computed afterwards.

use orderlens::wire::pb::v1 as pb;
use orderlens::wire::pb::v1::access_service_client::AccessServiceClient;
use orderlens::wire::pb::v1::decision_service_client::DecisionServiceClient;
use orderlens::wire::pb::v1::graph_service_client::GraphServiceClient;
use tonic::Code;
use tonic::service::interceptor::InterceptedService;

use crate::orders;
use crate::security::{Line, Show, WITH_KEYS, config, connect, first_key, line, make_key};
use crate::server::Server;

const N_ORDERS: u64 = 6;

/// Orders of one account, each with another card, on one device.
fn request(n: u64) -> pb::ScoreOrderRequest {
    let mut request = orders::request(n);
    let order = request.order.as_mut().unwrap();
    for entity in &mut order.entities {
        if entity.kind() != pb::EntityKind::PaymentInstrument {
            entity.id = format!("of-all-{}", entity.kind);
        }
    }
    request
}

/// The same, not naming the account.
fn nameless(n: u64) -> pb::ScoreOrderRequest {
    let mut request = request(n);
    let order = request.order.as_mut().unwrap();
    order.entities.retain(|entity| entity.kind() != pb::EntityKind::Account);
    request
}

fn account(n: u64) -> pb::Entity {
    request(n).order.unwrap().entities.remove(0)
}

async fn scored(
    client: &mut DecisionServiceClient<Line>,
    it: pb::ScoreOrderRequest,
) -> pb::Decision {
    client.score_order(it).await.unwrap().into_inner().decision.unwrap()
}

async fn read(client: &mut DecisionServiceClient<Line>, id: &str) -> String {
    let key = pb::get_decision_request::Key::DecisionId(id.to_owned());
    let request =
        pb::GetDecisionRequest { key: Some(key), explain_level: pb::ExplainLevel::Full.into() };
    format!("{:?}", client.get_decision(request).await.unwrap().into_inner())
}

/// Pseudonym of the account in the graph, if it is there.
async fn pseudonym(graph: &mut GraphServiceClient<Line>) -> Option<String> {
    let seeds = vec![account(0)];
    let request = pb::GetNeighborhoodRequest { seeds, ..Default::default() };
    let shown = graph.get_neighborhood(request).await.unwrap().into_inner();
    let shown = shown.nodes.into_iter().find(|node| 0 < node.n_orders)?;
    Some(shown.entity.unwrap().id)
}

async fn erase(admin: &mut AccessServiceClient<Line>) -> pb::ErasedIdentifier {
    let request = pb::EraseIdentifiersRequest {
        entities: vec![account(0)],
        note: "asked by letter".to_owned(),
    };
    admin.erase_identifiers(request).await.unwrap().into_inner().erased.remove(0)
}

/// What was erased is shown nowhere, and everything else still holds.
async fn check(all: Line, (ids, key, shown_as): (&[String], &str, &str), round: &str) {
    let mut decisions = DecisionServiceClient::new(all.clone());
    assert_eq!(pseudonym(&mut GraphServiceClient::new(all.clone())).await, None, "{round}");
    for id in ids {
        let shown = read(&mut decisions, id).await;
        assert!(!shown.contains(key), "{round}: {shown}");
        let request = pb::ReplayDecisionRequest { decision_id: id.clone() };
        let replayed = decisions.replay_decision(request).await.unwrap().into_inner();
        assert!(replayed.identical, "{round}: {replayed:?}");
    }
    // Its evidence named the account.
    assert!(read(&mut decisions, &ids[5]).await.contains(shown_as), "{round}");
    let again = scored(&mut decisions, request(5)).await;
    assert_eq!(again.decision_id, ids[5], "{round}: a retry gets the first answer");
    let listed = decisions.list_decisions(pb::ListDecisionsRequest::default()).await.unwrap();
    assert!(!format!("{listed:?}").contains(key), "{round}");
    let mut audit = AccessServiceClient::new(all);
    let action = "identifier.erased".to_owned();
    let query = pb::ListAuditEntriesRequest { action, ..Default::default() };
    let entries = audit.list_audit_entries(query).await.unwrap().into_inner().entries;
    assert_eq!(entries.len(), 1, "{round}");
    assert_eq!(
        (&*entries[0].actor, &*entries[0].subject),
        ("root", &*format!("account:{shown_as}"))
    );
    assert!(entries[0].detail.ends_with("; asked by letter") && !entries[0].detail.contains(key));
    let verified = audit.verify_audit_log(pb::VerifyAuditLogRequest {}).await.unwrap();
    assert_eq!(verified.into_inner().broken, None, "{round}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_account_counts_nowhere_is_shown_nowhere_and_stays_so() {
    let folder = tempfile::tempdir().unwrap();
    let (config, data) = (config(folder.path(), &[WITH_KEYS]), folder.path().join("data"));
    let root = first_key("root", "admin,audit.read,score,review", &config, &data);
    let arguments = ["--config", config.to_str().unwrap()];
    let mut server = Server::start_with(&data, &arguments);
    let all = line(&server.url, &root).await;
    let mut decisions = DecisionServiceClient::new(all.clone());
    let mut ids = Vec::new();
    for n in 0..N_ORDERS {
        ids.push(scored(&mut decisions, request(n)).await.decision_id);
    }
    let key = pseudonym(&mut GraphServiceClient::new(all.clone())).await.expect("it is known");
    assert!(read(&mut decisions, &ids[5]).await.contains(&key), "evidence names the account");

    // Who may not, cannot.
    let mut admin = AccessServiceClient::new(all);
    let weak = make_key(&mut admin, ("desk", ""), &["score", "review", "audit.read"]).await;
    let request_of_desk =
        pb::EraseIdentifiersRequest { entities: vec![account(0)], note: String::new() };
    let mut desk = AccessServiceClient::new(line(&server.url, &weak).await);
    let refused = desk.erase_identifiers(request_of_desk).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    let shop = pb::Entity { kind: pb::EntityKind::Merchant.into(), id: "shop".to_owned() };
    let no_person = pb::EraseIdentifiersRequest { entities: vec![shop], note: String::new() };
    let refused = admin.erase_identifiers(no_person).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);

    let erased = erase(&mut admin).await;
    assert!(erased.shown_as.starts_with("erased-"), "{erased:?}");
    assert_eq!(erase(&mut admin).await, erased, "once is enough");

    // Another service that never heard of the account computes the same.
    let other_folder = tempfile::tempdir().unwrap();
    let other = Server::start(other_folder.path());
    let mut strangers =
        DecisionServiceClient::new(InterceptedService::new(connect(&other.url).await, Show(None)));
    for n in 0..N_ORDERS {
        scored(&mut strangers, nameless(n)).await;
    }
    for round in ["running", "killed", "stopped"] {
        let all = line(&server.url, &root).await;
        let mut decisions = DecisionServiceClient::new(all.clone());
        let dry = pb::ScoreOrderRequest { dry_run: true, ..nameless(N_ORDERS) };
        let here = scored(&mut decisions, dry.clone()).await;
        let there = scored(&mut strangers, dry).await;
        assert_eq!(here.risks, there.risks, "{round}");
        assert_eq!(here.evidence, there.evidence, "{round}");
        check(all, (&ids[..], &key[..], &erased.shown_as[..]), round).await;
        if round == "running" {
            server.kill();
        } else {
            server.stop();
        }
        server = Server::start_with(&data, &arguments);
    }

    // Told late, it does not come back; when the person orders again, it begins anew.
    let all = line(&server.url, &root).await;
    let mut decisions = DecisionServiceClient::new(all.clone());
    let mut graph = GraphServiceClient::new(all);
    scored(&mut decisions, request(20)).await;
    assert_eq!(pseudonym(&mut graph).await, None);
    let seconds = erased.erased_at.unwrap().seconds + 1;
    let event_time = Some(prost_types::Timestamp { seconds, nanos: 0 });
    let again = scored(&mut decisions, pb::ScoreOrderRequest { event_time, ..request(21) }).await;
    assert_eq!(pseudonym(&mut graph).await, Some(key.clone()));
    assert!(read(&mut decisions, &again.decision_id).await.contains("Decision"));
    assert!(!read(&mut decisions, &ids[0]).await.contains(&key));
}
