"""Everything at once, at a given rate for a given time; ends with pass and fail lines.

    mixed.py FOLDER --minutes 60 --rate 150

Orders one by one and in a stream, events, choices, outcomes, reads, what-ifs, a strategy
file that changes under way, and people's pages. Open loop: a call is sent when it is due,
whether or not the ones before it were answered, so a stall shows in the latencies.
"""

import argparse
import asyncio
import http.client
import random
import re
import statistics
import sys
import time
import urllib.parse
from collections import Counter, defaultdict
from pathlib import Path

import grpc

from load import Told, api, api_grpc, decisions, event_api, event_grpc, feedback, feedback_api
from load import feedback_grpc
from server import ROOT, Server, service_file

# Orders that the graph keeps: reached in the warm-up, so that only what grows by design grows.
GRAPH_ORDERS = 2_000
# Accounts, devices, IP addresses and homes of these orders: a small market.
MARKET = (4_999, 5_987, 2_999, 5_003)
# What-ifs a second: each searches for the smallest changes, hundreds of times an answer.
WHAT_IF_RATE = 0.2
# What the service remembers of every order as long as its journal: the ids that make a call
# idempotent, and where in the journal their answers are. Grows with orders, not with time.
BYTES_PER_ORDER_MAX = 640
# Beside that, memory may grow by this much in an hour.
BYTES_PER_HOUR_MAX = 24 << 20
# p99 of every sixth of the time, beside that of the first sixth.
P99_FACTOR_MAX = 2.0
# A p99 below this is as good as another: the machine's own pauses are longer.
P99_FLOOR_MS = 10.0
RELOAD_S = 20
PAGE_S = 1.0
PAGES = ("/queue", "/health", "/reviews", "/models", "/lab", "/experiments", "/help", "/admin")
SHED = {grpc.StatusCode.RESOURCE_EXHAUSTED}
TIMEOUT_S = 10


class Seen:
    """Latencies by kind, errors by kind and status."""

    def __init__(self):
        self.start = time.monotonic()
        self.latencies = defaultdict(list)  # kind -> [(seconds since start, ms)]
        self.errors = Counter()
        self.examples = {}
        self.memory = []  # [(seconds since start, bytes, orders)]
        self.n_orders = 0

    def answered(self, kind, asked):
        now = time.monotonic()
        self.latencies[kind].append((now - self.start, (now - asked) * 1e3))

    def failed(self, kind, code, message):
        self.errors[kind, code] += 1
        self.examples.setdefault((kind, code), message)


async def paced(rate, end, act):
    """Calls `act` so many times a second, on time, each on its own."""
    running, due = set(), time.monotonic()
    while due < end:
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        task = asyncio.create_task(act())
        running.add(task)
        task.add_done_callback(running.discard)
        due += 1 / rate
    if running:
        await asyncio.wait(running)


