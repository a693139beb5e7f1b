"""Faults against a running service: each has a line that says whether it held.

    faults.py FOLDER [--long] [NAME…]

What every fault checks: nothing acknowledged is lost, nothing is applied twice,
and every refusal is a clear status or names the file it is about.
"""

import os
import shutil
import sys
import time
import traceback
from pathlib import Path

import grpc

import disks
import load
from load import Load, Told, check_each_once, check_nothing_lost, settle_unknown, wait_until
from partition import partition
from server import ROOT, SMALL, Server, Skipped, refused, replay_is_identical, service_file

KILLS = int(os.environ.get("ORDERLENS_KILLS", "5"))
# Decisions before a fault strikes.
BEFORE = 60
FAKETIME = "/usr/lib/{}-linux-gnu/faketime/libfaketimeMT.so.1".format(os.uname().machine)
HOUR_S = 3_600


def served(run, n=BEFORE, arguments=()):
    """A folder in which a service answered some orders and was then killed."""
    told = Told()
    with Server(run, arguments) as server:
        calls = Load(server.address(), told)
        calls.wait_for(n)
        calls.stop()
        assert not told.refusals, told.messages
    return told


def holds(run, told, arguments=()):
    """A service on this folder knows everything, and everything once."""
    with Server(run, arguments) as server:
        check_nothing_lost(server.address(), told)
        settle_unknown(server.address(), told)
        n = check_each_once(server.address(), told)
        assert server.stop() == 0
    replay_is_identical(run, arguments)
    return n


def kill(run):
    """kill -9 under load, again and again."""
    told = Told()
    for n in range(KILLS):
        with Server(run) as server:
            settle_unknown(server.address(), told)
            before = set(told.decisions)
            calls = Load(server.address(), told)
            calls.wait_for(BEFORE)
            # Different moments, the same on every run.
            time.sleep(n * 137 % 400 / 1_000)
            server.kill()
            calls.stop()
        assert not told.unclear(), told.unclear()
        with Server(run) as server:
            check_nothing_lost(server.address(), told, set(told.decisions) - before)
    return f"{KILLS} kills, {holds(run, told)} orders"


def disk_full(run):
    """The disk is full; later there is room again."""
    config = service_file(run / "small.toml", **SMALL)
    arguments = ("--config", config)
    told = Told()
    if disks.may_mount():
        with disks.small_disk(run / "data", 6):
            with Server(run, arguments) as server:
                server.check_well()
                refuse_and_stop(server, told)
            disks.make_room(run / "data", 512)
            return f"tmpfs, {holds(run, told, arguments)} orders"
    with Server(run, arguments, restore_signals=False) as server:
        calls = Load(server.address(), told)
        calls.wait_for(BEFORE)
        calls.stop()
        disks.forbid_growth(server.pid(), 65_536)
        refuse_and_stop(server, told)
    return f"no mounts here, so by RLIMIT_FSIZE; {holds(run, told, arguments)} orders"


def refuse_and_stop(server, told):
    """Under load until the service refuses; it says why, in its health too, and ends when asked."""
    calls = Load(server.address(), told)
    calls.wait_for_refusal()
    time.sleep(0.5)
    calls.stop()
    server.check_journal_failed()
    assert not told.unclear(), told.unclear()
    assert grpc.StatusCode.UNAVAILABLE in told.refusals, told.refusals
    assert "journal" in told.messages[grpc.StatusCode.UNAVAILABLE], told.messages
    assert server.is_running(), server.said()[-2000:]
    assert "panicked" not in server.said(), server.said()[-2000:]
    assert server.stop() == 0


def disk_read_only(run):
    """The file system turns read-only below the service; later it is mounted again."""
    if not disks.may_mount() or shutil.which("mkfs.ext4") is None:
        raise Skipped("no mounts here, or no mkfs.ext4")
    told = Told()
    image = run / "image"
    with disks.loop_disk(run / "data", image, 400):
        with Server(run) as server:
            calls = Load(server.address(), told)
            calls.wait_for(BEFORE)
            server.check_well()
            disks.turn_read_only(run / "data")
            calls.stop()
            refuse_and_stop(server, told)
        refused(run, wanted=["Read-only file system"])
        disks.mount_again(run / "data", image)
        return f"ext4, {holds(run, told)} orders"


