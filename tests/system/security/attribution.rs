//! Whose name stands under what is told: real server, keys, restart.

use orderlens::wire::pb::v1 as pb;
use orderlens::wire::pb::v1::access_service_client::AccessServiceClient;
use orderlens::wire::pb::v1::decision_service_client::DecisionServiceClient;
use orderlens::wire::pb::v1::feedback_service_client::FeedbackServiceClient;
use orderlens::wire::pb::v1::strategy_service_client::StrategyServiceClient;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::orders;
use crate::security::{Line, WITH_KEYS, config, first_key, key_command, line, make_key, unwrapped};
use crate::server::{Server, orderlens};

const STRATEGY: &str = include_str!("../../../config/strategy.toml");

fn told(status: &Status) -> (Code, String) {
    let reason = status.get_details_error_info().map(|info| info.reason).unwrap_or_default();
    (status.code(), reason)
}

fn proposal(author: &str) -> pb::ProposeStrategyRequest {
    let strategy_toml = STRATEGY.replacen("name = \"standard\"", "name = \"own\"", 1);
    pb::ProposeStrategyRequest { strategy_toml, author: author.to_owned(), note: String::new() }
}

async fn approve(
    client: &mut StrategyServiceClient<Line>,
    hash: &str,
    approver: &str,
) -> Result<pb::StrategyVersion, Status> {
    let (hash, approver, note) = (hash.to_owned(), approver.to_owned(), String::new());
    let request = pb::ApproveStrategyRequest { hash, approver, note };
    let answer = client.approve_strategy(request).await?.into_inner();
    Ok(answer.strategy.expect("a version"))
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_approves_their_own_strategy_under_whatever_name_or_key() {
    let folder = tempfile::tempdir().unwrap();
    let (config, data) = (config(folder.path(), &[WITH_KEYS]), folder.path().join("data"));
    let root = first_key("root", "admin,audit.read", &config, &data);
    let server = Server::start_with(&data, &["--config", config.to_str().unwrap()]);
    let mut admin = AccessServiceClient::new(line(&server.url, &root).await);
    let writes = make_key(&mut admin, ("lin-lab", "lin"), &["strategy.author"]).await;
    let both = ["strategy.author", "strategy.approve"];
    let second = make_key(&mut admin, ("lin-desk", "lin"), &both).await;
    let other = make_key(&mut admin, ("wang", ""), &["strategy.approve"]).await;
    let mut author = StrategyServiceClient::new(line(&server.url, &writes).await);
    let mut same_owner = StrategyServiceClient::new(line(&server.url, &second).await);
    let mut colleague = StrategyServiceClient::new(line(&server.url, &other).await);

    // The author is who has the key, and nobody else.
    let refused = author.propose_strategy(proposal("wang")).await.unwrap_err();
    let not_owner = (Code::PermissionDenied, "SIGNER_NOT_OWNER".to_owned());
    assert_eq!(told(&refused), not_owner);
    let proposed = author.propose_strategy(proposal("")).await.unwrap().into_inner();
    let proposed = proposed.strategy.unwrap();
    assert_eq!(proposed.proposed.unwrap().by, "lin");
    let hash = proposed.hash;

    // Neither the key that wrote it, nor another of its owner, nor another name.
    let refused = approve(&mut author, &hash, "").await.unwrap_err();
    assert_eq!(told(&refused), (Code::PermissionDenied, "SCOPE_MISSING".to_owned()));
    for named in ["", "lin"] {
        let refused = approve(&mut same_owner, &hash, named).await.unwrap_err();
        assert_eq!(refused.code(), Code::FailedPrecondition, "{refused:?}");
        assert!(refused.message().contains("cannot approve it"), "{refused:?}");
    }
    for named in ["wang", "Lin", "lin ", "lin-lab", "root"] {
        let refused = approve(&mut same_owner, &hash, named).await.unwrap_err();
        assert_eq!(told(&refused), not_owner, "{named}");
    }
    let approved = approve(&mut colleague, &hash, "").await.unwrap();
    assert_eq!(approved.approved.unwrap().by, "wang");
}

#[tokio::test(flavor = "multi_thread")]
async fn feedback_is_recorded_under_the_owner_of_the_key() {
    let folder = tempfile::tempdir().unwrap();
    let (config, data) = (config(folder.path(), &[WITH_KEYS]), folder.path().join("data"));
    let root = first_key("desk", "score,feedback", &config, &data);
    let server = Server::start_with(&data, &["--config", config.to_str().unwrap()]);
    let line = line(&server.url, &root).await;
    let mut decisions = DecisionServiceClient::new(line.clone());
    let scored = decisions.score_order(orders::request(1)).await.unwrap().into_inner();
    let decision_id = scored.decision.unwrap().decision_id;
    let mut feedback = FeedbackServiceClient::new(line);
    let names = [("1", "zhou"), ("2", ""), ("3", "desk"), ("4", "wang/desk")];
    for (id, operator) in names {
        let choice = pb::OperatorChoice {
            choice_id: id.to_owned(),
            operator_id: operator.to_owned(),
            ..orders::choice(1, &decision_id)
        };
        feedback.record_choice(pb::RecordChoiceRequest { choice: Some(choice) }).await.unwrap();
    }
    let outcome = pb::Outcome {
        outcome_id: "o1".to_owned(),
        decision_id: Some(decision_id.clone()),
        kind: pb::OutcomeKind::Refund.into(),
        occurred_at: orders::choice(1, &decision_id).decided_at,
        source: pb::OutcomeSource::Network.into(),
        told_by: Some("somebody else".to_owned()),
        ..Default::default()
    };
    for _ in 0..2 {
        let request = pb::RecordOutcomeRequest { outcome: Some(outcome.clone()) };
        feedback.record_outcome(request).await.unwrap();
    }
    server.kill();
    assert_eq!(recorded(&data), ["desk/zhou", "desk", "desk", "desk/wang/desk", "told by desk"]);
}

/// Who stands under the feedback of a journal, in its order.
fn recorded(data: &std::path::Path) -> Vec<String> {
    use orderlens::domain::event::Fact;
    use orderlens::domain::record::Record;
    use orderlens::store::journal::reader::JournalReader;
    use orderlens::store::log::read_from;
    let reader = JournalReader::open(&data.join("journal")).unwrap();
    let mut names = Vec::new();
    for entry in read_from(&reader, 1) {
        let Record::Event(received) = entry.unwrap().1 else { continue };
        let fact = received.event.fact;
        if let Fact::Choice(choice) = fact {
            names.push(choice.operator_id.into_string());
        } else if let Fact::Outcome(outcome) = fact {
            names.push(format!("told by {}", outcome.told_by.unwrap_or_default()));
        }
    }
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_outlive_a_crash_and_every_change_of_one_is_in_the_chain() {
    let folder = tempfile::tempdir().unwrap();
    let (config, data) = (config(folder.path(), &[WITH_KEYS]), folder.path().join("data"));
    let arguments = ["--config", config.to_str().unwrap()];
    let root = first_key("root", "admin,audit.read", &config, &data);
    let server = Server::start_with(&data, &arguments);
    let busy = key_command(&["list"], &config, &data);
    assert!(!busy.status.success(), "a server has the folder open");
    let said = unwrapped(&busy.stderr);
    assert!(said.contains("--server"), "{said}");

    let mut admin = AccessServiceClient::new(line(&server.url, &root).await);
    let old = make_key(&mut admin, ("shop", ""), &["score"]).await;
    let name = || "shop".to_owned();
    let rotate = pb::RotateApiKeyRequest { name: name(), note: "yearly".to_owned() };
    let new = admin.rotate_api_key(rotate).await.unwrap().into_inner().secret;
    let again = pb::CreateApiKeyRequest {
        name: name(),
        scopes: vec!["admin".to_owned()],
        ..Default::default()
    };
    let refused = admin.create_api_key(again).await.unwrap_err();
    assert_eq!(told(&refused), (Code::FailedPrecondition, "KEY_NAME_USED".to_owned()));
    let gone = pb::RevokeApiKeyRequest { name: "nobody".to_owned(), note: String::new() };
    let refused = admin.revoke_api_key(gone).await.unwrap_err();
    assert_eq!(told(&refused), (Code::NotFound, "API_KEY_UNKNOWN".to_owned()));

    server.kill();
    let server = Server::start_with(&data, &arguments);
    let score = async |secret: &str| {
        let mut client = DecisionServiceClient::new(line(&server.url, secret).await);
        client.score_order(orders::request(1)).await.map(drop).map_err(|it| it.code())
    };
    assert_eq!(score(&old).await, Err(Code::Unauthenticated));
    assert_eq!(score(&new).await, Ok(()));
    assert_eq!(score(&root).await, Err(Code::PermissionDenied));
    let mut admin = AccessServiceClient::new(line(&server.url, &root).await);
    for _ in 0..2 {
        let revoke = pb::RevokeApiKeyRequest { name: name(), note: String::new() };
        let key = admin.revoke_api_key(revoke).await.unwrap().into_inner().key.unwrap();
        assert!(!key.is_active);
    }
    assert_eq!(score(&new).await, Err(Code::Unauthenticated));

    let request =
        pb::ListAuditEntriesRequest { action: "api_key".to_owned(), ..Default::default() };
    let entries = admin.list_audit_entries(request).await.unwrap().into_inner().entries;
    let told: Vec<(&str, &str)> = entries.iter().map(|it| (&*it.actor, &*it.subject)).collect();
    let root_was_here = ("root", "shop");
    let first = ("command line", "root");
    assert_eq!(told, [root_was_here, root_was_here, root_was_here, first]);
    assert!(entries[1].detail.ends_with("; yearly"), "{}", entries[1].detail);
    let secrets = [&root, &old, &new];
    let is_shown = |text: &str| secrets.iter().any(|secret| text.contains(&secret[3..]));
    assert!(!entries.iter().any(|entry| is_shown(&entry.detail)));
    let verified = admin.verify_audit_log(pb::VerifyAuditLogRequest {}).await.unwrap();
    assert_eq!(verified.into_inner().broken, None);

    server.kill();
    let listed = key_command(&["list"], &config, &data);
    let listed: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap();
    let names: Vec<_> = listed.as_array().unwrap().iter().map(|key| &key["name"]).collect();
    assert_eq!(names, ["root", "shop"]);
}

#[test]
fn an_address_that_others_reach_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = orderlens();
    command.args(["serve", "--listen", "0.0.0.0:0", "--console", "127.0.0.1:0", "--data"]);
    let refused = command.arg(folder.path().join("data")).output().unwrap();
    assert!(!refused.status.success());
    let said = unwrapped(&refused.stderr);
    assert!(said.contains("nobody would have to show a key"), "{said}");
    assert!(said.contains("keys_required = true"), "{said}");
    assert!(!folder.path().join("data").exists(), "it looks before it opens anything");
}