class Mixed:
    def __init__(self, address, seen, end, run):
        self.channel = grpc.aio.insecure_channel(address)
        self.decisions = api_grpc.DecisionServiceStub(self.channel)
        self.events = event_grpc.EventServiceStub(self.channel)
        self.feedback = feedback_grpc.FeedbackServiceStub(self.channel)
        self.seen, self.end, self.run = seen, end, run
        self.told = Told(shared=MARKET)
        self.decided = {}  # the newest decisions, by number
        self.dice = random.Random(8)

    def order(self):
        n = next(self.told.numbers)
        request = self.told.order(n)
        request.event_time.GetCurrentTime()
        return n, request

    def keep(self, n, decision_id):
        self.seen.n_orders += 1
        self.decided[n] = decision_id
        if 500 < len(self.decided):
            del self.decided[next(iter(self.decided))]

    async def guarded(self, kind, call):
        asked = time.monotonic()
        try:
            answer = await call()
        except grpc.RpcError as error:
            self.seen.failed(kind, error.code().name, error.details())
            return None
        self.seen.answered(kind, asked)
        return answer

    async def score(self):
        n, request = self.order()
        answer = await self.guarded(
            "score", lambda: self.decisions.ScoreOrder(request, timeout=TIMEOUT_S)
        )
        if answer is not None:
            self.keep(n, answer.decision.decision_id)

    async def some(self):
        while not self.decided:
            await asyncio.sleep(0.05)
        n = self.dice.choice(list(self.decided))
        return n, self.decided[n]

    async def choose(self):
        n, decision_id = await self.some()
        choice = self.told.choice(n, decision_id)
        choice.choice_id += f"-{time.monotonic_ns()}"
        choice.decided_at.GetCurrentTime()
        request = feedback_api.RecordChoiceRequest(choice=choice)
        await self.guarded(
            "choice", lambda: self.feedback.RecordChoice(request, timeout=TIMEOUT_S)
        )

    async def outcome(self):
        n, decision_id = await self.some()
        outcome = feedback.Outcome(
            outcome_id=f"outcome-{time.monotonic_ns()}",
            decision_id=decision_id,
            order=self.told.key(n),
            kind=feedback.OUTCOME_KIND_REFUND,
            source=feedback.OUTCOME_SOURCE_NETWORK,
        )
        outcome.occurred_at.GetCurrentTime()
        request = feedback_api.RecordOutcomeRequest(outcome=outcome)
        await self.guarded(
            "outcome", lambda: self.feedback.RecordOutcome(request, timeout=TIMEOUT_S)
        )

    async def read(self):
        _, decision_id = await self.some()
        request = api.GetDecisionRequest(decision_id=decision_id)
        await self.guarded("get", lambda: self.decisions.GetDecision(request, timeout=TIMEOUT_S))

    async def page(self):
        request = api.ListDecisionsRequest(page_size=20)
        await self.guarded("list", lambda: self.decisions.ListDecisions(request, timeout=TIMEOUT_S))

    async def what_if(self):
        _, decision_id = await self.some()
        request = api.WhatIfRequest(decision_id=decision_id)
        request.overrides.amount.currency_code, request.overrides.amount.minor_units = "CNY", 99_000
        request.override_mask.paths.append("amount")
        await self.guarded("what-if", lambda: self.decisions.WhatIf(request, timeout=TIMEOUT_S))

    async def stream(self, kind, rate, call, item, take):
        """A stream that is opened again every minute, as load balancers make callers do."""
        while time.monotonic() < self.end:
            over = min(self.end, time.monotonic() + 60)
            asked = {}

            async def items(over=over, asked=asked):
                due, n = time.monotonic(), 0
                while due < over:
                    await asyncio.sleep(max(0.0, due - time.monotonic()))
                    n += 1
                    made = await item(str(n))
                    asked[str(n)] = time.monotonic()
                    yield made
                    due += 1 / rate

            try:
                async for answer in call(items()):
                    name, error = take(answer)
                    if error is None:
                        self.seen.answered(kind, asked.pop(name))
                    else:
                        code = next(c for c in grpc.StatusCode if c.value[0] == error.code)
                        self.seen.failed(kind, code.name, error.message)
            except grpc.RpcError as error:
                self.seen.failed(kind, error.code().name, error.details())

    async def stream_orders(self, rate):
        numbers = {}

        async def item(name):
            numbers[name], request = self.order()
            return api.ScoreOrdersRequest(item_id=name, request=request)

        def take(answer):
            if answer.WhichOneof("result") == "error":
                return answer.item_id, answer.error
            self.keep(numbers.pop(answer.item_id), answer.response.decision.decision_id)
            return answer.item_id, None

        await self.stream("stream", rate, self.decisions.ScoreOrders, item, take)

    async def stream_events(self, rate):
        names = {}

        async def item(name):
            n, _ = await self.some()
            event = self.told.paid(n)
            event.event_id += f"-{time.monotonic_ns()}"
            event.event_time.GetCurrentTime()
            names[event.event_id] = name
            return event_api.IngestEventsRequest(event=event)

        def take(answer):
            rejected = answer.status == event_api.INGEST_STATUS_REJECTED
            return names.pop(answer.event_id), answer.error if rejected else None

        await self.stream("event", rate, self.events.IngestEvents, item, take)

    async def reload(self, strategy):
        """The strategy file changes under way: between two thresholds, and to garbage."""
        good = strategy.read_text(encoding="utf-8")
        other = good.replace("decline_above = 0.80", "decline_above = 0.85", 1)
        assert good != other
        texts, n = (other, "name = [garbage", good), 0
        while time.monotonic() + RELOAD_S < self.end:
            await asyncio.sleep(RELOAD_S)
            strategy.write_text(texts[n % 3], encoding="utf-8")
            n += 1
            self.seen.latencies["reload"].append((time.monotonic() - self.seen.start, 0.0))

    async def look(self, pages):
        while time.monotonic() < self.end:
            await asyncio.sleep(PAGE_S)
            _, decision_id = await self.some()
            path = self.dice.choice((*PAGES, f"/decisions/{decision_id}"))
            asked = time.monotonic()
            try:
                status = await asyncio.to_thread(pages.get, path)
            except OSError as error:
                self.seen.failed("page", type(error).__name__, str(error))
                continue
            if status == 200:
                self.seen.answered("page", asked)
            else:
                self.seen.failed("page", str(status), path)

    async def watch(self, server, every_s):
        shown = time.monotonic()
        while time.monotonic() < self.end:
            await asyncio.sleep(min(5.0, every_s))
            at = time.monotonic() - self.seen.start
            self.seen.memory.append((at, memory_bytes(server.pid()), self.seen.n_orders))
            if shown + every_s <= time.monotonic():
                shown = time.monotonic()
                print(minute_line(self.seen, at - every_s, at), flush=True)