def slow_fsync(run):
    """Every fsync takes 150 ms; callers give up after 100 ms and ask again."""
    if shutil.which("strace") is None:
        raise Skipped("no strace here")
    told = Told()
    with Server(run) as server:
        server.stop()
    inject = "inject=fdatasync,fsync:delay_exit=150000"
    strace = ("strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync,fsync", "-e", inject)
    with Server(run, prefix=strace) as server:
        hasty = Load(server.address(), told, timeout_s=0.1)
        hasty.wait_for_refusal()
        time.sleep(1)
        hasty.stop()
        assert set(told.refusals) == {grpc.StatusCode.DEADLINE_EXCEEDED}, told.messages
        n_late = told.refusals.total()
        patient = Load(server.address(), told, callers=16)
        start = time.monotonic()
        patient.wait_for(BEFORE)
        seconds = time.monotonic() - start
        patient.stop()
        assert told.refusals.total() == n_late, told.messages
        # One sync serves many: alone, each order would wait for its own.
        assert seconds < BEFORE * 0.15, f"{BEFORE} orders took {seconds:.1f} s"
        settle_unknown(server.address(), told)
        check_nothing_lost(server.address(), told)
        server.kill()
    return f"{n_late} calls gave up; {holds(run, told)} orders"


def clock_back(run):
    """The clock is set back by an hour while the service runs, and once more before a start."""
    library = Path(FAKETIME)
    if not library.exists():
        raise Skipped(f"no libfaketime at {library}")
    told = Told(start_s=time.time() - 3 * HOUR_S)
    offset = run / "offset"
    offset.write_text("+0s\n", encoding="utf-8")
    env = {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(offset),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    with Server(run, env=env) as server:
        calls = Load(server.address(), told)
        calls.wait_for(BEFORE)
        offset.write_text(f"-{HOUR_S}s\n", encoding="utf-8")
        calls.wait_for(BEFORE)
        calls.stop()
        assert received_back_by(server, told) > HOUR_S / 2, "the clock did not go back"
        check_nothing_lost(server.address(), told)
        server.kill()
    offset.write_text(f"-{2 * HOUR_S}s\n", encoding="utf-8")
    with Server(run, env=env) as server:
        check_nothing_lost(server.address(), told)
        calls = Load(server.address(), told)
        calls.wait_for(BEFORE)
        calls.stop()
    assert not told.refusals, told.messages
    return f"{holds(run, told)} orders"


def received_back_by(server, told):
    """Seconds by which a later order was received earlier than the first one."""
    decided = [load.decisions.Decision.FromString(raw) for _, raw in sorted(told.decisions.items())]
    times = [it.times.received_time.ToMicroseconds() / 1e6 for it in decided]
    assert server.is_running()
    return max(times) - times[-1]


def torn_tail(run):
    """A crash left half a record behind the last one: it is cut off, and nothing else."""
    told = served(run)
    segment = disks.segments(run / "data")[-1]
    disks.overwrite(segment, *disks.half_record(segment))
    return f"{holds(run, told)} orders"


def damaged_tail(run):
    """A bit of the last record is wrong: refused by name; with the bit mended all is there."""
    told = served(run)
    segment = disks.segments(run / "data")[-1]
    at, length = disks.records(segment)[-1]
    return refused_then_mended(run, told, segment, at + length - 3)


def damaged_middle(run):
    """A bit in the middle of the journal is wrong: refused by name."""
    told = served(run)
    segment = disks.segments(run / "data")[-1]
    found = disks.records(segment)
    at, length = found[len(found) // 2]
    return refused_then_mended(run, told, segment, at + length - 3)


def damaged_old_segment(run):
    """The same in a segment that is long complete."""
    arguments = ("--config", service_file(run / "small.toml", **SMALL))
    told = served(run, n=150, arguments=arguments)
    found = disks.segments(run / "data")
    assert 2 <= len(found), found
    at, length = disks.records(found[0])[5]
    return refused_then_mended(run, told, found[0], at + length - 3, arguments)


def refused_then_mended(run, told, segment, at, arguments=()):
    for path in (run / "data").glob("snapshots/*"):
        path.unlink()
    disks.flip(segment, at)
    refused(run, arguments, wanted=[segment.name, "damaged at byte", "restore the file"])
    disks.flip(segment, at)
    return f"refused by name; mended: {holds(run, told, arguments)} orders"


def damaged_snapshot(run):
    """A damaged snapshot is passed over, and said so."""
    told = Told()
    with Server(run) as server:
        calls = Load(server.address(), told)
        calls.wait_for(BEFORE)
        calls.stop()
        assert server.stop() == 0
    snapshot = sorted((run / "data/snapshots").glob("*.snapshot"))[-1]
    disks.flip(snapshot, snapshot.stat().st_size // 2)
    with Server(run) as server:
        assert snapshot.name in server.said(), server.said()[-2000:]
        check_nothing_lost(server.address(), told)
    return f"passed over; {holds(run, told)} orders"


def damaged_model(run):
    """A damaged model file does not touch who runs, and is refused by name at the next start."""
    models = run / "models"
    shutil.copytree(ROOT / "models", models)
    arguments = ("--models", models)
    told = Told()
    head = sorted(models.glob("*/*/heads/*.json"))[0]
    good = head.read_bytes()
    with Server(run, arguments) as server:
        calls = Load(server.address(), told)
        calls.wait_for(BEFORE)
        disks.flip(head, len(good) // 2)
        calls.wait_for(BEFORE)
        calls.stop()
        assert not told.refusals, told.messages
        server.kill()
    refused(run, arguments, wanted=[head.name])
    head.write_bytes(good[: len(good) // 2])
    refused(run, arguments, wanted=[head.name])
    head.write_bytes(good)
    return f"refused by name; mended: {holds(run, told, arguments)} orders"


def garbage_strategy(run):
    """The strategy file is overwritten with garbage: the running one stays, a start refuses."""
    strategy = run / "strategy.toml"
    good = (ROOT / "config/strategy.toml").read_text(encoding="utf-8")
    strategy.write_text(good, encoding="utf-8")
    arguments = ("--strategy", strategy)
    told = Told()
    garbage = [
        good.replace("\n[", "\nwrong_key = 1\n\n[", 3).encode(),
        b"name = \x00\x01 [[[",
        bytes(range(256)) * 64,
        b"",
        b"#" * (2 << 20),
    ]
    with Server(run, arguments) as server:
        calls = Load(server.address(), told)
        calls.wait_for(BEFORE)
        for raw in garbage:
            n_warned = server.said().count("the running strategy stays")
            strategy.write_bytes(raw)
            wait_until(
                lambda: n_warned < server.said().count("the running strategy stays"),
                10,
                f"warning about {raw[:20]}",
            )
        calls.wait_for(BEFORE)
        calls.stop()
        assert not told.refusals, told.messages
        hashes = {
            load.decisions.Decision.FromString(raw).versions.strategy_hash
            for raw in told.decisions.values()
        }
        assert len(hashes) == 1, f"orders were judged by {len(hashes)} strategies"
        server.kill()
    strategy.write_bytes(garbage[0])
    refused(run, arguments, wanted=["3 mistakes", "wrong_key"])
    for raw in garbage[1:4]:
        strategy.write_bytes(raw)
        refused(run, arguments, wanted=["strategy.toml"])
    strategy.write_text(good, encoding="utf-8")
    return f"the old one stayed; {holds(run, told, arguments)} orders"


def garbage_service(run):
    """The service file is wrong: a start refuses with every mistake at once."""
    told = served(run)
    config = service_file(run / "service.toml", queue_max=0, batch_max='"many"', lateness_days=-1)
    arguments = ("--config", config)
    refused(run, arguments, wanted=["3 mistakes", "queue_max", "batch_max", "lateness_days"])
    config.write_bytes(bytes(range(256)))
    refused(run, arguments, wanted=["service.toml"])
    return f"refused with every mistake; {holds(run, told)} orders"


def two_servers(run):
    """A second service on the same folder is refused; the first one does not notice."""
    told = Told()
    with Server(run) as server:
        calls = Load(server.address(), told)
        calls.wait_for(BEFORE)
        refused(run, wanted=["is held by another process"])
        calls.wait_for(BEFORE)
        calls.stop()
        assert not told.refusals, told.messages
        check_nothing_lost(server.address(), told)
    return f"{holds(run, told)} orders"


FAULTS = {
    it.__name__.replace("_", "-"): it
    for it in (
        kill,
        disk_full,
        disk_read_only,
        slow_fsync,
        clock_back,
        torn_tail,
        damaged_tail,
        damaged_middle,
        damaged_old_segment,
        damaged_snapshot,
        damaged_model,
        garbage_strategy,
        garbage_service,
        two_servers,
        partition,
    )
}
# A minute or more each: only when they are named, or with --long.
LONG = {"partition"}


def one(name, folder):
    run = folder / name
    if run.exists():
        shutil.rmtree(run)
    run.mkdir(parents=True)
    start = time.monotonic()
    try:
        said, line = FAULTS[name](run), "PASS"
    except Skipped as reason:
        said, line = str(reason), "SKIP"
    except Exception as error:  # every fault gets its turn, whatever broke the one before
        traceback.print_exc()
        said, line = str(error).splitlines()[0] if str(error) else "see above", "FAIL"
    print(f"{line}  {name}: {said} ({time.monotonic() - start:.0f} s)", flush=True)
    if line == "PASS":
        shutil.rmtree(run)
    return line


def main():
    folder, words = Path(sys.argv[1]), sys.argv[2:]
    is_long = "--long" in words
    usual = [name for name in FAULTS if is_long or name not in LONG]
    names = [word for word in words if word != "--long"] or usual
    unknown = [name for name in names if name not in FAULTS]
    if unknown:
        print(f"no fault is called {unknown}; there are: {' '.join(FAULTS)}")
        return 2
    ends = [one(name, folder) for name in names]
    print(f"faults: {ends.count('PASS')} held, {ends.count('FAIL')} failed, {ends.count('SKIP')} skipped")
    return 1 if "FAIL" in ends else 0


if __name__ == "__main__":
    sys.exit(main())
