"""A stranger's client of orderlens: stock grpcio and the published proto only.

Run by run.sh. Works against any server, again and again: every run uses ids of its own.
"""

import sys
import time
import traceback
import uuid

import grpc
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2 as alpha_pb2
from grpc_reflection.v1alpha import reflection_pb2_grpc as alpha_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)
from grpc_status import rpc_status

from orderlens.v1 import common_pb2 as common
from orderlens.v1 import decision_pb2 as decisions
from orderlens.v1 import decision_service_pb2 as api
from orderlens.v1 import decision_service_pb2_grpc as api_grpc
from orderlens.v1 import event_pb2 as events
from orderlens.v1 import event_service_pb2 as event_api
from orderlens.v1 import event_service_pb2_grpc as event_grpc
from orderlens.v1 import feedback_pb2 as feedback
from orderlens.v1 import feedback_service_pb2 as feedback_api
from orderlens.v1 import feedback_service_pb2_grpc as feedback_grpc
from orderlens.v1 import order_pb2 as orders
from orderlens.v1 import what_if_pb2 as what_if

RUN = uuid.uuid4().hex[:12]
CHANNEL = f"py-{RUN}"
SERVICES = ("DecisionService", "EventService", "FeedbackService")
TIMEOUT_S = 10


class Client:
    def __init__(self, address):
        self.channel = grpc.insecure_channel(address)
        self.decisions = api_grpc.DecisionServiceStub(self.channel)
        self.events = event_grpc.EventServiceStub(self.channel)
        self.feedback = feedback_grpc.FeedbackServiceStub(self.channel)


def now(offset_s=0):
    stamp = Timestamp()
    stamp.FromMicroseconds(int((time.time() + offset_s) * 1e6))
    return stamp


def money(minor_units, currency_code="CNY"):
    return common.Money(currency_code=currency_code, minor_units=minor_units)


def entity(kind, value):
    return common.Entity(kind=kind, id=value)


def order_request(name, minor_units=129_950, **fields):
    order = orders.Order(
        key=common.OrderKey(channel=CHANNEL, order_id=name),
        amount=money(minor_units),
        items=[orders.OrderItem(sku_id="LIM-001", quantity=2, unit_price=money(64_975))],
        entities=[
            entity(common.ENTITY_KIND_ACCOUNT, f"buyer-{RUN}"),
            entity(common.ENTITY_KIND_IP, "203.0.113.7"),
            entity(common.ENTITY_KIND_DEVICE, f"device-{RUN}"),
            entity(common.ENTITY_KIND_PHONE, "+8613800138000"),
        ],
        payment_kind=orders.PAYMENT_KIND_CARD,
        countries=orders.Countries(ip="US", shipping="CN"),
    )
    order.attributes["coupon_share"].number = 0.25
    order.attributes["source"].category = "app"
    fields.setdefault("event_time", now())
    return api.ScoreOrderRequest(order=order, **fields)


def score(client, name, **fields):
    return client.decisions.ScoreOrder(order_request(name, **fields), timeout=TIMEOUT_S)


def error_of(call, *arguments, **options):
    """The code and the typed details of a call that must fail."""
    try:
        call(*arguments, timeout=TIMEOUT_S, **options)
    except grpc.RpcError as error:
        return error.code(), details_of(rpc_status.from_call(error))
    raise AssertionError("the call succeeded")


def details_of(status):
    found = {}
    for detail in status.details if status else ():
        for kind in (
            error_details_pb2.BadRequest,
            error_details_pb2.ErrorInfo,
            error_details_pb2.RetryInfo,
        ):
            if detail.Is(kind.DESCRIPTOR):
                message = kind()
                detail.Unpack(message)
                found[kind.DESCRIPTOR.name] = message
    return found


def adds_up(risk):
    total = risk.base + risk.omitted_log_odds + sum(c.log_odds for c in risk.contributions)
    return abs(total - risk.raw_log_odds) < 1e-9


