"""Network namespaces of the fault tests: a host each, with a cable to the broker's."""

import contextlib
import ctypes
import os
import shutil
import socket
import subprocess
import threading

BROKER_PORT = 4222
CLONE_NEWNET = 0x40000000
CHUNK_BYTES = 65_536


def ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True)


def may_make():
    """Why this user may make no namespaces; empty when they may."""
    if shutil.which("ip") is None:
        return "no ip (iproute2) here"
    name = f"olprobe{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        return f"no network namespaces here: {made.stderr.strip()}"
    subprocess.run(["ip", "netns", "del", name], check=False)
    return ""


@contextlib.contextmanager
def hosts(n):
    """A namespace for a broker, and `n` others with a cable to it each."""
    broker = f"ol{os.getpid()}broker"
    names = [f"ol{os.getpid()}r{at}" for at in range(n)]
    made = []
    try:
        for name in (broker, *names):
            ip("netns", "add", name)
            made.append(name)
            ip("-n", name, "link", "set", "lo", "up")
        yield broker, [Cable(broker, name, at) for at, name in enumerate(names)]
    finally:
        for name in made:
            subprocess.run(["ip", "netns", "del", name], check=False)


class Cable:
    """From a host to the broker's; both ends have addresses of their own."""

    def __init__(self, broker, host, at):
        self.broker, self.host, self.end = broker, host, f"to{at}"
        peer = ["peer", "name", "broker", "netns", host]
        ip("link", "add", self.end, "netns", broker, "type", "veth", *peer)
        ip("-n", broker, "address", "add", f"10.77.{at}.1/24", "dev", self.end)
        ip("-n", host, "address", "add", f"10.77.{at}.2/24", "dev", "broker")
        ip("-n", host, "link", "set", "broker", "up")
        self.plug()
        self.url = f"nats://10.77.{at}.1:{BROKER_PORT}"

    def plug(self):
        ip("-n", self.broker, "link", "set", self.end, "up")

    def cut(self):
        """Nothing gets through any more, and nobody is told."""
        ip("-n", self.broker, "link", "set", self.end, "down")


@contextlib.contextmanager
def inside(host):
    """This thread, and only it, opens its sockets in a namespace meanwhile."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/thread-self/ns/net", "rb") as here, open(f"/run/netns/{host}", "rb") as there:
        enter(libc, there)
        try:
            yield
        finally:
            enter(libc, here)


def enter(libc, namespace):
    if libc.setns(namespace.fileno(), CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


class Relay:
    """Takes connections here and hands them to an address inside a namespace."""

    def __init__(self, host, address):
        name, port = address.rsplit(":", 1)
        self.host, self.target = host, (name, int(port))
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:{}".format(self.listener.getsockname()[1])
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                outer, _ = self.listener.accept()
            except OSError:
                return
            try:
                with inside(self.host):
                    inner = socket.create_connection(self.target)
            except OSError:
                outer.close()
                continue
            for one, other in ((outer, inner), (inner, outer)):
                threading.Thread(target=pump, args=(one, other), daemon=True).start()

    def close(self):
        self.listener.close()


def pump(source, sink):
    with contextlib.suppress(OSError):
        while chunk := source.recv(CHUNK_BYTES):
            sink.sendall(chunk)
    for end in (source, sink):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
