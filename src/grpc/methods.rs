//! Which scope each method of the contract asks for, in one table.

use crate::domain::api_key::Scope;

/// What a caller needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Any key, where keys are required at all.
    AnyKey,
    /// One of these scopes, where keys are required or a key is shown.
    OneOf(&'static [Scope]),
    /// This scope and a key, whether or not keys are required.
    Always(Scope),
}

const SCORE: Need = Need::OneOf(&[Scope::Score]);
const REVIEW: Need = Need::OneOf(&[Scope::Review]);
const FEEDBACK: Need = Need::OneOf(&[Scope::Feedback]);
const AUTHOR: Need = Need::OneOf(&[Scope::StrategyAuthor]);
const APPROVE: Need = Need::OneOf(&[Scope::StrategyApprove]);
/// Who writes or approves has to see what there is.
const SEE: Need = Need::OneOf(&[Scope::Review, Scope::StrategyAuthor, Scope::StrategyApprove]);
const ADMIN: Need = Need::Always(Scope::Admin);
const AUDIT: Need = Need::Always(Scope::AuditRead);

/// Services of the contract.
const PACKAGE: &str = "/orderlens.v1.";

/// By service and method.
const METHODS: [(&str, Need); 40] = [
    ("AccessService/CreateApiKey", ADMIN),
    ("AccessService/EraseIdentifiers", ADMIN),
    ("AccessService/ListApiKeys", ADMIN),
    ("AccessService/ListAuditEntries", AUDIT),
    ("AccessService/RevokeApiKey", ADMIN),
    ("AccessService/RotateApiKey", ADMIN),
    ("AccessService/VerifyAuditLog", AUDIT),
    ("CaseService/FindSimilarCases", REVIEW),
    ("CaseService/GetCase", REVIEW),
    ("DecisionService/GetDecision", REVIEW),
    ("DecisionService/ListDecisions", REVIEW),
    ("DecisionService/ReplayDecision", REVIEW),
    ("DecisionService/ScoreOrder", SCORE),
    ("DecisionService/ScoreOrders", SCORE),
    ("DecisionService/WhatIf", REVIEW),
    ("EventService/IngestEvents", SCORE),
    ("ExperimentService/GetExperimentReport", SEE),
    ("ExperimentService/ListExperiments", SEE),
    ("ExperimentService/RampExperiment", AUTHOR),
    ("ExperimentService/StartExperiment", AUTHOR),
    ("ExperimentService/StopExperiment", AUTHOR),
    ("FeedbackService/RecordChoice", FEEDBACK),
    ("FeedbackService/RecordOutcome", FEEDBACK),
    ("GraphService/GetGraphStatus", REVIEW),
    ("GraphService/GetNeighborhood", REVIEW),
    ("ModelService/GetModelLiveAt", SEE),
    ("ModelService/ListModels", SEE),
    ("ModelService/PromoteModel", APPROVE),
    ("ModelService/RollbackModel", APPROVE),
    ("ReviewService/GetExplorationReport", REVIEW),
    ("ReviewService/GetReviewQueue", REVIEW),
    ("ReviewService/ListOperators", REVIEW),
    ("StrategyService/ActivateStrategy", APPROVE),
    ("StrategyService/ApproveStrategy", APPROVE),
    ("StrategyService/GetStrategy", SEE),
    ("StrategyService/ListStrategies", SEE),
    ("StrategyService/PreviewStrategy", AUTHOR),
    ("StrategyService/ProposeStrategy", AUTHOR),
    ("StrategyService/RevertStrategy", APPROVE),
    ("StrategyService/ValidateStrategy", AUTHOR),
];

/// What a method asks for, by the path of its calls; what nobody knows, nobody serves.
pub fn need_of(path: &str) -> Need {
    let name = path.strip_prefix(PACKAGE).unwrap_or_default();
    let place = METHODS.binary_search_by(|(method, _)| (*method).cmp(name));
    place.map_or(Need::AnyKey, |place| METHODS[place].1)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use prost::Message as _;
    use prost_types::FileDescriptorSet;

    use super::*;
    use crate::wire::pb::CONTRACT_DESCRIPTOR_SET;

    /// `DecisionService/ScoreOrder` of every method that is published.
    fn published() -> BTreeSet<String> {
        let set = FileDescriptorSet::decode(CONTRACT_DESCRIPTOR_SET).unwrap();
        let services = set.file.iter().flat_map(|file| &file.service);
        let methods = services.flat_map(|service| {
            service.method.iter().map(|method| format!("{}/{}", service.name(), method.name()))
        });
        methods.collect()
    }

    #[test]
    fn every_published_method_asks_for_a_scope_and_no_other_is_listed() {
        let listed: BTreeSet<String> = METHODS.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(listed, published());
    }

    #[test]
    fn the_table_is_sorted_so_that_it_can_be_searched() {
        assert!(METHODS.is_sorted_by(|(one, _), (next, _)| one < next));
        assert_eq!(need_of("/orderlens.v1.DecisionService/ScoreOrder"), SCORE);
        assert_eq!(need_of("/orderlens.v1.AccessService/CreateApiKey"), ADMIN);
        for unknown in ["/other.v1.DecisionService/ScoreOrder", "/orderlens.v1.", "", "/"] {
            assert_eq!(need_of(unknown), Need::AnyKey);
        }
    }
}
