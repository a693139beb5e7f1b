//! What the readers of sources and sinks say of the words of the service file.

use std::path::Path;

use crate::config::outside::{Environment, OutsideRules};
use crate::relay::carrier::{address, authorities};
use crate::relay::notice::NoticeKind;
use crate::relay::signature::Secret;
use crate::stream::settings::Servers;
use crate::workflow::event_health::EventKind;

/// Rules by the readers that a start uses as well.
pub fn outside_rules(environment: Environment) -> OutsideRules {
    let told = EventKind::ALL.into_iter().filter(|kind| *kind != EventKind::Unreadable);
    OutsideRules {
        event_kinds: told.map(EventKind::as_str).collect(),
        notice_kinds: NoticeKind::ALL.map(NoticeKind::as_str).to_vec(),
        secret: |text| right(Secret::read(text)),
        brokers: |text| right(Servers::parse(text)),
        url: |text| right(address(text)),
        authorities: |text| right(authorities(Path::new(text))),
        environment,
    }
}

fn right<T, E: std::fmt::Display>(read: Result<T, E>) -> Result<(), String> {
    read.map(drop).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::EMBEDDED_SERVICE;
    use crate::config::service::parse_to_serve;

    /// Every part has a mistake: a variable is not set, holds no secret or no address.
    const WRONG: &str = r#"
[sources.webhook.senders.shop]
secret_variable = "ORDERLENS_NOT_SET"
kinds = ["order_mislaid", "unreadable", "order_paid"]
[sources.nats.house]
url_variable = "ORDERLENS_NOT_SET"
stream = "HOUSE"
subject = "a b"
kinds = ["order_paid", "decision"]
[deliveries.sinks.web]
url = "https://"
secret_variable = "CARGO_PKG_NAME"
ca_file = "/dev/null"
kinds = ["decisions"]
[deliveries.sinks.bus]
url_variable = "PATH"
stream = "S"
subject = "s"
kinds = ["order_paid"]
"#;

    fn mistakes(environment: Environment) -> Vec<String> {
        let text = format!("{EMBEDDED_SERVICE}{WRONG}").replacen("retention_days = ", "days = ", 1);
        let errors = parse_to_serve("service.toml", &text, &outside_rules(environment));
        errors.unwrap_err().mistakes.into_iter().map(|it| it.message).collect()
    }

    #[test]
    fn every_wrong_word_of_sources_and_sinks_is_named_beside_the_other_mistakes() {
        let (web, bus) = ("deliveries.sinks.web", "deliveries.sinks.bus");
        let (shop, house) = ("sources.webhook.senders.shop", "sources.nats.house");
        let of_file = [
            format!("{shop}.kinds: `order_mislaid` is not known here"),
            format!("{shop}.kinds: `unreadable` is not known here"),
            format!("{house}.subject is no subject"),
            format!("{house}.kinds: `decision` is not known here"),
            format!("{web}.url is no address"),
            format!("{web}.kinds: `decisions` is not known here"),
            format!("{bus}.kinds: `order_paid` is not known here"),
        ];
        let of_environment = [
            format!("{shop}.secret_variable: ORDERLENS_NOT_SET is not set"),
            format!("{house}.url_variable: ORDERLENS_NOT_SET is not set"),
            format!("{web}.secret_variable: what CARGO_PKG_NAME holds does not fit"),
            format!("{web}.ca_file names no file of certificates"),
            format!("{bus}.url_variable: what PATH holds does not fit"),
        ];
        let (here, there) = (mistakes(Environment::Same), mistakes(Environment::Other));
        for expected in &of_file {
            assert!(here.contains(expected) && there.contains(expected), "{expected}: {here:#?}");
        }
        for expected in &of_environment {
            assert!(here.contains(expected), "{expected}: {here:#?}");
        }
        assert_eq!(here.len(), there.len() + of_environment.len());
        assert!(there.len() > of_file.len(), "the rest of the file is told as well: {there:#?}");
    }
}
