"""Load that keeps what was acknowledged, and asks for it again afterwards."""

import itertools
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

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

CALLERS = 8
TIMEOUT_S = 20
CHANNEL = "faults"
# Accounts, devices, IP addresses and homes that orders share.
FEW = (97, 71, 31, 61)
# Refusals that tell a caller what to do: come back, or that it took too long.
CLEAR = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.DEADLINE_EXCEEDED,
}


class Stubs:
    def __init__(self, address):
        # A port is used again by the next server; no pool may hand out the old connection.
        options = [("grpc.use_local_subchannel_pool", 1), ("grpc.enable_retries", 0)]
        self.channel = grpc.insecure_channel(address, options=options)
        self.decisions = api_grpc.DecisionServiceStub(self.channel)
        self.events = event_grpc.EventServiceStub(self.channel)
        self.feedback = feedback_grpc.FeedbackServiceStub(self.channel)


class Told:
    """What callers were told, and what they do not know. One per scenario."""

    def __init__(self, start_s=None, shared=FEW):
        self.start_s = start_s or time.time()
        self.shared = shared
        self.numbers = itertools.count()
        self.lock = threading.Lock()
        self.decisions = {}  # number -> bytes of the decision
        self.events = set()
        self.choices = {}  # number -> decision id
        self.unknown = {"order": set(), "event": set(), "choice": set()}
        self.refusals = Counter()
        self.messages = {}

    def failed(self, kind, n, error):
        with self.lock:
            self.unknown[kind].add(n)
            self.refusals[error.code()] += 1
            self.messages.setdefault(error.code(), error.details())

    def unclear(self):
        return {code.name: self.messages[code] for code in self.refusals if code not in CLEAR}

    def stamp(self, n, offset_s=0):
        stamp = Timestamp()
        stamp.FromMicroseconds(int((self.start_s + offset_s) * 1e6) + n * 1_000)
        return stamp

    def key(self, n):
        return common.OrderKey(channel=CHANNEL, order_id=f"order-{n}")

    def order(self, n):
        def entity(kind, value):
            return common.Entity(kind=kind, id=value)

        request = api.ScoreOrderRequest(request_id=f"request-{n}", event_time=self.stamp(n))
        order = request.order
        order.key.CopyFrom(self.key(n))
        order.amount.currency_code, order.amount.minor_units = "CNY", 1_000 + n * 7_919 % 90_000
        order.items.add(sku_id=f"SKU-{n % 50}", quantity=1 + n % 3)
        accounts, devices, networks, homes = self.shared
        order.entities.extend(
            [
                entity(common.ENTITY_KIND_ACCOUNT, f"account-{n % accounts}"),
                entity(common.ENTITY_KIND_DEVICE, f"device-{n % devices}"),
                entity(common.ENTITY_KIND_IP, f"network-{n % networks}"),
                entity(common.ENTITY_KIND_ADDRESS, f"address-{n % homes}"),
            ]
        )
        return request

    def paid(self, n):
        paid = events.OrderAmount(order=self.key(n))
        return events.Event(
            event_id=f"paid-{n}", event_time=self.stamp(n, offset_s=1), order_paid=paid
        )

    def choice(self, n, decision_id):
        return feedback.OperatorChoice(
            choice_id=f"choice-{n}",
            decision_id=decision_id,
            operator_id="operator-1",
            action=common.ACTION_KIND_APPROVE,
            decided_at=self.stamp(n, offset_s=2),
        )


def encoded(message):
    return message.SerializeToString(deterministic=True)


class ItemRefused(grpc.RpcError):
    """One item of a stream was refused, with the status that a call would have had."""

    def __init__(self, status):
        super().__init__(status.message)
        self.status = status

    def code(self):
        return next(code for code in grpc.StatusCode if code.value[0] == self.status.code)

    def details(self):
        return self.status.message


def ingest(stubs, event):
    request = event_api.IngestEventsRequest(event=event)
    answer = next(iter(stubs.events.IngestEvents(iter([request]), timeout=TIMEOUT_S)))
    if answer.status == event_api.INGEST_STATUS_REJECTED:
        raise ItemRefused(answer.error)
    return answer.status


def decide(stubs, told, n, timeout_s):
    """Scores an order; every third is paid and every fifth chosen. False when refused."""
    try:
        answer = stubs.decisions.ScoreOrder(told.order(n), timeout=timeout_s)
    except grpc.RpcError as error:
        told.failed("order", n, error)
        return False
    decision_id = answer.decision.decision_id
    with told.lock:
        told.decisions[n] = encoded(answer.decision)
    kind = None
    try:
        if n % 3 == 0:
            kind = "event"
            assert ingest(stubs, told.paid(n)) == event_api.INGEST_STATUS_ACCEPTED
            with told.lock:
                told.events.add(n)
        if n % 5 == 0:
            kind = "choice"
            request = feedback_api.RecordChoiceRequest(choice=told.choice(n, decision_id))
            stubs.feedback.RecordChoice(request, timeout=timeout_s)
            with told.lock:
                told.choices[n] = decision_id
    except grpc.RpcError as error:
        told.failed(kind, n, error)
        return False
    return True


