"""Disks of the fault tests: full, read-only, slow; and damage to what is on them."""

import contextlib
import os
import resource
import shutil
import struct
import subprocess
import tempfile
import zlib
from pathlib import Path

SEGMENT_HEADER_BYTES = 32
RECORD_HEADER_BYTES = 24


def may_mount():
    """Whether this user may mount; containers often say no, even to root."""
    if os.environ.get("ORDERLENS_MOUNTS") == "no" or shutil.which("mount") is None:
        return False
    with tempfile.TemporaryDirectory() as folder:
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder],
            capture_output=True,
            check=False,
        )
        if mounted.returncode != 0:
            return False
        subprocess.run(["umount", folder], check=True)
        return True


@contextlib.contextmanager
def small_disk(folder, megabytes):
    """A file system in memory with so much room."""
    folder.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    subprocess.run(mount, check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def make_room(folder, megabytes):
    remount = ["mount", "-o", f"remount,size={megabytes}m", str(folder)]
    subprocess.run(remount, check=True)


@contextlib.contextmanager
def loop_disk(folder, image, megabytes):
    """An ext4 file system in a file, which turns read-only at its first error."""
    folder.mkdir(parents=True)
    with open(image, "wb") as file:
        file.truncate(megabytes << 20)
    subprocess.run(["mkfs.ext4", "-q", "-F", str(image)], check=True)
    options = "loop,errors=remount-ro"
    subprocess.run(["mount", "-o", options, str(image), str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=False)


def turn_read_only(folder):
    """Tells ext4 that it has found an error: it turns read-only below a running service."""
    device = os.stat(folder).st_dev
    name = Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}").resolve().name
    Path(f"/sys/fs/ext4/{name}/trigger_fs_error").write_text("planted\n", encoding="utf-8")


def mount_again(folder, image):
    subprocess.run(["umount", str(folder)], check=True)
    subprocess.run(["e2fsck", "-p", str(image)], capture_output=True, check=False)
    subprocess.run(["mount", "-o", "loop", str(image), str(folder)], check=True)


def forbid_growth(pid, file_bytes):
    """No file of the process may grow beyond so many bytes; the nearest thing to a full disk."""
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (file_bytes, file_bytes))


def segments(data):
    return sorted((data / "journal").glob("*.log"))


def records(segment):
    """Offset and bytes of every record of a segment."""
    raw = segment.read_bytes()
    at, found = SEGMENT_HEADER_BYTES, []
    while at + RECORD_HEADER_BYTES <= len(raw):
        crc, length = struct.unpack_from("<II", raw, at)
        if crc != zlib.crc32(raw[at + 4 : at + RECORD_HEADER_BYTES]) or crc == 0:
            break
        found.append((at, RECORD_HEADER_BYTES + length))
        at += RECORD_HEADER_BYTES + length
    return found


def payloads(data):
    """What every record of a journal holds; how records were grouped on disk is left out."""
    held = []
    for segment in segments(data):
        raw = segment.read_bytes()
        held += [raw[at + RECORD_HEADER_BYTES : at + n_bytes] for at, n_bytes in records(segment)]
    return held


def flip(path, at):
    """Turns over one bit, as a failing disk does."""
    with open(path, "r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 0x10]))


def overwrite(path, at, raw):
    with open(path, "r+b") as file:
        file.seek(at)
        file.write(raw)


def half_record(segment):
    """What a crash leaves: the first half of the record after the last one, and its place."""
    found = records(segment)
    at, length = found[-1]
    raw = segment.read_bytes()[at : at + length]
    _, n_bytes, position, _, payload_crc = struct.unpack_from("<IIQII", raw)
    header = struct.pack("<IQII", n_bytes, position + 1, 0, payload_crc)
    torn = struct.pack("<I", zlib.crc32(header)) + header + raw[RECORD_HEADER_BYTES:]
    return at + length, torn[: length // 2]
