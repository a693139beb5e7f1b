"""The broker out of reach of one replica, then of all: cables between namespaces are cut."""

import contextlib
import itertools
import os
import shutil
import socket
import subprocess
import time

import grpc

import disks
import namespaces
from load import Load, Told, check_each_once, check_nothing_lost, settle_unknown, wait_until
from server import Server, Skipped

REPLICAS = 3
# Answers of each replica before and after a fault.
ANSWERS = 40
CALLERS = 2
# Answers of a replica that are asked for again at another one.
LOOKED_UP = 300
CUT_ONE_S, CUT_ALL_S = 20, 6
SETTLE_S, TRIES = 90, 4
WRITES = "DecisionService"


class Replica(Server):
    """A replica in a namespace of its own, called through a relay."""

    def __init__(self, run, cable):
        self.relay = None
        run.mkdir()
        env = {"ORDERLENS_JOURNAL_URL": cable.url, "HOSTNAME": run.name}
        super().__init__(run, prefix=("ip", "netns", "exec", cable.host), env=env)
        self.cable, self.relay = cable, namespaces.Relay(cable.host, super().address())

    def __exit__(self, *_):
        self.relay.close()
        self.kill()

    def address(self):
        return self.relay.address if self.relay else super().address()

    def until_health(self, wanted, patience_s=SETTLE_S):
        what = f"{wanted} of {self.run.name}"
        wait_until(lambda: self.health(WRITES) == wanted, patience_s, what)


@contextlib.contextmanager
def broker(run, host):
    binary = shutil.which("nats-server", path=os.environ["PATH"] + ":/usr/sbin:/usr/local/bin")
    if binary is None:
        raise Skipped("no nats-server here")
    listen = ["-a", "0.0.0.0", "-p", str(namespaces.BROKER_PORT), "-js", "-sd", str(run / "stream")]
    with open(run / "broker.log", "w", encoding="utf-8") as log:
        command = ["ip", "netns", "exec", host, binary, *listen]
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        wait_until(lambda: listens(host), 20, "broker")
        yield
    finally:
        process.kill()
        process.wait()


def listens(host):
    with contextlib.suppress(OSError), namespaces.inside(host):
        socket.create_connection(("127.0.0.1", namespaces.BROKER_PORT), timeout=1).close()
        return True
    return False


def partition(run):
    """A replica loses the broker while the others go on; then all lose it."""
    why_not = namespaces.may_make()
    if why_not:
        raise Skipped(why_not)
    with contextlib.ExitStack() as stack:
        host, cables = stack.enter_context(namespaces.hosts(REPLICAS))
        stack.enter_context(broker(run, host))
        replicas = [
            stack.enter_context(Replica(run / name, cable))
            for name, cable in zip("abc", cables, strict=True)
        ]
        for replica in replicas:
            replica.until_health("SERVING")
        told = tellers()
        n_refused = cut_one(replicas, told)
        check_equal(replicas)
        n_refused += cut_all(replicas, told)
        n_orders = check_same(replicas, told)
        for replica in replicas:
            assert replica.stop() == 0
    return f"{n_refused} clear refusals; {n_orders} orders, the same bytes at {REPLICAS} replicas"


def tellers():
    """What each replica's callers were told; no two of them speak of one order."""
    numbers, start_s = itertools.count(), time.time()
    told = [Told(start_s) for _ in range(REPLICAS)]
    for one in told:
        one.numbers = numbers
    return told


def under_load(replicas, told):
    pairs = zip(replicas, told, strict=True)
    return [Load(replica.address(), one, callers=CALLERS) for replica, one in pairs]


def cut_one(replicas, told):
    """Cuts the first replica off; how many calls it refused."""
    loads = under_load(replicas, told)
    for load in loads:
        load.wait_for(ANSWERS)
    lonely = replicas[0]
    lonely.cable.cut()
    healed_at = time.monotonic() + CUT_ONE_S
    loads[0].wait_for_refusal()
    lonely.until_health("NOT_SERVING", CUT_ONE_S)
    n_before = [len(one.decisions) for one in told]
    while time.monotonic() < healed_at:
        time.sleep(0.1)
    n_after = [len(one.decisions) for one in told]
    assert n_before[0] == n_after[0], "it acknowledged what it could not know"
    for before, after in zip(n_before[1:], n_after[1:], strict=True):
        assert before + ANSWERS < after, f"the others stood still, too: {n_before}, {n_after}"
    lonely.cable.plug()
    lonely.until_health("SERVING")
    for load in loads:
        load.wait_for(ANSWERS)
        load.stop()
    for one in told:
        check_clear(one)
    return told[0].refusals.total()


def cut_all(replicas, told):
    """Cuts all off at once; how many calls were refused."""
    n_before = sum(one.refusals.total() for one in told)
    loads = under_load(replicas, told)
    for load in loads:
        load.wait_for(ANSWERS)
    for replica in replicas:
        replica.cable.cut()
    healed_at = time.monotonic() + CUT_ALL_S
    for load in loads:
        load.wait_for_refusal()
    for replica in replicas:
        replica.until_health("NOT_SERVING")
        assert replica.health("") == "SERVING", "what reads is not served"
    while time.monotonic() < healed_at:
        time.sleep(0.1)
    for replica in replicas:
        replica.cable.plug()
    for replica, load in zip(replicas, loads, strict=True):
        replica.until_health("SERVING")
        load.wait_for(ANSWERS)
        load.stop()
    for one in told:
        check_clear(one)
    return sum(one.refusals.total() for one in told) - n_before


def patiently(check, *arguments):
    """Checks again what was refused for now: a broker on a busy machine may miss a deadline."""
    for _ in range(TRIES):
        try:
            return check(*arguments)
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.UNAVAILABLE:
                raise
            time.sleep(1)
    return check(*arguments)


def check_clear(told):
    assert not told.unclear(), told.unclear()
    clear = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}
    assert set(told.refusals) <= clear, told.messages


def check_same(replicas, told):
    """Every replica knows every answer, once, and holds the same journal."""
    for replica, one in zip(replicas, told, strict=True):
        patiently(settle_unknown, replica.address(), one)
    # At another one than it was acknowledged by. Journals are compared whole, so of the many
    # answers of whoever was not cut off some are enough.
    for replica, one in zip(replicas[1:] + replicas[:1], told, strict=True):
        numbers = sorted(one.decisions)
        step = -(-len(numbers) // LOOKED_UP)
        patiently(check_nothing_lost, replica.address(), one, numbers[::step])
    check_equal(replicas)
    pairs = zip(replicas, told, strict=True)
    n_orders = {patiently(check_each_once, replica.address(), one) for replica, one in pairs}
    assert len(n_orders) == 1, n_orders
    return n_orders.pop()


def check_equal(replicas):
    """Their journals hold the same bytes, once all have executed the same."""
    journals = []

    def are_equal():
        journals[:] = [disks.payloads(it.run / "data") for it in replicas]
        return len({len(it) for it in journals}) == 1

    wait_until(are_equal, SETTLE_S, "journals of equal length")
    assert all(it == journals[0] for it in journals), "the journals differ"