class Load:
    """Callers that send until they are stopped, on threads of their own."""

    def __init__(self, address, told, timeout_s=TIMEOUT_S, callers=CALLERS):
        self.told = told
        self.timeout_s = timeout_s
        self.is_over = threading.Event()
        self.broken = []
        self.threads = [
            threading.Thread(target=self.call, args=(address,), daemon=True)
            for _ in range(callers)
        ]
        for thread in self.threads:
            thread.start()

    def call(self, address):
        try:
            self.send(address)
        except Exception as error:  # told to whoever waits for this caller
            self.broken.append(error)

    def send(self, address):
        stubs = Stubs(address)
        while not self.is_over.is_set():
            n = next(self.told.numbers)
            if not decide(stubs, self.told, n, self.timeout_s):
                self.is_over.wait(0.02)
        stubs.channel.close()

    def wait_for(self, n_more, patience_s=60):
        """Waits until so many more decisions were acknowledged."""
        target = len(self.told.decisions) + n_more
        self.wait(lambda: target <= len(self.told.decisions), patience_s, f"{n_more} answers")

    def wait_for_refusal(self, patience_s=120):
        before = self.told.refusals.total()
        self.wait(lambda: before < self.told.refusals.total(), patience_s, "refusal")

    def wait(self, condition, patience_s, what):
        wait_until(lambda: self.broken or condition(), patience_s, what)
        self.check()

    def check(self):
        if self.broken:
            raise AssertionError("a caller broke") from self.broken[0]

    def stop(self):
        self.is_over.set()
        for thread in self.threads:
            thread.join()
        self.check()


def wait_until(condition, patience_s, what):
    end = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < end, f"no {what} within {patience_s} s"
        time.sleep(0.02)


def check_nothing_lost(address, told, numbers=None):
    """Every acknowledged answer is there, byte for byte, and telling it again changes nothing."""
    stubs = Stubs(address)

    def check_order(n):
        known = told.decisions[n]
        decision = decisions.Decision.FromString(known)
        read = stubs.decisions.GetDecision(
            api.GetDecisionRequest(decision_id=decision.decision_id), timeout=TIMEOUT_S
        )
        assert encoded(read.decision) == known, f"order {n} reads back otherwise"
        again = stubs.decisions.ScoreOrder(told.order(n), timeout=TIMEOUT_S)
        assert again.replayed, f"order {n} was decided twice"
        assert encoded(again.decision) == known, f"order {n} is answered otherwise"
        if n in told.events:
            status = ingest(stubs, told.paid(n))
            assert status == event_api.INGEST_STATUS_DUPLICATE, f"event {n} was lost"
        if n in told.choices:
            request = feedback_api.RecordChoiceRequest(choice=told.choice(n, told.choices[n]))
            status = stubs.feedback.RecordChoice(request, timeout=TIMEOUT_S).status
            assert status == event_api.INGEST_STATUS_DUPLICATE, f"choice {n} was lost"

    with ThreadPoolExecutor(CALLERS) as pool:
        list(pool.map(check_order, sorted(told.decisions if numbers is None else numbers)))
    stubs.channel.close()


def settle_unknown(address, told):
    """Sends again what has no answer; from then on it is acknowledged."""
    stubs = Stubs(address)
    for n in sorted(told.unknown["order"]):
        answer = stubs.decisions.ScoreOrder(told.order(n), timeout=TIMEOUT_S)
        told.decisions[n] = encoded(answer.decision)
    settled = (event_api.INGEST_STATUS_ACCEPTED, event_api.INGEST_STATUS_DUPLICATE)
    for n in sorted(told.unknown["event"]):
        assert ingest(stubs, told.paid(n)) in settled, f"event {n}"
        told.events.add(n)
    for n in sorted(told.unknown["choice"]):
        decision = decisions.Decision.FromString(told.decisions[n])
        choice = told.choice(n, decision.decision_id)
        request = feedback_api.RecordChoiceRequest(choice=choice)
        assert stubs.feedback.RecordChoice(request, timeout=TIMEOUT_S).status in settled
        told.choices[n] = decision.decision_id
    for numbers in told.unknown.values():
        numbers.clear()
    stubs.channel.close()


def check_each_once(address, told):
    """Lists all decisions: each order has one, and each id is used once."""
    stubs = Stubs(address)
    ids, orders = Counter(), Counter()
    page = api.ListDecisionsRequest(page_size=200, explain_level=api.EXPLAIN_LEVEL_NONE)
    page.filter.channel = CHANNEL
    while True:
        answer = stubs.decisions.ListDecisions(page, timeout=TIMEOUT_S)
        ids.update(it.decision_id for it in answer.decisions)
        orders.update(it.order.order_id for it in answer.decisions)
        page.page_token = answer.next_page_token
        if not page.page_token:
            break
    stubs.channel.close()
    assert max(ids.values()) == 1 and max(orders.values()) == 1, (ids, orders)
    missing = {f"order-{n}" for n in told.decisions} - set(orders)
    assert not missing, f"not listed: {sorted(missing)[:5]}"
    return len(orders)