def an_order_is_scored_and_explained(client):
    response = score(client, "scored")
    decision = response.decision
    assert not response.replayed and not response.dry_run
    assert uuid.UUID(decision.decision_id).version == 7, decision.decision_id
    assert decision.order.order_id == "scored"
    assert decision.risks and 1 <= len(decision.actions) <= 3
    assert [action.rank for action in decision.actions] == list(
        range(1, len(decision.actions) + 1)
    )
    for risk in decision.risks:
        assert 0 <= risk.probability <= 1
        assert risk.interval.lower <= risk.probability <= risk.interval.upper
        assert risk.band != decisions.RISK_BAND_UNSPECIFIED and risk.head_id
        assert len(risk.contributions) <= 12 and adds_up(risk), risk.head_id
    for action in decision.actions:
        assert 0 <= action.p_best <= 1 and 0 <= action.p_confirm <= 1
        assert action.title.en and action.title.zh
    versions = decision.versions
    assert versions.model and len(versions.model_hash) == 64
    assert versions.strategy and len(versions.strategy_hash) == 64
    assert decision.times.HasField("event_time") and decision.times.HasField("received_time")
    assert decision.assignment.propensity > 0
    assert decision.impacts and decision.stage_timings


def personal_identifiers_do_not_come_back(client):
    decision = score(client, "personal", explain_level=api.EXPLAIN_LEVEL_FULL).decision
    text = str(decision)
    for raw in (f"buyer-{RUN}", "203.0.113.7", f"device-{RUN}", "13800138000"):
        assert raw not in text, raw


def an_explain_level_bounds_the_contributions_and_they_still_add_up(client):
    sizes = []
    for level in (api.EXPLAIN_LEVEL_NONE, api.EXPLAIN_LEVEL_TOP_K, api.EXPLAIN_LEVEL_FULL):
        decision = score(client, f"explain-{level}", explain_level=level).decision
        assert all(adds_up(risk) for risk in decision.risks)
        sizes.append(max(len(risk.contributions) for risk in decision.risks))
    assert sizes[0] == 0 and sizes[1] <= 12 and sizes[1] <= sizes[2], sizes


def a_stream_answers_every_item_and_a_bad_one_fails_alone(client):
    def items():
        for n in range(50):
            request = order_request(f"stream-{n}")
            if n == 17:
                request.order.items[0].quantity = 0
            yield api.ScoreOrdersRequest(item_id=str(n), request=request)

    answers = {
        answer.item_id: answer
        for answer in client.decisions.ScoreOrders(items(), timeout=TIMEOUT_S)
    }
    assert len(answers) == 50
    for item_id, answer in answers.items():
        if item_id == "17":
            assert answer.WhichOneof("result") == "error"
            assert answer.error.code == grpc.StatusCode.INVALID_ARGUMENT.value[0]
            violations = details_of(answer.error)["BadRequest"].field_violations
            assert [v.field for v in violations] == ["order.items[0].quantity"], violations
        else:
            decision = answer.response.decision
            assert decision.order.order_id == f"stream-{item_id}"


def the_same_request_again_gets_the_first_answer(client):
    request = order_request("again", request_id=f"request-{RUN}")
    first = client.decisions.ScoreOrder(request, timeout=TIMEOUT_S)
    second = client.decisions.ScoreOrder(request, timeout=TIMEOUT_S)
    assert not first.replayed and second.replayed
    assert first.decision == second.decision


def another_body_under_the_same_id_names_the_differing_fields(client):
    request = order_request("reused")
    client.decisions.ScoreOrder(request, timeout=TIMEOUT_S)
    request.order.amount.minor_units += 1
    code, details = error_of(client.decisions.ScoreOrder, request)
    assert code == grpc.StatusCode.ALREADY_EXISTS, code
    info = details["ErrorInfo"]
    assert (info.domain, info.reason) == ("orderlens", "ID_REUSED"), info
    assert "order.amount" in info.metadata["fields"], info


def a_decision_reads_back_as_it_was_given(client):
    given = score(client, "read-back").decision
    get = client.decisions.GetDecision
    by_id = get(
        api.GetDecisionRequest(decision_id=given.decision_id), timeout=TIMEOUT_S
    ).decision
    by_order = get(api.GetDecisionRequest(order=given.order), timeout=TIMEOUT_S).decision
    assert by_id == given and by_order == given


def an_unknown_decision_is_not_found(client):
    request = api.GetDecisionRequest(decision_id=str(uuid.uuid4()))
    code, details = error_of(client.decisions.GetDecision, request)
    assert code == grpc.StatusCode.NOT_FOUND, code
    assert details["ErrorInfo"].reason == "DECISION_UNKNOWN"


