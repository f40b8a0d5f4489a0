"""What the world does to a server: a full disk, a read-only home, two servers on one home, clients that stall or break off.

Each fault gets a clear answer with the right status, the server goes on, what was acknowledged stays, and nothing is half-stored.
The disks are small tmpfs mounts, so those two parts need root; elsewhere they say that they are skipped.
"""

import argparse
import contextlib
import gzip
import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import urllib.parse
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import servers  # noqa: E402


def submit_value(port: int, identifier: str, value: object) -> tuple[int, bytes]:
    record = {"_id": identifier, "label": "fault", "data_type": "json", "value": value}
    return post(port, urllib.parse.urlencode({"datapoint": json.dumps(record)}).encode(), "application/x-www-form-urlencoded")


def submit_file(port: int, identifier: str, content: bytes) -> tuple[int, bytes]:
    return post(port, file_form(identifier, content), "multipart/form-data; boundary=B")


def file_form(identifier: str, content: bytes) -> bytes:
    record = json.dumps({"_id": identifier, "label": "fault", "data_type": "file", "path": "/lab/f.bin"})
    head = (f'--B\r\nContent-Disposition: form-data; name="datapoint"\r\n\r\n{record}\r\n'
            '--B\r\nContent-Disposition: form-data; name="files"; filename="f.bin"\r\n\r\n')
    return head.encode() + content + b"\r\n--B--\r\n"


def post(port: int, body: bytes, content_type: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("POST", "/datapoint", body, {"Content-Type": content_type})
    answer = connection.getresponse()
    return answer.status, answer.read()


def get(port: int, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path)
    answer = connection.getresponse()
    return answer.status, answer.read()


@contextlib.contextmanager
def small_disk(folder: Path, size: str):
    """A tmpfs at `folder`, or a skip that says so."""
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], capture_output=True, text=True)
    if mounted.returncode != 0:
        print(f"faults: SKIPPED (mount: {mounted.stderr.strip()}): small disks need root", flush=True)
        yield False
        return
    try:
        yield True
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def full_disk(program: str, folder: Path) -> None:
    disk = folder / "full"
    with small_disk(disk, "48m") as mounted:
        if not mounted:
            return
        server = servers.Holotype(program, disk / "home")
        server.log = folder / "full.log"
        server.run("init")
        with server:
            kept, refused = {}, None
            for number in range(60):
                content = os.urandom(2_000_000)
                status, body = submit_file(server.port, f"f{number}", content)
                if status == 200:
                    kept[f"f{number}"] = content
                else:
                    refused = (f"f{number}", status, body)
                    break
            assert refused and kept, "the disk never filled"
            identifier, status, body = refused
            assert status in (503, 507), (status, body)
            assert b"full" in body.lower() or b"space" in body.lower(), body
            assert get(server.port, f"/datapoint/{identifier}")[0] == 404, "a refused file left a record"
            assert get(server.port, "/health")[0] == 200
            for name, content in kept.items():
                assert get(server.port, f"/datapoint/{name}/value") == (200, content), f"{name} was acknowledged"
            subprocess.run(["mount", "-o", "remount,size=96m", disk], check=True)
            status, body = submit_file(server.port, identifier, b"after room was made")
            assert status == 200, (status, body)
    print("faults: full disk: refused with", refused[1], "- acknowledged files whole, works again with room", flush=True)


def read_only_home(program: str, folder: Path) -> None:
    disk = folder / "readonly"
    with small_disk(disk, "48m") as mounted:
        if not mounted:
            return
        server = servers.Holotype(program, disk / "home")
        server.run("init")
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        done = server.run("serve", "--listen", f"127.0.0.1:{server.port}", check=False, timeout=60)
        assert done.returncode != 0 and "read-only" in done.stderr.lower(), done
        assert str(disk / "home") in done.stderr, done.stderr
    print("faults: read-only home:", done.stderr.strip().splitlines()[0], flush=True)


def two_servers(program: str, folder: Path) -> None:
    server = servers.Holotype(program, folder / "shared")
    server.run("init")
    with server:
        done = server.run("serve", "--listen", f"127.0.0.1:{servers.free_port()}", check=False, timeout=60)
        assert done.returncode != 0 and str(server.process.pid) in done.stderr, done
        assert submit_value(server.port, "still", 1)[0] == 200
    print("faults: second server on one home:", done.stderr.strip().splitlines()[0], flush=True)


def broken_clients(program: str, folder: Path) -> None:
    server = servers.Holotype(program, folder / "clients")
    server.run("init")
    with server:
        whole = file_form("cut", os.urandom(300_000))
        for kept in (10, 150, 200, 100_000, len(whole) - 5):
            with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
                connection.sendall((f"POST /datapoint HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
                                    f"Content-Type: multipart/form-data; boundary=B\r\nContent-Length: {len(whole)}\r\n\r\n").encode())
                connection.sendall(whole[:kept])
            assert get(server.port, "/datapoint/cut")[0] == 404, f"{kept} bytes of {len(whole)} became a record"
        # A form that ends too early, on a connection that then goes on.
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        for _ in range(2):
            connection.request("POST", "/datapoint", whole[:-9], {"Content-Type": "multipart/form-data; boundary=B"})
            answer = connection.getresponse()
            body = answer.read()
            assert answer.status == 400, (answer.status, body)
        connection.request("GET", "/health")
        assert json.loads(connection.getresponse().read())["total_datapoints"] == 0
        # Clients that open a request and say nothing more do not keep others out.
        stalled = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(200)]
        for connection in stalled:
            connection.sendall(b"POST /datapoint HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n")
        assert submit_value(server.port, "beside", 1)[0] == 200
        for connection in stalled:
            connection.close()
        report = server.json("store", "verify")  # ends with an error if anything is lost
        assert report["intact"] == 0, report
    print("faults: clients that break off or stall: nothing half-stored", flush=True)


def unpacking_onto_a_full_disk(program: str, folder: Path) -> None:
    disk, packed = folder / "small", folder / "large.fits.gz"
    cards = ["SIMPLE  =                    T", "BITPIX  =                    8", "NAXIS   =                    1", "NAXIS1  =              5760000", "END"]
    header = "".join(f"{card:<80}" for card in cards).ljust(2880).encode()
    packed.write_bytes(gzip.compress(header + bytes(5_760_000)))
    with small_disk(disk, "2m") as mounted:
        if not mounted:
            return
        done = subprocess.run([program, "fits", "unpack", packed, "--output", disk], capture_output=True, text=True)
        assert done.returncode == 7 and "No space left" in done.stderr, done
        assert not any(disk.iterdir()), "something half done was left"
    print("faults: unpacking onto a full disk: refused by name, nothing left behind", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--holotype", required=True, help="the program to test")
    program = str(Path(parser.parse_args().holotype).resolve())
    with tempfile.TemporaryDirectory(prefix="holotype-faults-") as name:
        folder = Path(name)
        two_servers(program, folder)
        broken_clients(program, folder)
        read_only_home(program, folder)
        full_disk(program, folder)
        unpacking_onto_a_full_disk(program, folder)


if __name__ == "__main__":
    main()