class Pages:
    """A person's browser, signed in by the link that the start prints."""

    def __init__(self, server):
        link = re.search(r"http://([^/]+)/sign-in\?link=([0-9a-f]+)", server.said())
        self.host, self.cookies = link[1], {}
        form = urllib.parse.urlencode({"link": link[2], "back": "/queue"})
        assert self.ask("POST", "/sign-in", form) == 303, "cannot sign in"

    def get(self, path):
        return self.ask("GET", path, None)

    def ask(self, method, path, form):
        connection = http.client.HTTPConnection(self.host, timeout=TIMEOUT_S)
        headers = {"Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items())}
        if form:
            headers |= {
                "Content-Type": "application/x-www-form-urlencoded",
                "Sec-Fetch-Site": "same-origin",
            }
        connection.request(method, path, form, headers)
        answer = connection.getresponse()
        answer.read()
        for cookie in answer.headers.get_all("set-cookie") or ():
            name, value = cookie.split(";")[0].split("=", 1)
            self.cookies[name] = value
        connection.close()
        return answer.status


def memory_bytes(pid):
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


def quantile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


def between(seen, kind, start, end):
    return [ms for at, ms in seen.latencies[kind] if start <= at < end]


def minute_line(seen, start, end):
    score = between(seen, "score", start, end)
    megabytes = seen.memory[-1][1] / (1 << 20)
    n = sum(len(between(seen, kind, start, end)) for kind in list(seen.latencies))
    return (
        f"{end / 60:6.1f} min  {n / (end - start):6.0f} answers/s  score p50 "
        f"{quantile(score, 0.5):6.2f} ms  p99 {quantile(score, 0.99):6.2f} ms  "
        f"{megabytes:7.1f} MB  {dict((f'{k} {c}', n) for (k, c), n in seen.errors.items())}"
    )


def slope(points):
    xs, ys = zip(*points)
    return statistics.linear_regression(xs, ys).slope


def memory_verdict(seen, seconds):
    # The graph fills, and then sheds; a run that is too short for that says nothing.
    warm = [it for it in seen.memory if seconds / 3 <= it[0] and 1.5 * GRAPH_ORDERS < it[2]]
    if len(warm) < 6:
        return False, f"the graph of {GRAPH_ORDERS} orders was not full long enough: run longer"
    grown = slope([(at, used) for at, used, _ in warm]) * 3_600
    orders = slope([(at, n) for at, _, n in warm]) * 3_600
    most = BYTES_PER_ORDER_MAX * orders + BYTES_PER_HOUR_MAX
    return grown <= most, (
        f"memory after the first third grows by {grown / (1 << 20):.1f} MB an hour at {orders:.0f} "
        f"orders an hour, at most {most / (1 << 20):.1f} ({BYTES_PER_ORDER_MAX} bytes an order "
        f"for its ids and {BYTES_PER_HOUR_MAX >> 20} MB)"
    )


def verdicts(seen, seconds):
    unintended = {
        f"{kind} {code}": (n, seen.examples[kind, code])
        for (kind, code), n in seen.errors.items()
        if code not in {it.name for it in SHED}
    }
    n_shed = sum(seen.errors.values()) - sum(n for n, _ in unintended.values())
    yield not unintended, f"no error but shedding ({n_shed} shed): {unintended or 'none'}"
    yield memory_verdict(seen, seconds)
    for kind in ("score", "stream", "event", "choice"):
        part = seconds / 6
        tails = [quantile(between(seen, kind, n * part, (n + 1) * part), 0.99) for n in range(6)]
        most = max(tails[0], P99_FLOOR_MS) * P99_FACTOR_MAX
        shown = ", ".join(f"{it:.1f}" for it in tails)
        yield max(tails) <= most, f"{kind} p99 by sixths {shown} ms, at most {most:.1f}"
    for kind in ("score", "stream", "event", "choice", "outcome", "get", "list", "what-if", "page", "reload"):
        n = len(seen.latencies[kind])
        yield 0 < n, f"{kind}: {n} answered, p50 {quantile([ms for _, ms in seen.latencies[kind]], 0.5):.2f} ms"


async def drive(server, asked, run):
    seen = Seen()
    seconds = asked.minutes * 60
    mixed = Mixed(server.address(), seen, seen.start + seconds, run)
    pages, rate = Pages(server), asked.rate
    end = mixed.end
    await asyncio.gather(
        paced(rate * 0.4, end, mixed.score),
        mixed.stream_orders(rate * 0.3),
        mixed.stream_events(rate * 0.15),
        paced(rate * 0.05, end, mixed.choose),
        paced(rate * 0.03, end, mixed.outcome),
        paced(rate * 0.05, end, mixed.read),
        paced(max(0.2, rate * 0.01), end, mixed.page),
        paced(WHAT_IF_RATE, end, mixed.what_if),
        mixed.reload(run / "strategy.toml"),
        mixed.look(pages),
        mixed.watch(server, min(60.0, seconds / 6)),
    )
    await mixed.channel.close()
    return seen, seconds


def main():
    reader = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    reader.add_argument("folder", type=Path)
    reader.add_argument("--minutes", type=float, default=60.0)
    reader.add_argument("--rate", type=float, default=150.0, help="calls a second, all kinds")
    asked = reader.parse_args()
    run = asked.folder
    run.mkdir(parents=True, exist_ok=True)
    config = service_file(run / "service.toml", orders_max=GRAPH_ORDERS)
    (run / "strategy.toml").write_bytes((ROOT / "config/strategy.toml").read_bytes())
    with Server(run, ("--config", config, "--strategy", run / "strategy.toml")) as server:
        seen, seconds = asyncio.run(drive(server, asked, run))
        is_alive = server.is_running()
        n_reloads = server.said().count("the strategy file changed and judges now")
        assert server.stop() == 0
    ends = list(verdicts(seen, seconds))
    ends.append((is_alive and "panicked" not in server.said(), "the service ran to the end"))
    ends.append((0 < n_reloads, f"{n_reloads} changed strategies were taken while orders came"))
    for is_held, line in ends:
        print(f"{'PASS' if is_held else 'FAIL'}  {line}")
    return 0 if all(is_held for is_held, _ in ends) else 1


if __name__ == "__main__":
    sys.exit(main())