def pages_list_every_decision_once_newest_first(client):
    for n in range(5):
        score(client, f"page-{n}")
    listed = []
    filters = api.DecisionFilter(channel=CHANNEL)
    token = ""
    while True:
        page = client.decisions.ListDecisions(
            api.ListDecisionsRequest(filter=filters, page_size=3, page_token=token),
            timeout=TIMEOUT_S,
        )
        assert len(page.decisions) <= 3
        listed += [decision.decision_id for decision in page.decisions]
        token = page.next_page_token
        if not token:
            break
    assert 5 <= len(listed) == len(set(listed))
    assert listed == sorted(listed, reverse=True)


def a_page_token_of_another_filter_is_refused(client):
    filters = api.DecisionFilter(channel=CHANNEL)
    for n in range(2):
        score(client, f"token-{n}")
    page = client.decisions.ListDecisions(
        api.ListDecisionsRequest(filter=filters, page_size=1), timeout=TIMEOUT_S
    )
    assert page.next_page_token
    other = api.ListDecisionsRequest(page_size=1, page_token=page.next_page_token)
    code, details = error_of(client.decisions.ListDecisions, other)
    assert code == grpc.StatusCode.INVALID_ARGUMENT
    assert [v.field for v in details["BadRequest"].field_violations] == ["page_token"]


def a_what_if_answers_twice_and_records_nothing(client):
    given = score(client, "what-if").decision
    answer = client.decisions.WhatIf(
        api.WhatIfRequest(
            decision_id=given.decision_id,
            overrides=orders.Order(amount=money(9_900_000)),
            override_mask=FieldMask(paths=["amount", "entities.ip", "attributes.source"]),
        ),
        timeout=TIMEOUT_S,
    )
    before = [risk.raw_log_odds for risk in answer.baseline.risks]
    after = [risk.raw_log_odds for risk in answer.changed.risks]
    assert before == [risk.raw_log_odds for risk in given.risks]
    assert before != after
    read = client.decisions.GetDecision(
        api.GetDecisionRequest(order=given.order), timeout=TIMEOUT_S
    )
    assert read.decision.decision_id == given.decision_id


def a_what_if_tells_what_moved_and_what_would_turn_it(client):
    given = score(client, "what-if-moves").decision
    answer = client.decisions.WhatIf(
        api.WhatIfRequest(
            decision_id=given.decision_id,
            overrides=orders.Order(amount=money(9_900_000)),
            override_mask=FieldMask(paths=["amount"]),
            target=what_if.ProbabilityTarget(
                risk_type=common.RISK_TYPE_PAYMENT_FRAUD, probability=0.0001
            ),
            strategy_ref=given.versions.strategy,
        ),
        timeout=TIMEOUT_S,
    )
    assert answer.changed.is_hypothetical and not answer.baseline.is_hypothetical
    for risk in answer.difference.risks:
        listed = sum(it.log_odds_after - it.log_odds_before for it in risk.contributions)
        moved = risk.raw_log_odds_after - risk.raw_log_odds_before
        assert abs(listed + risk.omitted_log_odds - moved) < 1e-9, risk
    last = answer.counterfactuals[-1]
    assert last.aim == decisions.COUNTERFACTUAL_AIM_GIVEN_PROBABILITY, answer.counterfactuals
    assert last.head_id == "payment_fraud"


def a_what_if_names_every_path_it_cannot_replace(client):
    given = score(client, "what-if-paths").decision
    request = api.WhatIfRequest(
        decision_id=given.decision_id,
        override_mask=FieldMask(paths=["amount", "key.order_id", "entities.sku"]),
    )
    code, details = error_of(client.decisions.WhatIf, request)
    assert code == grpc.StatusCode.INVALID_ARGUMENT
    fields = [v.field for v in details["BadRequest"].field_violations]
    assert fields == ["override_mask.paths[1]", "override_mask.paths[2]"], fields


def a_dry_run_leaves_nothing_behind(client):
    response = score(client, "dry", dry_run=True)
    assert response.dry_run and response.decision.risks
    request = api.GetDecisionRequest(order=response.decision.order)
    code, _ = error_of(client.decisions.GetDecision, request)
    assert code == grpc.StatusCode.NOT_FOUND


def a_replay_is_identical(client):
    given = score(client, "replay").decision
    answer = client.decisions.ReplayDecision(
        api.ReplayDecisionRequest(decision_id=given.decision_id), timeout=TIMEOUT_S
    )
    assert answer.identical and not answer.differences, answer


