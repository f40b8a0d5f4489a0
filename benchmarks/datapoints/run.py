"""Measures Holotype's datapoints beside madsci.data_manager on its in-memory store, and prints ratios.

Ours answers only after the record is on the disk; the peer keeps its records in memory. Rates come from wrk, whole-process memory from
the kernel (VmHWM). The machine's own flush latency is printed beside them, since a durable rate means nothing without it.
"""

import argparse
import hashlib
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "tests"))
import servers  # noqa: E402

MIB = 1024 * 1024


def percentile(samples: list[float], share: float) -> float:
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def flush_latency(folder: Path) -> None:
    samples = []
    with (folder / "flush").open("wb") as file:
        for _ in range(500):
            file.write(b"x" * 4096)
            file.flush()
            before = time.perf_counter()
            os.fdatasync(file.fileno())
            samples.append((time.perf_counter() - before) * 1000)
    print(f"fdatasync of 4 KiB: p50 {percentile(samples, 0.5):.3f} ms, p99 {percentile(samples, 0.99):.3f} ms", flush=True)


class Peer:
    """madsci.data_manager as a server that can be measured like ours."""

    def __init__(self, python: str, folder: Path):
        self.port, self.log = servers.free_port(), folder / "peer.log"
        (folder / ".madsci").mkdir()  # else it looks upwards for a place for its logs
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [Path(python).absolute(), HERE / "peer.py", str(self.port), str(folder / "peer-files")], cwd=folder, stdout=log, stderr=log
            )
        servers.wait_until_answering(f"http://127.0.0.1:{self.port}/health", self.process, self.log)

    def __enter__(self) -> "Peer":
        return self

    def __exit__(self, *_) -> None:
        self.process.terminate()
        self.process.wait(30)


def load(port: int, script: str, seconds: int, connections: int = 8) -> dict:
    """One wrk run; an answer that is not 2xx makes it fail."""
    environment = os.environ | {"BENCH_RUN": str(time.time_ns()), "BENCH_REPORT": str(HERE / "report.lua")}
    done = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", HERE / f"{script}.lua", f"http://127.0.0.1:{port}"],
        env=environment, capture_output=True, text=True, check=True,
    )
    result = json.loads(done.stdout.strip().splitlines()[-1])
    if result["errors"] or not result["requests"]:
        raise RuntimeError(f"{script}: {result}")
    return result


def memory(process: subprocess.Popen) -> float:
    """The most resident memory the process ever had, in MiB."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024


def submit_values(port: int, count: int) -> None:
    """`count` values under a hundred labels, one request each, as the clients do."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    for number in range(count):
        record = json.dumps({"label": f"label-{number % 100}", "data_type": "json", "datapoint_id": f"Q{number}", "value": number,
                             "ownership_info": {}, "data_timestamp": f"2026-11-20T13:13:43.{number:06d}"})
        connection.request("POST", "/datapoint", "datapoint=" + record, {"Content-Type": "application/x-www-form-urlencoded"})
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise RuntimeError(f"submit answered {answer.status}")


def upload(port: int, path: Path, identifier: str) -> float:
    """Seconds to send a file of any size from the disk, in one multipart request."""
    record = json.dumps({"label": "big", "data_type": "file", "datapoint_id": identifier, "ownership_info": {}, "path": str(path),
                         "data_timestamp": "2026-11-20T13:13:43.575470"})
    head = (f'--B\r\nContent-Disposition: form-data; name="datapoint"\r\n\r\n{record}\r\n'
            f'--B\r\nContent-Disposition: form-data; name="files"; filename="{path.name}"\r\n\r\n').encode()
    tail = b"\r\n--B--\r\n"
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600, blocksize=256 * 1024)
    before = time.perf_counter()
    connection.putrequest("POST", "/datapoint")
    connection.putheader("Content-Type", "multipart/form-data; boundary=B")
    connection.putheader("Content-Length", str(len(head) + path.stat().st_size + len(tail)))
    connection.endheaders()
    connection.send(head)
    with path.open("rb") as file:
        connection.sock.sendfile(file)
    connection.send(tail)
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"upload answered {answer.status}: {body[:300]!r}")
    return time.perf_counter() - before


def download(port: int, identifier: str, expected: str | None) -> float:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
    before = time.perf_counter()
    connection.request("GET", f"/datapoint/{identifier}/value")
    answer = connection.getresponse()
    digest = hashlib.sha256() if expected else None
    while chunk := answer.read(MIB):
        if digest:
            digest.update(chunk)
    elapsed = time.perf_counter() - before
    if answer.status != 200 or (digest and digest.hexdigest() != expected):
        raise RuntimeError(f"download answered {answer.status} or other bytes")
    return elapsed


def health_during(port: int, work) -> list[float]:
    """Milliseconds of /health, asked again and again while `work` runs."""
    samples, done = [], threading.Event()

    def ask() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
        while not done.is_set():
            before = time.perf_counter()
            connection.request("GET", "/health")
            connection.getresponse().read()
            samples.append((time.perf_counter() - before) * 1000)
            time.sleep(0.005)

    asker = threading.Thread(target=ask)
    asker.start()
    try:
        work()
    finally:
        done.set()
        asker.join()
    return samples


