"""Files up and down, 1 GiB each, against a raw-socket server in another process on loopback.

    python tests/benchmarks/transfer.py [MiB]

Prints, for callsheet and for a plain synchronous httpx script that does the same (and for the upload nothing but send
the file), CPU seconds of the client process, wall seconds and peak memory, best of three, and the ratio of CPU.
Targets: peak below 120 MB; CPU at most 1.3 times the plain script's.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PIECE = bytes(range(256)) * 4096  # 1 MiB


def serve(size: int) -> None:
    """Answer PUT by swallowing and GET by ``size`` bytes, one connection at a time."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        print(server.getsockname()[1], flush=True)
        buffer = bytearray(1 << 20)
        while True:
            peer, _ = server.accept()
            with peer:
                head = b""
                while b"\r\n\r\n" not in head and (got := peer.recv(65536)):
                    head += got
                if not head:
                    continue
                if head.startswith(b"GET"):
                    start = b'HTTP/1.1 200 OK\r\nETag: "x"\r\nConnection: close\r\nContent-Length: %d\r\n\r\n' % size
                    peer.sendall(start + b"\0\0\0\x18ftypisom\0\0\0\0")
                    left = size - 16
                    while left:
                        left -= peer.send(memoryview(PIECE)[:left])
                else:
                    lines = head.lower().split(b"\r\n")
                    length = next(int(line[15:]) for line in lines if line.startswith(b"content-length:"))
                    left = length - len(head.partition(b"\r\n\r\n")[2])
                    while left:
                        left -= peer.recv_into(buffer)
                    peer.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")


def plain_up(url: str, file: Path) -> None:
    """What anybody would write."""
    import httpx

    with file.open("rb") as handle:
        httpx.put(url, content=handle, headers={"content-length": str(file.stat().st_size)}).raise_for_status()


def plain_down(url: str, file: Path) -> None:
    """What anybody would write who wants a digest and a durable file."""
    import httpx

    digest = hashlib.sha256()
    with httpx.stream("GET", url) as reply, file.open("wb", buffering=0) as handle:
        for chunk in reply.iter_raw():
            digest.update(chunk)
            handle.write(chunk)
        os.fsync(handle.fileno())


def _client(url: str):  # type: ignore[no-untyped-def]
    from callsheet.core.operation import Connection
    from callsheet.engine.http import HttpClient

    return HttpClient(Connection(url, {"x-api-key": "secret"}, frozenset({"secret"}), "digest"))


def callsheet_up(url: str, file: Path) -> None:
    """`HttpClient.put_file`."""
    reply = asyncio.run(_client(url).put_file(url + "/put", file, {"content-type": "video/mp4"}))
    assert reply.ok


def callsheet_multipart(url: str, file: Path) -> None:
    """`HttpClient.request` with a file."""
    reply = asyncio.run(_client(url).request("POST", "/v3/assets", file=("file", file, "video/mp4")))
    assert reply.ok


def callsheet_down(url: str, file: Path) -> None:
    """`Downloader.download`."""
    from callsheet.engine.transfer import Downloader

    asyncio.run(Downloader().download(url + "/a.mp4", file, kind="video", allow_private=True))


JOBS = {
    function.__name__: function
    for function in (plain_up, callsheet_up, callsheet_multipart, plain_down, callsheet_down)
}


def child(name: str, url: str, file: Path) -> None:
    """Do one transfer and print CPU, wall and peak. Imports count for neither side."""
    import httpx  # noqa: F401

    import callsheet.engine.http
    import callsheet.engine.transfer  # noqa: F401

    before, started = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
    JOBS[name](url, file)
    after, ended = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(cpu, ended - started, after.ru_maxrss / 1024)


def measure(name: str, url: str, file: Path) -> tuple[float, float, float]:
    """Best of three, each in its own process: CPU seconds, wall seconds, peak MB."""
    runs = []
    for _ in range(3):
        words = [sys.executable, __file__, "--child", name, url, str(file)]
        out = subprocess.run(words, check=True, capture_output=True, text=True).stdout.split()
        runs.append(tuple(float(word) for word in out))
    cpu, wall, _ = min(runs)
    return cpu, wall, max(run[2] for run in runs)


def main() -> None:
    """Measure everything and print a table."""
    mib = int(sys.argv[1]) if len(sys.argv) > 1 else 1024
    words = [sys.executable, __file__, "--serve", str(mib << 20)]
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as server,
    ):
        assert server.stdout is not None
        url = f"http://127.0.0.1:{server.stdout.readline().strip()}"
        big = Path(folder, "big.mp4")
        with big.open("wb") as handle:
            for _ in range(mib):
                handle.write(PIECE)
        try:
            compare(url, big, Path(folder, "down.mp4"))
        finally:
            server.terminate()


def compare(url: str, big: Path, down: Path) -> None:
    """Print one line per job; each ratio is to the last plain job above it."""
    base = 1.0
    print(f"{'':22}{'CPU s':>8}{'wall s':>8}{'peak MB':>9}{'CPU ratio':>11}")
    for name in JOBS:
        cpu, wall, peak = measure(name, url, down if name.endswith("down") else big)
        base = cpu if name.startswith("plain") else base
        print(f"{name:22}{cpu:8.2f}{wall:8.2f}{peak:9.0f}{cpu / base:11.2f}", flush=True)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--serve", size]:
            serve(int(size))
        case ["--child", name, url, path]:
            child(name, url, Path(path))
        case _:
            main()