def events_are_acknowledged_in_order_and_a_bad_one_alone_is_rejected(client):
    key = common.OrderKey(channel=CHANNEL, order_id="scored")
    score(client, "events")
    paid = events.Event(
        event_id=f"paid-{RUN}", event_time=now(), order_paid=events.OrderAmount(order=key)
    )
    bad = events.Event(
        event_id=f"bad-{RUN}",
        event_time=now(7 * 86_400),
        order_cancelled=events.OrderCancelled(order=key, reason=events.CancelReason()),
    )
    shipped = events.Event(
        event_id=f"shipped-{RUN}", event_time=now(), order_shipped=events.OrderStep(order=key)
    )
    stream = (event_api.IngestEventsRequest(event=e) for e in (paid, bad, paid, shipped))
    acks = list(client.events.IngestEvents(stream, timeout=TIMEOUT_S))
    assert [ack.event_id for ack in acks] == [
        f"paid-{RUN}",
        f"bad-{RUN}",
        f"paid-{RUN}",
        f"shipped-{RUN}",
    ]
    assert [ack.status for ack in acks] == [
        event_api.INGEST_STATUS_ACCEPTED,
        event_api.INGEST_STATUS_REJECTED,
        event_api.INGEST_STATUS_DUPLICATE,
        event_api.INGEST_STATUS_ACCEPTED,
    ], acks
    violations = details_of(acks[1].error)["BadRequest"].field_violations
    assert [v.field for v in violations] == [
        "event.event_time",
        "event.order_cancelled.reason.source",
        "event.order_cancelled.reason.type",
        "event.order_cancelled.reason.level",
    ], violations


def a_choice_is_recorded_once(client):
    given = score(client, "choice").decision
    request = feedback_api.RecordChoiceRequest(
        choice=feedback.OperatorChoice(
            choice_id=f"choice-{RUN}",
            decision_id=given.decision_id,
            operator_id="operator-7",
            action=given.actions[0].action,
            chosen_rank=1,
            opened_at=now(-60),
            decided_at=now(),
        )
    )
    first = client.feedback.RecordChoice(request, timeout=TIMEOUT_S)
    second = client.feedback.RecordChoice(request, timeout=TIMEOUT_S)
    assert first.status == event_api.INGEST_STATUS_ACCEPTED
    assert second.status == event_api.INGEST_STATUS_DUPLICATE
    request.choice.choice_id += "-other"
    request.choice.decision_id = str(uuid.uuid4())
    code, _ = error_of(client.feedback.RecordChoice, request)
    assert code == grpc.StatusCode.NOT_FOUND


def an_outcome_is_recorded_once(client):
    given = score(client, "outcome").decision
    request = feedback_api.RecordOutcomeRequest(
        outcome=feedback.Outcome(
            outcome_id=f"outcome-{RUN}",
            decision_id=given.decision_id,
            order=given.order,
            kind=feedback.OUTCOME_KIND_CHARGEBACK_OPENED,
            amount=money(129_950),
            occurred_at=now(),
            source=feedback.OUTCOME_SOURCE_NETWORK,
        )
    )
    first = client.feedback.RecordOutcome(request, timeout=TIMEOUT_S)
    second = client.feedback.RecordOutcome(request, timeout=TIMEOUT_S)
    assert first.status == event_api.INGEST_STATUS_ACCEPTED
    assert second.status == event_api.INGEST_STATUS_DUPLICATE
    request.outcome.kind = feedback.OUTCOME_KIND_REFUND
    code, details = error_of(client.feedback.RecordOutcome, request)
    assert code == grpc.StatusCode.ALREADY_EXISTS
    assert details["ErrorInfo"].metadata["id"] == f"outcome-{RUN}"


def every_violation_of_a_broken_order_is_named_at_once(client):
    request = order_request("broken", max_actions=11, explain_level=99)
    request.event_time.CopyFrom(now(2 * 86_400))
    order = request.order
    order.key.channel = ""
    order.amount.currency_code = "yuan"
    order.discount.CopyFrom(money(-1))
    order.items.append(orders.OrderItem(sku_id="x" * 300, quantity=0))
    order.entities.append(entity(common.ENTITY_KIND_IP, "198.51.100.1"))
    order.entities.append(entity(common.ENTITY_KIND_SKU, "A"))
    order.entities.append(common.Entity())
    order.address_kind = 77
    order.countries.payment = "China"
    order.device_distance_km = float("inf")
    order.attributes["empty"].SetInParent()
    order.attributes["broken"].number = float("nan")
    code, details = error_of(client.decisions.ScoreOrder, request)
    assert code == grpc.StatusCode.INVALID_ARGUMENT
    assert details["ErrorInfo"].reason == "FIELDS_INVALID"
    violations = details["BadRequest"].field_violations
    assert all(violation.description for violation in violations)
    assert {violation.field for violation in violations} == {
        "event_time",
        "max_actions",
        "explain_level",
        "order.key.channel",
        "order.amount.currency_code",
        "order.discount.minor_units",
        "order.items[1].sku_id",
        "order.items[1].quantity",
        "order.entities[4].kind",
        "order.entities[5].kind",
        "order.entities[6].kind",
        "order.entities[6].id",
        "order.address_kind",
        "order.countries.payment",
        "order.device_distance_km",
        'order.attributes["empty"]',
        'order.attributes["broken"].number',
    }, violations


