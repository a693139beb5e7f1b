"""What a stock client does about a busy, absent or stopping server, by the published config.

Run by run.sh with the address of a server whose `in_flight_max` is small, the
service config, and the server's process id: the last check tells it to stop.
"""

import json
import os
import signal
import sys
import time
import traceback
import uuid
from concurrent import futures

import grpc
from google.protobuf import descriptor_pool
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_status import rpc_status

from orderlens.v1 import common_pb2 as common
from orderlens.v1 import decision_service_pb2 as api
from orderlens.v1 import decision_service_pb2_grpc as api_grpc
from orderlens.v1 import case_service_pb2, event_service_pb2, feedback_service_pb2  # noqa: F401
from orderlens.v1 import graph_service_pb2, review_service_pb2  # noqa: F401

RUN = uuid.uuid4().hex[:12]
# Several times the places of the server; a burst is over in some 100 ms.
BURST = 12
ROUNDS = 4
TIMEOUT_S = 20


def channel_with(config):
    options = [("grpc.enable_retries", 1 if config else 0)]
    if config:
        options.append(("grpc.service_config", json.dumps(config)))
    return options


def request(name):
    stamp = Timestamp()
    stamp.FromMicroseconds(int(time.time() * 1e6))
    made = api.ScoreOrderRequest(request_id=f"{RUN}-{name}", event_time=stamp)
    made.order.key.channel, made.order.key.order_id = f"retry-{RUN}", name
    made.order.amount.currency_code, made.order.amount.minor_units = "CNY", 29_900
    made.order.entities.add(kind=common.ENTITY_KIND_ACCOUNT, id=f"buyer-{name}")
    return made


def burst(channel, label):
    """The errors and decisions of orders that are sent at the same moment."""
    stub = api_grpc.DecisionServiceStub(channel)
    failed, decided = [], []
    for n in range(ROUNDS):
        calls = [
            stub.ScoreOrder.future(request(f"{label}-{n}-{k}"), timeout=TIMEOUT_S)
            for k in range(BURST)
        ]
        for call in calls:
            error = call.exception()
            if error is None:
                decided.append(call.result())
            else:
                failed.append(error)
    return failed, decided


def without_the_config_a_busy_server_makes_calls_fail(address, _config):
    with grpc.insecure_channel(address, options=channel_with(None)) as channel:
        failed, _ = burst(channel, "bare")
    assert failed, "the server was never busy"
    for error in failed:
        assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED, error
        retry = error_details_pb2.RetryInfo()
        details = rpc_status.from_call(error).details
        assert any(detail.Unpack(retry) for detail in details), details
        assert 0 < retry.retry_delay.ToMilliseconds() <= 60_000, retry
    return f"{len(failed)} of {ROUNDS * BURST} calls failed"


def with_the_config_every_call_succeeds_and_each_order_is_decided_once(address, config):
    with grpc.insecure_channel(address, options=channel_with(config)) as channel:
        failed, decided = burst(channel, "retried")
        assert not failed, failed[0]
        ids = {answer.decision.order.order_id: answer.decision.decision_id for answer in decided}
        assert len(ids) == ROUNDS * BURST, len(ids)
        stub = api_grpc.DecisionServiceStub(channel)
        listed = []
        page = api.ListDecisionsRequest(page_size=200)
        page.filter.channel = f"retry-{RUN}"
        while True:
            answer = stub.ListDecisions(page, timeout=TIMEOUT_S)
            listed += [it.order.order_id for it in answer.decisions]
            page.page_token = answer.next_page_token
            if not page.page_token:
                break
        retried = [name for name in listed if name.startswith("retried-")]
        assert sorted(retried) == sorted(ids), (len(retried), len(ids))
    return f"{len(ids)} of {ROUNDS * BURST} calls answered"


def a_call_is_tried_five_times_while_nobody_serves(_address, config):
    tried = []

    def unavailable(_request, context):
        tried.append(dict(context.invocation_metadata()).get("grpc-previous-rpc-attempts"))
        context.abort(grpc.StatusCode.UNAVAILABLE, "restarting")

    method = grpc.unary_unary_rpc_method_handler(unavailable)
    handlers = grpc.method_handlers_generic_handler(
        "orderlens.v1.DecisionService", {"ScoreOrder": method}
    )
    server = grpc.server(futures.ThreadPoolExecutor(2), handlers=(handlers,))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        options = channel_with(config)
        with grpc.insecure_channel(f"127.0.0.1:{port}", options=options) as channel:
            stub = api_grpc.DecisionServiceStub(channel)
            error = stub.ScoreOrder.future(request("away"), timeout=TIMEOUT_S).exception()
        assert error.code() == grpc.StatusCode.UNAVAILABLE, error
    finally:
        server.stop(None)
    assert tried == [None, "1", "2", "3", "4"], tried
    return "5 attempts"


def every_name_of_the_config_is_in_the_contract(_address, config):
    names = [name for entry in config["methodConfig"] for name in entry["name"]]
    pool = descriptor_pool.Default()
    for name in names:
        service = pool.FindServiceByName(name["service"])
        if "method" in name:
            assert name["method"] in service.methods_by_name, name
    return f"{len(names)} names"


def health_is_watched_and_flips_before_the_server_goes(address, _config):
    with grpc.insecure_channel(address) as channel:
        watch = health_pb2_grpc.HealthStub(channel).Watch(
            health_pb2.HealthCheckRequest(service="orderlens.v1.DecisionService"),
            timeout=TIMEOUT_S,
        )
        assert next(watch).status == health_pb2.HealthCheckResponse.SERVING
        os.kill(int(sys.argv[3]), signal.SIGTERM)
        assert next(watch).status == health_pb2.HealthCheckResponse.NOT_SERVING
    return "NOT_SERVING was seen before the end"


TESTS = [
    every_name_of_the_config_is_in_the_contract,
    without_the_config_a_busy_server_makes_calls_fail,
    with_the_config_every_call_succeeds_and_each_order_is_decided_once,
    a_call_is_tried_five_times_while_nobody_serves,
    health_is_watched_and_flips_before_the_server_goes,
]


def main():
    address, config = sys.argv[1], json.loads(open(sys.argv[2], encoding="utf-8").read())
    n_failed = 0
    for test in TESTS:
        name = test.__name__.replace("_", " ")
        try:
            print(f"PASS  {name}: {test(address, config)}", flush=True)
        except Exception:  # every check gets its turn, whatever broke the one before
            n_failed += 1
            print(f"FAIL  {name}", flush=True)
            traceback.print_exc()
    return 1 if n_failed else 0


if __name__ == "__main__":
    sys.exit(main())