def make_file(path: Path, size: int) -> str:
    digest, left, block = hashlib.sha256(), size, os.urandom(MIB)
    with path.open("wb") as file:
        while left:
            part = (left.to_bytes(8) + block)[: min(MIB, left)]
            file.write(part)
            digest.update(part)
            left -= len(part)
    return digest.hexdigest()


def compare(name: str, ours: float, theirs: float, unit: str, higher_is_better: bool = True) -> None:
    ratio = ours / theirs if higher_is_better else theirs / ours
    print(f"{name:42} ours {ours:12.1f} {unit:6} peer {theirs:10.1f} {unit:6} {ratio:7.1f}x", flush=True)


def beside_the_peer(arguments, folder: Path) -> None:
    ours = servers.Holotype(arguments.holotype, folder / "ours")
    ours.run("init")
    with ours, Peer(arguments.peer, folder) as peer:
        # Both hold ten thousand values before queries and listings are measured, and the submits come last: the peer slows with its size.
        for port in (ours.port, peer.port):
            submit_values(port, 10_000)
        for script, name in (("query", "label query, 100 of 10,000"), ("list", "listing 100"), ("submit", "submits, 8 connections")):
            rates = {port: [] for port in (ours.port, peer.port)}
            for _ in range(3):
                for port in rates:
                    rates[port].append(load(port, script, arguments.seconds)["rate"])
            compare(name, statistics.median(rates[ours.port]), statistics.median(rates[peer.port]), "req/s")
        big = folder / "big.bin"
        digest = make_file(big, 256 * MIB)
        times = {port: ([], []) for port in (ours.port, peer.port)}
        for number in range(3):
            for port in times:
                times[port][0].append(upload(port, big, f"big-{number}-{port}"))
                times[port][1].append(download(port, f"big-{number}-{port}", None))
        download(ours.port, f"big-0-{ours.port}", digest)
        for index, name in enumerate(("upload of 256 MiB", "download of 256 MiB")):
            mine, theirs = (256 / statistics.median(times[port][index]) for port in (ours.port, peer.port))
            compare(name, mine, theirs, "MiB/s")
        for port, name in ((ours.port, "ours"), (peer.port, "peer")):
            samples = health_during(port, lambda: upload(port, big, f"during-{port}"))
            print(f"/health during a 256 MiB upload, {name:6} p50 {percentile(samples, 0.5):.1f} ms, p99 {percentile(samples, 0.99):.1f} ms, n={len(samples)}", flush=True)
        print(f"memory so far: ours {memory(ours.process):.0f} MiB, peer {memory(peer.process):.0f} MiB", flush=True)


def ours_alone(arguments, folder: Path) -> None:
    server = servers.Holotype(arguments.holotype, folder / "alone")
    server.run("init")
    with server:
        huge = folder / "huge.bin"
        digest = make_file(huge, arguments.huge_mib * MIB)
        samples = health_during(server.port, lambda: upload(server.port, huge, "huge"))
        took = download(server.port, "huge", digest)
        print(f"a file of {arguments.huge_mib} MiB up and down ({arguments.huge_mib / took:.0f} MiB/s down): memory {memory(server.process):.0f} MiB; "
              f"/health meanwhile p99 {percentile(samples, 0.99):.1f} ms, n={len(samples)}", flush=True)
        huge.unlink()
        a_million(server, arguments.million)
        print(f"memory at the end: {memory(server.process):.0f} MiB", flush=True)


def a_million(server: servers.Holotype, count: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=600)
    elapsed = 0.0
    for start in range(0, count, 50_000):
        lines = (f'{{"_id":"M{n}","label":"label-{n % 1000}","data_type":"json","value":{n},"data_timestamp":"2026-11-20T13:{n // 60_000_000:02d}:43.{n % 1_000_000:06d}"}}\n'
                 for n in range(start, min(count, start + 50_000)))
        body = "".join(lines).encode()
        before = time.perf_counter()
        connection.request("POST", "/api/v1/datapoints/batch", body, {"Content-Type": "application/x-ndjson"})
        answer = connection.getresponse()
        results = answer.read()
        elapsed += time.perf_counter() - before
        if answer.status != 200 or b'"error"' in results:
            raise RuntimeError(f"batch answered {answer.status}: {results[:300]!r}")
    print(f"batch submit of {count:,} values: {count / elapsed:,.0f}/s", flush=True)
    samples = []
    for number in range(2000):
        before = time.perf_counter()
        connection.request("GET", f"/api/v1/datapoints?label=label-{number * 7919 % 1000}&sort=-data_timestamp&limit=100")
        answer = connection.getresponse()
        page = json.loads(answer.read())
        samples.append((time.perf_counter() - before) * 1000)
        assert answer.status == 200 and len(page["items"]) == 100, page
    print(f"latest 100 by label among {count:,}: p50 {percentile(samples, 0.5):.2f} ms, p99 {percentile(samples, 0.99):.2f} ms", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--holotype", required=True)
    parser.add_argument("--peer", required=True, help="a Python that has madsci.data_manager")
    parser.add_argument("--seconds", type=int, default=5, help="length of one load")
    parser.add_argument("--huge-mib", type=int, default=4096)
    parser.add_argument("--million", type=int, default=1_000_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="holotype-bench-", dir="target") as name:
        folder = Path(name).resolve()
        flush_latency(folder)
        beside_the_peer(arguments, folder)
        ours_alone(arguments, folder)


if __name__ == "__main__":
    main()
