"""Operations on frames whose server is killed with -9 at random moments: each completes, once, with the same bytes, and leaves nothing behind.

Only the standard library. A first server, which nobody kills, says what the results are; then every round has a home of its own.
"""

import argparse
import hashlib
import json
import random
import sqlite3
import struct
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import servers  # noqa: E402

FRAMES, SIDE = 6, 384
# A result of each way to make one: one product, several, from outputs of others, and refused.
ASKED = {
    "Median": {"input_files": range(6)},
    "Stacking": {"input_files": range(6), "stacking_mode": "simple"},
    "Subtraction": {"input_files": range(5), "subtraction_file": [5]},
    "Normalization": {"input_files": range(3)},
}


def frame(number: int) -> bytes:
    """An image of reals named SCI, with values of its own."""
    cards = ["SIMPLE  =                    T", "BITPIX  =                  -32", "NAXIS   =                    2", f"NAXIS1  = {SIDE:20}",
             f"NAXIS2  = {SIDE:20}", "EXTNAME = 'SCI     '", "END"]
    header = "".join(f"{card:<80}" for card in cards)
    chance = random.Random(number)
    data = b"".join(struct.pack(f">{SIDE}f", *(100 + chance.random() for _ in range(SIDE))) for _ in range(SIDE))
    return (f"{header:<2880}").encode() + data + b"\0" * (-len(data) % 2880)


class Lab:
    """A home with frames, and a session that has them."""

    def __init__(self, program: str, root: Path, files: list[Path]):
        self.holotype = servers.Holotype(program, root / "home")
        self.holotype.run("init")
        self.holotype.start()
        made = self.holotype.json("session", "create", "night", *map(str, files))
        self.session, self.frames = made["session"]["id"], made["input_data"]

    def call(self, method: str, path: str, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.holotype.url + path, data, {"content-type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            assert answer.headers["content-length"], f"{path} has no length"
            return json.loads(answer.read() or b"null")

    def ask(self, name: str) -> int:
        given = {field: [self.frames[index] for index in value] if not isinstance(value, str) else value for field, value in ASKED[name].items()}
        return self.call("POST", f"api/datasessions/{self.session}/operations/", {"name": name, "input_data": given})["id"]

    def look(self, operation: int) -> dict:
        return self.call("GET", f"api/datasessions/{self.session}/operations/{operation}/")

    def ended(self, operation: int, seconds: float = 180.0) -> dict:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = self.look(operation)
            if found["status"] in ("COMPLETED", "FAILED"):
                return found
            time.sleep(0.2)
        raise AssertionError(f"operation {operation} did not end: {found}")

    def results(self, operations: dict[str, int]) -> dict[str, list[str]]:
        """The digests of the files of each, as they are served."""
        digests = {}
        for name, operation in operations.items():
            found = self.ended(operation)
            assert found["status"] == "COMPLETED", f"{name}: {found['message']}"
            urls = [url for product in found["output"]["output_files"] for member, url in sorted(product.items()) if member.endswith("_url")]
            files = [urllib.request.urlopen(url, timeout=60).read() for url in urls]
            digests[name] = [hashlib.sha256(content).hexdigest() for content in files]
        return digests

    def expect_nothing_left(self) -> None:
        scratch = self.holotype.home / "scratch"
        left = list(scratch.iterdir()) if scratch.exists() else []
        assert not left, f"left in the scratch folder: {left}"

    def expect_done_once(self, count: int) -> None:
        with sqlite3.connect(f"file:{self.holotype.home}/catalog.db?mode=ro", uri=True) as catalog:
            finished = catalog.execute("SELECT count(*) FROM results WHERE finished_at IS NOT NULL").fetchone()[0]
            jobs = catalog.execute("SELECT state, count(*) FROM activities WHERE kind = 'session.operate' GROUP BY state").fetchall()
            strays = catalog.execute(
                "SELECT count(*) FROM blob_references WHERE kind = 'result' AND (record, name) NOT IN (SELECT result, name FROM result_files)"
            ).fetchone()[0]
        assert (finished, jobs, strays) == (count, [("succeeded", count)], 0), (finished, jobs, strays)


def round_of(program: str, root: Path, files: list[Path], expected: dict[str, list[str]], chance: random.Random) -> str:
    lab = Lab(program, root, files)
    try:
        operations = {name: lab.ask(name) for name in chance.sample(list(ASKED), len(ASKED))}
        kills = chance.choice([1, 1, 2])
        waits = []
        for _ in range(kills):
            waits.append(chance.random() ** 2 * 3)
            time.sleep(waits[-1])
            lab.holotype.kill()
            lab.holotype.start()
        found = lab.results(operations)
        assert found == expected, f"other bytes after a kill: {[name for name in found if found[name] != expected[name]]}"
        again = {name: lab.ask(name) for name in ASKED}
        assert all(lab.look(operation)["status"] == "COMPLETED" for operation in again.values()), "the same work was begun again"
        deadline = time.monotonic() + 60
        while True:
            try:
                lab.expect_done_once(len(ASKED))
                lab.expect_nothing_left()
                break
            except AssertionError:
                # The last job settles a moment after its result can be seen.
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
        return ", ".join(f"{wait:.2f} s" for wait in waits)
    finally:
        lab.holotype.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--holotype", required=True, help="the program")
    parser.add_argument("--rounds", type=int, default=4, help="how many servers are killed")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32), help="what chance begins with")
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    print(f"sessions: seed {arguments.seed}")
    with tempfile.TemporaryDirectory(prefix="holotype-sessions-") as folder:
        root = Path(folder)
        files = []
        for number in range(FRAMES):
            files.append(root / f"frame-{number}.fits")
            files[-1].write_bytes(frame(number))
        (root / "first").mkdir()
        lab = Lab(arguments.holotype, root / "first", files)
        try:
            expected = lab.results({name: lab.ask(name) for name in ASKED})
        finally:
            lab.holotype.stop()
        print(f"sessions: {sum(map(len, expected.values()))} files of {len(expected)} operations without a kill")
        for number in range(arguments.rounds):
            (root / str(number)).mkdir()
            killed = round_of(arguments.holotype, root / str(number), files, expected, chance)
            print(f"sessions: round {number + 1} of {arguments.rounds}: killed after {killed}; all complete, once, with the same bytes; nothing left")


if __name__ == "__main__":
    main()
