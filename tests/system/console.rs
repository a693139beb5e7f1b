//! The console of a running server: who gets in, and what pages say.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use orderlens::wire::pb::v1;
use orderlens::wire::pb::v1::decision_service_client::DecisionServiceClient;
use orderlens::wire::stored_decision;
use serde_json::Value;
use tempfile::tempdir;

use crate::orders;
use crate::server::Server;

/// Every page that is there without an order.
const PAGES: [&str; 10] = [
    "/queue",
    "/graph",
    "/cases",
    "/lab",
    "/experiments",
    "/models",
    "/reviews",
    "/health",
    "/admin",
    "/help",
];

/// An answer of the console.
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn field(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)).map(str::trim)
    }
}

/// Somebody's browser, without a script.
struct Visitor {
    host: String,
    cookies: Vec<String>,
}

impl Visitor {
    fn of(server: &Server) -> Self {
        let rest = server.sign_in.strip_prefix("http://").unwrap();
        let host = rest.split('/').next().unwrap().to_owned();
        Self { host, cookies: Vec::new() }
    }

    fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, "", &[])
    }

    /// A form sent from the console's own page.
    fn post(&mut self, path: &str, form: &str) -> Answer {
        let answer = self.ask("POST", path, form, &[("Sec-Fetch-Site", "same-origin")]);
        if let Some(cookie) = answer.field("set-cookie:") {
            let cookie = cookie.split(';').next().unwrap();
            let name = &cookie[..=cookie.find('=').unwrap()];
            self.cookies.retain(|kept| !kept.starts_with(name));
            self.cookies.push(cookie.to_owned());
        }
        answer
    }

    fn ask(&self, method: &str, path: &str, form: &str, headers: &[(&str, &str)]) -> Answer {
        let mut stream = TcpStream::connect(&self.host).unwrap();
        let fields = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n"));
        let fields: String = fields.collect();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\n{fields}Cookie: {}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nConnection: close\r\n\
             Content-Length: {}\r\n\r\n{form}",
            self.host,
            self.cookies.join("; "),
            form.len(),
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head: head.to_owned(), body: body.to_owned() }
    }

    /// Signs in by the link that the server printed.
    fn sign_in(&mut self, server: &Server) -> Answer {
        let link = server.sign_in.split("link=").nth(1).unwrap().to_owned();
        self.post("/sign-in", &format!("link={link}&back=/queue"))
    }
}

async fn scored(server: &Server) -> v1::Decision {
    let mut client = DecisionServiceClient::connect(server.url.clone()).await.unwrap();
    let answer = client.score_order(orders::request(1)).await.unwrap().into_inner();
    answer.decision.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_in_without_the_link_and_it_is_good_once() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path());
    let mut visitor = Visitor::of(&server);
    for page in PAGES {
        let answer = visitor.get(page);
        assert_eq!(answer.status, 303, "{page}");
        assert!(answer.field("location:").unwrap().starts_with("/sign-in?back="), "{page}");
    }
    assert_eq!(visitor.post("/sign-in", "link=guess&back=/").status, 403);
    assert_eq!(visitor.post("/sign-in", "key=guess&back=/").status, 403);
    assert_eq!(visitor.sign_in(&server).status, 303);
    assert_eq!(visitor.get("/queue").status, 200);
    assert_eq!(Visitor::of(&server).sign_in(&server).status, 403, "the link is used up");
    let session = visitor.cookies.clone();
    let out = visitor.post("/sign-out", "");
    assert_eq!(out.field("location:"), Some("/sign-in"));
    visitor.cookies = session;
    assert_eq!(visitor.get("/queue").status, 303, "the session has ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_site_cannot_act_for_somebody_who_is_signed_in() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path());
    let mut visitor = Visitor::of(&server);
    visitor.sign_in(&server);
    let decision = scored(&server).await;
    let path = format!("/decisions/{}/choice", decision.decision_id);
    let foreign = [("Sec-Fetch-Site", "cross-site"), ("Origin", "https://evil.example")];
    assert_eq!(visitor.ask("POST", &path, "action=approve", &foreign).status, 403);
    let wrong = visitor.post(&path, "action=dance");
    assert_eq!(wrong.status, 422);
    assert!(wrong.body.contains("action: is not an action"), "{}", wrong.body);
    assert_eq!(visitor.post(&path, "action=approve").status, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_there_in_both_languages_and_loads_nothing_from_elsewhere() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path());
    let mut visitor = Visitor::of(&server);
    visitor.sign_in(&server);
    let decision = scored(&server).await;
    let page = format!("/decisions/{}", decision.decision_id);
    let graph = format!("/graph?decision={}", decision.decision_id);
    for language in ["en", "zh-CN"] {
        visitor.post("/preferences", &format!("language={language}&back=/queue"));
        for page in PAGES.into_iter().chain([page.as_str(), graph.as_str()]) {
            let answer = visitor.get(page);
            assert_eq!(answer.status, 200, "{page}");
            let policy = answer.field("content-security-policy:").unwrap();
            assert!(policy.starts_with("default-src 'none'; script-src 'self'"), "{page}");
            assert!(answer.body.contains(&format!("<html lang=\"{language}\"")), "{page}");
            assert!(!answer.body.contains('⟦'), "{page} lacks a message: {}", answer.body);
            for banned in [" style=", "<style", "javascript:", "onclick", "<script>"] {
                assert!(!answer.body.contains(banned), "{page} has {banned}");
            }
            for elsewhere in ["src=\"http", "href=\"http", "action=\"http"] {
                assert!(!answer.body.contains(elsewhere), "{page} has {elsewhere}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_json_of_a_page_is_the_answer_over_the_wire() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path());
    let mut visitor = Visitor::of(&server);
    visitor.sign_in(&server);
    let answered = stored_decision::of_answer(scored(&server).await).unwrap();
    let expected = serde_json::to_value(&answered).unwrap();
    let told = visitor.get(&format!("/decisions/{}.json", answered.decision_id));
    let told: Value = serde_json::from_str(&told.body).unwrap();
    // The times that stages took are measured; an answer over the wire has them as well.
    assert_eq!(told["decision"]["risks"], expected["risks"]);
    assert_eq!(told["decision"]["impacts"], expected["impacts"]);
    assert_eq!(told["decision"]["actions"], expected["actions"]);
    assert_eq!(told["decision"]["versions"], expected["versions"]);
    assert_eq!(told["decision"]["evidence"], expected["evidence"]);
}
