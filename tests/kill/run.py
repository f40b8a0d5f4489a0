"""kill -9 at random moments under load: what was acknowledged is there, whole, and nothing names missing bytes.

Each round starts a server, lets writers submit values, batches and files until a random moment, kills the server with SIGKILL,
starts it again and checks every acknowledged datapoint and file by content. After the last round the store is verified
by re-hashing every blob. Runs on SQLite and on PostgreSQL.
"""

import argparse
import hashlib
import http.client
import json
import os
import random
import sys
import tempfile
import threading
import time
import urllib.parse
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import servers  # noqa: E402

WRITERS = 6


class Writer(threading.Thread):
    """Submits until the server goes away; remembers what was acknowledged."""

    def __init__(self, port: int, name: str, seed: int):
        super().__init__(daemon=True)
        self.port, self.prefix, self.random = port, name, random.Random(seed)
        self.values: dict[str, object] = {}
        self.files: dict[str, str] = {}

    def run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        number = 0
        try:
            while True:
                number += 1
                identifier = f"{self.prefix}-{number}"
                kind = self.random.random()
                if kind < 0.6:
                    self.submit_value(connection, identifier, number)
                elif kind < 0.7:
                    self.submit_batch(connection, identifier)
                else:
                    self.submit_file(connection, identifier)
        except (OSError, http.client.HTTPException):
            pass  # killed: what was not acknowledged may or may not be there

    def post(self, connection, path: str, body: bytes, content_type: str) -> bytes:
        connection.request("POST", path, body, {"Content-Type": content_type})
        answer = connection.getresponse()
        content = answer.read()
        if answer.status not in (200, 201):
            raise AssertionError(f"POST {path} answered {answer.status}: {content[:500]!r}")
        return content

    def submit_value(self, connection, identifier: str, number: int) -> None:
        value = {"number": number, "noise": self.random.random()}
        record = {"_id": identifier, "label": self.prefix, "data_type": "json", "value": value}
        self.post(connection, "/datapoint", urllib.parse.urlencode({"datapoint": json.dumps(record)}).encode(),
                  "application/x-www-form-urlencoded")
        self.values[identifier] = value

    def submit_batch(self, connection, identifier: str) -> None:
        records = [{"_id": f"{identifier}-{n}", "label": self.prefix, "data_type": "json", "value": n} for n in range(50)]
        body = "".join(json.dumps(record) + "\n" for record in records).encode()
        answer = self.post(connection, "/api/v1/datapoints/batch", body, "application/x-ndjson")
        for line in answer.splitlines():
            result = json.loads(line)
            if "error" in result:
                raise AssertionError(f"a batch line was refused: {result}")
        self.values.update((record["_id"], record["value"]) for record in records)

    def submit_file(self, connection, identifier: str) -> None:
        content = self.random.randbytes(self.random.choice([0, 10, 5_000, 300_000, 3_000_000]))
        record = json.dumps({"_id": identifier, "label": self.prefix, "data_type": "file", "path": "/lab/f.bin"})
        head = (f'--B\r\nContent-Disposition: form-data; name="datapoint"\r\n\r\n{record}\r\n'
                '--B\r\nContent-Disposition: form-data; name="files"; filename="f.bin"\r\n\r\n').encode()
        self.post(connection, "/datapoint", head + content + b"\r\n--B--\r\n", "multipart/form-data; boundary=B")
        self.files[identifier] = hashlib.sha256(content).hexdigest()


def check(port: int, values: dict[str, object], files: dict[str, str]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for identifier, expected in [*values.items(), *files.items()]:
        connection.request("GET", f"/datapoint/{identifier}/value")
        answer = connection.getresponse()
        content = answer.read()
        assert answer.status == 200, f"{identifier} was acknowledged and is gone: {answer.status} {content[:300]!r}"
        found = hashlib.sha256(content).hexdigest() if identifier in files else json.loads(content)
        assert found == expected, f"{identifier} was acknowledged as {expected} and reads {found}"


def rounds_on(engine: str, program: str, count: int, seed: int, folder: Path) -> None:
    environment = {} if engine == "sqlite" else {"HOLOTYPE_CATALOG_URL": servers.new_database()}
    server = servers.Holotype(program, folder / engine, environment)
    server.run("init")
    chance, values, files = random.Random(seed), 0, 0
    for number in range(count):
        server.start()
        writers = [Writer(server.port, f"{engine}-{number}-{n}", chance.randrange(2**32)) for n in range(WRITERS)]
        for writer in writers:
            writer.start()
        time.sleep(chance.uniform(0.02, 1.0))
        server.kill()
        for writer in writers:
            writer.join()
        server.start()
        for writer in writers:
            check(server.port, writer.values, writer.files)
            values, files = values + len(writer.values), files + len(writer.files)
        server.stop()
    assert values and files, "the rounds were too short to write anything"
    report = server.json("store", "verify")  # ends with an error if anything is lost
    assert report["intact"] > 0, report
    print(f"kill: {engine}: {count} rounds, {values} values and {files} files acknowledged, all there; store verified: {json.dumps(report)}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--holotype", required=True, help="the program to test")
    parser.add_argument("--rounds", type=int, default=10, help="kills per engine")
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4)))
    arguments = parser.parse_args()
    print(f"kill: seed {arguments.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="holotype-kill-") as name:
        for engine in ("sqlite", "postgres"):
            rounds_on(engine, arguments.holotype, arguments.rounds, arguments.seed, Path(name))


if __name__ == "__main__":
    main()