def a_strategy_that_is_not_active_is_refused(client):
    request = order_request("strategy", strategy_ref="no-such-strategy")
    code, details = error_of(client.decisions.ScoreOrder, request)
    assert code == grpc.StatusCode.INVALID_ARGUMENT
    assert [v.field for v in details["BadRequest"].field_violations] == ["strategy_ref"]


def a_spent_deadline_ends_the_call(client):
    try:
        client.decisions.ScoreOrder(order_request("late"), timeout=-1)
        raise AssertionError("the call succeeded")
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.DEADLINE_EXCEEDED, error.code()


def health_says_serving(client):
    stub = health_pb2_grpc.HealthStub(client.channel)
    for service in ("", *(f"orderlens.v1.{name}" for name in SERVICES)):
        answer = stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=TIMEOUT_S)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING, service


def reflection_v1_lists_the_services(client):
    # grpcio ships stubs of v1alpha only; the messages are the same on the wire.
    call = client.channel.stream_stream(
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        request_serializer=alpha_pb2.ServerReflectionRequest.SerializeToString,
        response_deserializer=alpha_pb2.ServerReflectionResponse.FromString,
    )
    check_services(call)


def reflection_v1alpha_lists_the_services_and_gives_their_files(client):
    check_services(alpha_grpc.ServerReflectionStub(client.channel).ServerReflectionInfo)
    database = ProtoReflectionDescriptorDatabase(client.channel)
    file = database.FindFileContainingSymbol("orderlens.v1.DecisionService")
    methods = [method.name for service in file.service for method in service.method]
    assert "ScoreOrder" in methods and "ReplayDecision" in methods, methods


def check_services(call):
    request = alpha_pb2.ServerReflectionRequest(list_services="*")
    answer = next(iter(call(iter([request]), timeout=TIMEOUT_S)))
    listed = {service.name for service in answer.list_services_response.service}
    wanted = {f"orderlens.v1.{name}" for name in SERVICES} | {"grpc.health.v1.Health"}
    assert wanted <= listed, listed


TESTS = [
    an_order_is_scored_and_explained,
    personal_identifiers_do_not_come_back,
    an_explain_level_bounds_the_contributions_and_they_still_add_up,
    a_stream_answers_every_item_and_a_bad_one_fails_alone,
    the_same_request_again_gets_the_first_answer,
    another_body_under_the_same_id_names_the_differing_fields,
    a_decision_reads_back_as_it_was_given,
    an_unknown_decision_is_not_found,
    pages_list_every_decision_once_newest_first,
    a_page_token_of_another_filter_is_refused,
    a_what_if_answers_twice_and_records_nothing,
    a_what_if_tells_what_moved_and_what_would_turn_it,
    a_what_if_names_every_path_it_cannot_replace,
    a_dry_run_leaves_nothing_behind,
    a_replay_is_identical,
    events_are_acknowledged_in_order_and_a_bad_one_alone_is_rejected,
    a_choice_is_recorded_once,
    an_outcome_is_recorded_once,
    every_violation_of_a_broken_order_is_named_at_once,
    a_strategy_that_is_not_active_is_refused,
    a_spent_deadline_ends_the_call,
    health_says_serving,
    reflection_v1_lists_the_services,
    reflection_v1alpha_lists_the_services_and_gives_their_files,
]


def main(address):
    client = Client(address)
    grpc.channel_ready_future(client.channel).result(timeout=30)
    n_failed = 0
    for test in TESTS:
        name = test.__name__.replace("_", " ")
        try:
            test(client)
            print(f"ok      {name}")
        except Exception:  # every test gets its turn, whatever broke the one before
            n_failed += 1
            print(f"FAILED  {name}")
            traceback.print_exc()
    print(f"{len(TESTS) - n_failed} passed, {n_failed} failed")
    return 1 if n_failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
