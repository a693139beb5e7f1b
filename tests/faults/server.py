"""Servers of the fault tests: started on a folder, killed, stopped, refused."""

import json
import os
import re
import signal
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from load import wait_until

ROOT = Path(__file__).resolve().parents[2]
BINARY = os.environ["ORDERLENS_BIN"]
START_S = 120
STOP_S = 30
# What the health of a service says of itself, of what writes, and of what reads the disk alone.
WHOLE, WRITES = "", ("DecisionService", "EventService", "FeedbackService", "StrategyService")
READS = "CaseService"
HEALTH_S = 10
SMALL = {
    # Files roll over while a test looks on; the shipped sizes would take minutes to fill.
    "segment_bytes_max": 1_048_576,
    "record_bytes_max": 524_288,
}


def service_file(path, **values):
    """The shipped service file with other values."""
    text = (ROOT / "config/orderlens.toml").read_text(encoding="utf-8")
    lines = []
    for line in text.splitlines():
        key = line.split("=")[0].strip()
        lines.append(f"{key} = {values.pop(key)}" if key in values else line)
    assert not values, f"no such key: {values}"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


# How it prints the addresses for machines and for people.
OPERATIONS, PAGES = "metrics on http://", "console on http://"


class Skipped(Exception):
    """This machine cannot make the fault."""


class Server:
    """A running `orderlens serve`, killed at the end of its `with` block."""

    def __init__(self, run, arguments=(), prefix=(), env=None, **options):
        self.run = run
        self.out, self.log = run / "server.txt", run / "server.log"
        self.process = spawn(self.out, self.log, run, arguments, prefix, env, **options)
        wait_until(lambda: self.address() or self.process.poll() is not None, START_S, "start")
        assert self.address(), f"did not start: {self.said()[-2000:]}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def address(self):
        return self.told("listening on http://")

    def told(self, words):
        """What follows some words at the start of a line of its output."""
        for line in self.out.read_text(encoding="utf-8").splitlines():
            if line.startswith(words):
                return line.removeprefix(words)
        return None

    def health(self, service):
        """What gRPC health says of a service, by its short name; empty asks about the whole."""
        name = f"orderlens.v1.{service}" if service else ""
        with grpc.insecure_channel(self.address()) as channel:
            request = health_pb2.HealthCheckRequest(service=name)
            answer = health_pb2_grpc.HealthStub(channel).Check(request, timeout=HEALTH_S)
            return health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)

    def page(self, words, path):
        """Status and text of a page for machines, of the address printed behind `words`."""
        address = re.split("[/;]", self.told(words))[0]
        try:
            with urllib.request.urlopen(f"http://{address}{path}", timeout=HEALTH_S) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def metric(self, name):
        lines = self.page(OPERATIONS, "/metrics")[1].splitlines()
        return next(float(line.split()[1]) for line in lines if line.startswith(name + " "))

    def check_well(self):
        """Health, readiness and the metric say that it records."""
        assert {self.health(it) for it in (WHOLE, *WRITES, READS)} == {"SERVING"}
        for words in (OPERATIONS, PAGES):
            assert self.page(words, "/readyz") == (200, "ready\n"), self.page(words, "/readyz")
        assert self.metric("orderlens_journal_failed") == 0

    def check_journal_failed(self):
        """They say that it records nothing more, and that it lives."""
        said = {it: self.health(it) for it in (WHOLE, *WRITES)}
        assert set(said.values()) == {"NOT_SERVING"}, said
        assert self.health(READS) == "SERVING"
        for words in (OPERATIONS, PAGES):
            unready = self.page(words, "/readyz")
            assert unready == (503, "the journal takes nothing more\n"), unready
        assert self.page(OPERATIONS, "/livez") == (200, "alive\n")
        assert self.metric("orderlens_journal_failed") == 1

    def said(self):
        return self.out.read_text(encoding="utf-8") + self.log.read_text(encoding="utf-8")

    def is_running(self):
        return self.process.poll() is None

    def pid(self):
        """The service itself, not what it was started by."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        own = children.read_text(encoding="utf-8").split()
        is_service = Path(f"/proc/{self.process.pid}/exe").resolve() == Path(BINARY).resolve()
        return self.process.pid if is_service else int(own[0])

    def kill(self):
        """SIGKILL: no warning, no clean-up."""
        if self.is_running():
            os.kill(self.pid(), signal.SIGKILL)
        self.process.wait()

    def stop(self):
        """SIGTERM; the service must end by itself, and soon."""
        os.kill(self.pid(), signal.SIGTERM)
        try:
            return self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"did not stop within {STOP_S} s of SIGTERM") from None


def spawn(out, log, run, arguments, prefix, env, **options):
    command = [
        *prefix,
        BINARY,
        "serve",
        *("--listen", "127.0.0.1:0", "--console", "127.0.0.1:0"),
        *("--operations", "127.0.0.1:0"),
        *("--data", str(run / "data")),
        *map(str, arguments),
    ]
    environment = {**os.environ, "ORDERLENS_IDENTITY_SECRET": "a secret of the tests only"}
    environment |= {"RUST_LOG": "info", "NO_COLOR": "1"} | (env or {})
    with open(out, "w", encoding="utf-8") as stdout, open(log, "w", encoding="utf-8") as stderr:
        return subprocess.Popen(
            command, cwd=ROOT, stdout=stdout, stderr=stderr, env=environment, **options
        )


def refused(run, arguments=(), wanted=(), **options):
    """A start that must end by itself with an error that says all of `wanted`."""
    out, log = run / "refused.txt", run / "refused.log"
    process = spawn(out, log, run, arguments, (), None, **options)
    try:
        code = process.wait(START_S)
    except subprocess.TimeoutExpired:
        process.kill()
        raise AssertionError("started although it should refuse") from None
    said = out.read_text(encoding="utf-8") + log.read_text(encoding="utf-8")
    assert code == 1, f"ended with {code}: {said[-2000:]}"
    assert "panicked" not in said, said
    # A report is broken into lines at any blank.
    flat = "".join(c for c in said if not c.isspace() and c not in "│×╰─▶├")
    for words in wanted:
        flat_words = "".join(words.split())
        assert flat_words in flat, f"does not say `{words}`: {said[-2000:]}"


def replay_is_identical(run, arguments=()):
    """Every recorded decision, computed again from the journal, has the same bytes."""
    command = [BINARY, "replay", "--json", "--data", str(run / "data"), *map(str, arguments)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout[-500:] + ended.stderr[-2000:]
    report = json.loads(ended.stdout)
    assert report["differing"] == 0, report
    return report["identical"]
