//! The graph over the wire: in pseudonyms, the same after a kill.

use orderlens::wire::pb::v1;
use orderlens::wire::pb::v1::decision_service_client::DecisionServiceClient;
use orderlens::wire::pb::v1::graph_service_client::GraphServiceClient;
use tonic::Code;
use tonic_types::StatusExt as _;

use crate::orders;
use crate::server::Server;

const N_ORDERS: u64 = 40;

fn around_ip(id: &str) -> v1::GetNeighborhoodRequest {
    v1::GetNeighborhoodRequest {
        seeds: vec![v1::Entity { kind: v1::EntityKind::Ip.into(), id: id.to_owned() }],
        kinds: vec![v1::EntityKind::Account.into(), v1::EntityKind::Sku.into()],
        ..v1::GetNeighborhoodRequest::default()
    }
}

async fn ask(
    server: &Server,
    request: v1::GetNeighborhoodRequest,
) -> Result<v1::GetNeighborhoodResponse, tonic::Status> {
    let mut client = GraphServiceClient::connect(server.url.clone()).await.unwrap();
    client.get_neighborhood(request).await.map(tonic::Response::into_inner)
}

async fn status(server: &Server) -> v1::GetGraphStatusResponse {
    let mut client = GraphServiceClient::connect(server.url.clone()).await.unwrap();
    client.get_graph_status(v1::GetGraphStatusRequest {}).await.unwrap().into_inner()
}

#[tokio::test]
async fn a_view_shows_who_met_whom_and_is_the_same_after_a_kill() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let mut client = DecisionServiceClient::connect(server.url.clone()).await.unwrap();
    for n in 0..N_ORDERS {
        client.score_order(orders::request(n)).await.unwrap();
    }
    // Orders 3 and 34 came from this address, the later one first.
    let mut request = around_ip("192.0.2.3");
    request.as_of = orders::request(N_ORDERS).event_time;
    let view = ask(&server, request.clone()).await.unwrap();
    let kinds: Vec<v1::EntityKind> =
        view.nodes.iter().map(|node| node.entity.as_ref().unwrap().kind()).collect();
    let (ip, account, sku) = (v1::EntityKind::Ip, v1::EntityKind::Account, v1::EntityKind::Sku);
    assert_eq!(kinds, [ip, account, sku, account, sku]);
    assert_eq!(
        (view.nodes[2].label.as_str(), view.nodes[4].label.as_str()),
        ("sku:SKU-34", "sku:SKU-3")
    );
    assert_eq!((view.nodes[0].n_orders, view.edges.len(), view.is_truncated), (2, 4, false));
    let text = format!("{view:?}");
    assert!(!text.contains("192.0.2.3") && !text.contains("synthetic-account"), "{text}");

    // A pseudonym that was given out asks for the same node.
    let mut again = request.clone();
    again.seeds = vec![view.nodes[0].entity.clone().unwrap()];
    assert_eq!(ask(&server, again).await.unwrap(), view);
    server.kill();
    let server = Server::start(data.path());
    assert_eq!(ask(&server, request.clone()).await.unwrap(), view);

    request.fan_out_max = 1;
    let cut = ask(&server, request).await.unwrap();
    assert_eq!((cut.nodes.len(), cut.is_truncated, cut.nodes[0].is_truncated), (2, true, true));
    let refused = ask(&server, v1::GetNeighborhoodRequest::default()).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert_eq!(refused.get_details_bad_request().unwrap().field_violations[0].field, "seeds");
}

#[tokio::test]
async fn the_status_of_the_graph_counts_what_was_told_and_is_the_same_after_a_kill() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let mut client = DecisionServiceClient::connect(server.url.clone()).await.unwrap();
    for n in 0..N_ORDERS {
        client.score_order(orders::request(n)).await.unwrap();
    }
    // The same order under another id is answered, but counts once.
    let mut again = orders::request(0);
    again.request_id = "again".to_owned();
    client.score_order(again).await.unwrap();
    let before = status(&server).await;
    assert_eq!((before.n_orders, before.n_orders_kept, before.n_repeated), (N_ORDERS, N_ORDERS, 1));
    assert_eq!((before.n_shed, before.shed_until, before.is_cut_by_shedding), (0, None, false));
    server.kill();
    assert_eq!(status(&Server::start(data.path())).await, before);
}

#[tokio::test]
async fn a_view_around_an_account_names_the_consumers_other_accounts_and_why() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let mut client = DecisionServiceClient::connect(server.url.clone()).await.unwrap();
    let phone = v1::Entity { kind: v1::EntityKind::Phone.into(), id: "synthetic-phone".to_owned() };
    let mut accounts = Vec::new();
    for n in [1, 2] {
        let mut request = orders::request(n);
        let entities = &mut request.order.as_mut().unwrap().entities;
        entities.push(phone.clone());
        accounts.push(entities[0].clone());
        client.score_order(request).await.unwrap();
    }
    let request = v1::GetNeighborhoodRequest {
        seeds: accounts,
        as_of: orders::request(3).event_time,
        ..v1::GetNeighborhoodRequest::default()
    };
    let view = ask(&server, request).await.unwrap();
    let [one, back] = &view.identities[..] else { panic!("{:?}", view.identities) };
    assert_eq!((&one.account, &one.other), (&back.other, &back.account));
    assert!((0.9..1.0).contains(&one.confidence), "{one:?}");
    let [evidence] = &one.evidence[..] else { panic!("{one:?}") };
    assert_eq!((evidence.carriers[0].kind(), evidence.n_orders), (v1::EntityKind::Phone, 1));
    assert_eq!(evidence.first_seen, orders::request(2).event_time);
    let text = format!("{view:?}");
    assert!(!text.contains("synthetic-phone") && !text.contains("synthetic-account"), "{text}");
}
