"""`holotype archive fetch` against an archive that answers as the real ones do, and misbehaves as they do.

Golden trees of the earlier downloader (where ../shared/samples is), faults, second runs, schedules, 5,000 frames, kill -9 at random moments.
"""

import argparse
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(Path(__file__).resolve().parent))
import servers  # noqa: E402
from archive import TOKEN, Archive, fits, night  # noqa: E402

SAMPLES = Path(__file__).resolve().parents[3] / "shared/samples/archives"
TEMPLATE = """\
target:
  name: target_name
  RA: hh:mm:ss
  Dec: dd:mm:ss
photometry:
  aperture_arcsec: 2.0
  reference_image: name_of_image.fits
tom:
  upload: true
  config_file: /path/to/config
  data_label: TEST
"""


class Lab:
    """A home and a reduction tree beside it."""

    def __init__(self, program: str, root: Path, archive: Archive, proposals=("P1",), window=("2024-07-14 00:00", "2024-07-18 00:00"), active=True):
        self.root, self.tree = root, root / "reduction"
        for folder in ("logs", "incoming", "config"):
            (self.tree / folder).mkdir(parents=True)
        (self.tree / "config/default_red_config.yaml").write_text(TEMPLATE)
        self.config = self.tree / "config/data_download.yaml"
        self.write(archive, proposals, window, active)
        self.holotype = servers.Holotype(program, root / "home", {"LCO_TOKEN": TOKEN})
        self.holotype.run("init")

    def write(self, archive, proposals, window, active=True) -> None:
        names = "".join(f"\n      - '{name}'" for name in proposals)
        self.config.write_text(
            f"archives:\n  lco:\n    name: 'LCO'\n    active: {active}\n    url: '{archive.url}'\n    token_envvar: 'LCO_TOKEN'\n"
            f"    proposals:{names}\n    reduction_level:\n      image: 91\n      spectrum: 0\n"
            f"log_dir: '{self.tree}/logs/'\nframe_list: '{self.tree}/logs/frame_list.txt'\ndata_download_dir: '{self.tree}/incoming/'\n"
            f"data_reduction_dir: '{self.tree}/'\nstart_datetime: '{window[0]}'\nend_datetime: '{window[1]}'\n"
            f"default_red_config: '{self.tree}/config/default_red_config.yaml'\n"
        )

    def fetch(self, *options: str, expect: int = 0) -> dict:
        done = self.holotype.run("--json", "archive", "fetch", str(self.config), *options, check=False)
        assert done.returncode == expect, f"exit code {done.returncode}, not {expect}:\n{done.stdout}{done.stderr}"
        return json.loads(done.stdout) if done.stdout else json.loads(done.stderr)

    def files(self) -> dict[str, int]:
        """Everything of the tree but what is the user's own and the log."""
        found = {str(path.relative_to(self.tree)): path.stat().st_size for path in self.tree.rglob("*") if path.is_file()}
        return {name: size for name, size in found.items() if not name.startswith("config/") and not name.endswith(".log")}

    def content(self) -> dict[str, bytes]:
        return {name: (self.tree / name).read_bytes() for name in self.files()}

    def rows(self) -> list[str]:
        return (self.tree / "logs/main_data_list.txt").read_text().splitlines()[1:]


def frames_of(result: dict) -> dict[str, int]:
    return {state: count for state, count in result["frames"]}


def same_rows(ours: list[str], golden: list[str]) -> None:
    """Equal but for the heliocentric date, which is within 1e-6 days."""
    assert len(ours) == len(golden), f"{len(ours)} rows, not {len(golden)}"
    for mine, theirs in zip(ours, golden):
        a, b = mine.split(" "), theirs.split(" ")
        assert abs(float(a[16]) - float(b[16])) < 1e-6, f"HJD {a[16]}, not {b[16]}"
        assert a[:16] + a[17:] == b[:16] + b[17:], f"\n{mine}\n{theirs}"


def header(content: bytes) -> dict[str, str]:
    """The cards of the first header that says when it was observed."""
    cards: dict[str, str] = {}
    for at in range(0, len(content) - 79, 80):
        text = content[at:at + 80].decode("latin-1")
        if text[:8] in ("SIMPLE  ", "XTENSION") and "DATE-OBS" not in cards:
            cards = {}
        if text[8:10] == "= " and text[:8].strip() not in cards:
            value = text[10:].strip()
            cards[text[:8].strip()] = value[1:].split("'")[0].rstrip() if value.startswith("'") else value.split("/")[0].strip()
        if text.startswith("END     ") and "DATE-OBS" in cards:
            return cards
    raise ValueError("no header says when it was observed")


def sampled(archive: Archive) -> None:
    """The frames of the recorded archive. What its answers say of them is in their headers."""
    for path in (SAMPLES / "frames").iterdir():
        content = path.read_bytes()
        cards = header(content)
        archive.add(
            path.name, content, observation_date=cards["DATE-OBS"][:19] + "Z", observation_day=cards.get("DAY-OBS", ""), proposal_id=cards["PROPID"],
            instrument_id=cards["INSTRUME"], target_name=cards["OBJECT"], reduction_level=int(cards["RLEVEL"]), site_id=cards["SITEID"],
            telescope_id=cards["TELID"], exposure_time=float(cards["EXPTIME"]), primary_optical_element=cards["FILTER"], public_date=None,
            configuration_type=cards["OBSTYPE"], observation_id=None, request_id=None,
        )
    archive.records.sort(key=lambda row: row["observation_date"], reverse=True)


def golden_tree(case: str) -> dict[str, int]:
    lines = (SAMPLES / "upstream" / case / "tree.txt").read_text().split("\n")
    pairs = (line.rsplit(" ", 1) for line in lines if line)
    tree = {name.removeprefix("./"): int(size) for name, size in pairs}
    return {name: size for name, size in tree.items() if not name.startswith("config/") and not name.endswith(".log")}


def golden_rows(case: str) -> list[str]:
    return (SAMPLES / "upstream" / case / "main_data_list.txt").read_text().splitlines()[1:]


def without_lists(tree: dict[str, int]) -> dict[str, int]:
    return {name: size for name, size in tree.items() if not name.endswith("main_data_list.txt")}


def golden(program: str) -> None:
    if not SAMPLES.is_dir():
        print("archives: the golden trees are skipped: ../shared/samples is not here")
        return
    with tempfile.TemporaryDirectory(prefix="holotype-golden-") as folder, Archive() as archive:
        sampled(archive)
        # As the earlier runs listed it: their order among frames of the same minute.
        order = [row.split(" ")[0] for row in golden_rows("golden_first")]
        place = {name: index for index, name in enumerate(order)}
        archive.records.sort(key=lambda row: place.get(row["filename"].removesuffix(".fz"), len(place)))
        lab = Lab(program, Path(folder) / "first", archive, ["LCO2024A-001"])
        first = lab.fetch()
        assert frames_of(first)["placed"] == 20, first
        assert without_lists(lab.files()) == without_lists(golden_tree("golden_first")), sorted(lab.files().items() ^ golden_tree("golden_first").items())
        same_rows(lab.rows(), golden_rows("golden_first"))
        for config in (SAMPLES / "upstream/golden_first").rglob("reduction_config.yaml"):
            name = config.relative_to(SAMPLES / "upstream/golden_first")
            assert (lab.tree / name).read_text() == config.read_text(), name
        before, sent = lab.content(), archive.sent.total()
        second = lab.fetch()
        assert frames_of(second)["have"] == 20 and archive.sent.total() == sent, second
        assert lab.content() == before
        print("archives: golden first and second run: 20 frames, configurations and list equal; second run 0 bytes")

        lab = Lab(program, Path(folder) / "two", archive, ["LCO2024A-001", "LCO2024A-002"])
        both = lab.fetch()
        assert frames_of(both)["placed"] == 23, both
        expected = without_lists(golden_tree("golden_first")) | without_lists(golden_tree("two_proposals"))
        assert without_lists(lab.files()) == expected, sorted(without_lists(lab.files()).items() ^ expected.items())
        same_rows(lab.rows()[20:], golden_rows("two_proposals"))
        print("archives: golden two proposals: all 23 frames of both")

        lab = Lab(program, Path(folder) / "locked", archive, ["LCO2024A-001"])
        dataset = lab.tree / "OGLE-2024-BLG-0034/sinistro/ip"
        dataset.mkdir(parents=True)
        (dataset / "dataset.lock").write_text("x\n")
        locked = lab.fetch()
        assert frames_of(locked)["waiting"] == 11, locked
        # The earlier downloader never wrote the configuration of a directory that was there.
        ours = without_lists(lab.files())
        ours.pop("OGLE-2024-BLG-0034/sinistro/ip/reduction_config.yaml")
        assert ours == without_lists(golden_tree("locked")), sorted(ours.items() ^ without_lists(golden_tree("locked")).items())
        same_rows(lab.rows(), golden_rows("locked"))
        sent, unpacked = archive.sent.total(), {path.name: path.stat().st_mtime_ns for path in (lab.tree / "incoming").iterdir()}
        again = lab.fetch()
        assert frames_of(again)["waiting"] == 11, again
        assert unpacked == {path.name: path.stat().st_mtime_ns for path in (lab.tree / "incoming").iterdir()}
        (dataset / "dataset.lock").unlink()
        after = lab.fetch()
        assert frames_of(after)["placed"] == 11 and archive.sent.total() == sent, after
        ours = without_lists(lab.files())
        ours.pop("OGLE-2024-BLG-0034/sinistro/ip/reduction_config.yaml")
        assert ours == without_lists(golden_tree("unlocked_after")), sorted(ours.items() ^ without_lists(golden_tree("unlocked_after")).items())
        assert len(lab.rows()) == 20
        print("archives: golden locked dataset, and after: 11 frames wait, and are sorted without a byte of transfer")


def faults(program: str) -> None:
    with tempfile.TemporaryDirectory(prefix="holotype-faults-") as folder, Archive() as archive:
        night(archive, 30)
        names = [row["filename"] for row in archive.records]
        lab = Lab(program, Path(folder) / "a", archive)
        archive.faults |= {
            names[0]: ["cut", "cut"], names[1]: ["403"], names[2]: ["429"], names[3]: ["corrupt"], names[4]: ["html"], names[5]: ["500"],
            names[6]: ["corrupt"] * 9, names[7]: ["redirect"] * 9, names[8]: ["endless"] * 9, names[9]: ["html"] * 9,
        }
        result = lab.fetch(expect=1)
        assert frames_of(result) == {"placed": 26, "failed": 4}, result
        listed = {row.split(" ")[0] for row in lab.rows()}
        assert listed == set(names) - set(names[6:10])
        assert not [name for name in lab.files() if ".holotype" in name and "incoming" not in name], lab.files()
        archive.faults.clear()
        again = lab.fetch()
        assert frames_of(again) == {"placed": 4, "have": 26}, again
        assert {row.split(" ")[0] for row in lab.rows()} == set(names)
        assert not [name for name in lab.files() if "incoming" in name], lab.files()
        print("archives: cut, expired, throttled, corrupt, HTML, 500, redirected, endless: the rest of the night is fetched, and then these")

        amended = lab.tree / "TARGET-0/sinistro/ip" / names[-1]
        assert amended.exists(), lab.files()
        archive.replace(names[-1], fits(10_000, OBJECT="TARGET-0", RA="17:47:03.3800", DEC="-34:11:21.100"))
        archive.replace(names[-2], fits(10_001, OBJECT="TARGET-0", RA="17:47:03.3800", DEC="-34:11:21.100"))
        amended.write_bytes(b"mine")
        kept = lab.fetch(expect=1)
        assert frames_of(kept) == {"placed": 1, "failed": 1, "have": 28} and amended.read_bytes() == b"mine", kept
        taken = lab.fetch("--replace-amended")
        assert frames_of(taken)["placed"] == 1 and amended.read_bytes() == archive.files[names[-1]], taken
        undone = lab.holotype.json("archive", "undo", taken["fetch"], "--yes")
        assert len(undone) == 1, undone
        gone = archive.records.pop(3)
        report = lab.fetch()["report"]
        assert [name for _, name in report["gone"]] == [gone["filename"]], report
        print("archives: a frame reduced anew replaces its file, but not one that was changed here; one that is gone is told")

        plan = Lab(program, Path(folder) / "b", archive)
        before = plan.files()
        done = plan.holotype.run("archive", "fetch", str(plan.config), "--dry-run")
        assert done.stdout.count("new") == 29 and plan.files() == before, done.stdout
        bad = [("active: True", "active: perhaps"), ("log_dir:", "log_directory:"), ("2024-07-14 00:00", "yesterday"), ("image: 91", "image: high")]
        text = plan.config.read_text()
        for old, new in bad:
            plan.config.write_text(text.replace(old, new, 1))
            done = plan.holotype.run("archive", "fetch", str(plan.config), check=False)
            assert done.returncode == 2 and "line" in done.stderr, (new, done.returncode, done.stderr)
        plan.config.write_text(text)
        plan.holotype.environment["LCO_TOKEN"] = "wrong"
        done = plan.holotype.run("archive", "fetch", str(plan.config), check=False)
        assert done.returncode == 1 and "401" in done.stdout and "wrong" not in done.stdout + done.stderr, (done.returncode, done.stdout, done.stderr)
        del plan.holotype.environment["LCO_TOKEN"]
        done = plan.holotype.run("archive", "fetch", str(plan.config), check=False)
        assert done.returncode == 5 and "LCO_TOKEN" in done.stderr, (done.returncode, done.stderr)
        plan.holotype.environment["LCO_TOKEN"] = TOKEN
        plan.write(archive, ["P1"], ("2024-07-14 00:00", "2024-07-18 00:00"), active=False)
        assert frames_of(plan.fetch()) == {}, "an inactive archive was asked"
        plan.write(archive, ["P1"], ("2024-07-14 00:00", "2024-07-18 00:00"))
        archive.pause = 5.0
        slow = subprocess.Popen([program, "--home", str(plan.holotype.home), "archive", "fetch", str(plan.config)], env=plan.holotype.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not list((plan.tree / "incoming").glob(".holotype-*")):
            time.sleep(0.01)
        done = plan.holotype.run("archive", "fetch", str(plan.config), check=False)
        assert done.returncode in (1, 6) and "another fetch works in" in done.stdout + done.stderr, (done.returncode, done.stdout, done.stderr)
        slow.send_signal(signal.SIGINT)
        assert slow.wait(60) == 130, slow.returncode
        archive.pause = 0.0
        assert frames_of(plan.fetch())["placed"] > 0
        secrets = [path for path in plan.root.rglob("*") if path.is_file() and b"X-Amz-Signature" in path.read_bytes()]
        assert not secrets, f"signed addresses were kept in {secrets}"
        print("archives: dry run, mistakes with their lines, wrong and missing token, inactive archive, two at once, Ctrl-C: told, and nothing lost")


RULES = """\
tables:
  camera:
    field: filename
    contains: [[fa15, sinistro], [ep06, muscat]]
select:
  - camera: {is: sinistro}
  - camera: {is: muscat}
datasets:
  - path: '{header.OBJECT}/{camera}'
    configuration: {target: {name: '{header.OBJECT}'}}
"""


def described(program: str) -> None:
    """An archive that is described as data, with rules of one's own: the files of a web server's folder."""
    with tempfile.TemporaryDirectory(prefix="holotype-described-") as folder, Archive(token=None) as archive:
        night(archive, 9)
        lab = Lab(program, Path(folder) / "a", archive)
        (lab.tree / "config/rules.yaml").write_text(RULES)
        text = lab.config.read_text()
        text = text.replace("    token_envvar: 'LCO_TOKEN'\n", "    token_envvar: ''\n    definition: http-index\n").replace("    proposals:\n      - 'P1'\n", "    proposals: []\n")
        text = text.replace(f"url: '{archive.url}'", f"url: '{archive.url}data'").replace("start_datetime: '2024-07-14 00:00'", "start_datetime: '2020-01-01 00:00'").replace("end_datetime: '2024-07-18 00:00'", "end_datetime: '2099-01-01 00:00'")
        lab.config.write_text(text + "rules: 'rules.yaml'\n")
        first = lab.fetch()
        assert frames_of(first) == {"placed": 6, "unwanted": 3}, first
        assert sum(name.startswith("TARGET-0/sinistro/lsc1m005") for name in lab.files()) == 1, lab.files()
        assert "name: TARGET-1" in (lab.tree / "TARGET-1/muscat/reduction_config.yaml").read_text()
        with sqlite3.connect(f"file:{lab.holotype.home}/catalog.db?mode=ro", uri=True) as catalog:
            kept = {name for (name,) in catalog.execute("SELECT basename FROM frames")}
        assert len(kept) == 6 and all(name.startswith("lsc1m005-") for name in kept), kept
        sent = {name: count for name, count in archive.sent.items() if name != "index"}
        second = lab.fetch()
        assert frames_of(second) == {"have": 6, "unwanted": 3}, second
        assert {name: count for name, count in archive.sent.items() if name != "index"} == sent
        print("archives: a web server's folder, described as data, with rules of one's own: fetched, sorted, and not fetched again")


def ended(holotype: servers.Holotype, fetch: str, states: tuple[str, ...], seconds: float = 60.0) -> dict:
    """The fetch, once its job is in one of these states."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        shown = holotype.json("archive", "show", fetch)
        if shown["job"]["state"] in states and (shown["job"]["error"] or shown["job"]["state"] != "queued"):
            return shown
        time.sleep(0.1)
    raise AssertionError(f"the fetch did not come to {states}: {shown}")


def schedule(program: str) -> None:
    with tempfile.TemporaryDirectory(prefix="holotype-schedule-") as folder, Archive() as archive:
        night(archive, 10)
        lab = Lab(program, Path(folder) / "a", archive)
        holotype = lab.holotype
        # A field of seconds makes it due soon, and then not for a year. A machine that is busy gets more time to say so.
        for lead in (2, 10, 50):
            due = time.time() + lead
            cron = time.strftime("%S %M %H %d %m *", time.gmtime(due))
            added = holotype.json("archive", "schedule", "add", "nightly", str(lab.config), "--cron", cron, "--data-summary")
            if added["next_at"][:19] <= time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(due)):
                break
            holotype.run("archive", "schedule", "remove", "nightly", "--yes")
        assert added["name"] == "nightly" and added["last_fetch"] is None, added
        again = holotype.run("archive", "schedule", "add", "nightly", str(lab.config), "--cron", cron, check=False)
        assert again.returncode == 4 and "schedule remove nightly" in again.stderr, again.stderr
        archive.closed = True
        time.sleep(max(0.0, due + 0.1 - time.time()))
        with holotype:
            deadline = time.monotonic() + 60
            while not (listed := holotype.json("archive", "list")["items"]):
                assert time.monotonic() < deadline, "nothing was fetched by the clock"
                time.sleep(0.1)
            assert len(listed) == 1, listed
            fetch = listed[0]["id"]
            failed = ended(holotype, fetch, ("queued", "failed"))
            assert failed["job"]["state"] == "queued" and "lists broke off" in failed["job"]["error"], failed
            assert failed["fetch"]["complete"] is False and failed["report"]["unasked"], failed
            archive.closed = False
            whole = ended(holotype, fetch, ("succeeded", "failed"))
            assert whole["job"]["state"] == "succeeded" and whole["job"]["attempt"] >= 2 and whole["fetch"]["complete"] is True, whole
            placed = holotype.json("archive", "show", fetch, "--state", "placed")["frames"]["items"]
            assert len(placed) == 10 and all(Path(frame["path"]).is_file() for frame in placed), placed
            assert holotype.json("archive", "show", fetch, "--state", "failed")["frames"]["items"] == []
            text = holotype.run("archive", "show", fetch).stdout
            assert "Nothing is missing." in text and archive.records[0]["filename"] in text, text
            schedules = holotype.json("archive", "schedule", "list")["items"]
            assert [schedule["last_fetch"] for schedule in schedules] == [fetch], schedules
            assert "plan only" in holotype.run("archive", "schedule", "remove", "nightly").stderr
            holotype.run("archive", "schedule", "remove", "nightly", "--yes")
            assert holotype.json("archive", "schedule", "list")["items"] == []
            assert [fetched["id"] for fetched in holotype.json("archive", "list")["items"]] == [fetch], "it was fetched twice"
        assert len(lab.rows()) == 10 and [name for name in lab.files() if name.endswith("data_summary.txt")], lab.files()
        print("archives: a schedule fetches once; while the archive is closed its job is tried again, and then nothing is missing")


def five_thousand(program: str) -> None:
    with tempfile.TemporaryDirectory(prefix="holotype-many-") as folder, Archive() as archive:
        night(archive, 5000, side=16)
        archive.estimates, archive.cursors = True, False
        lab = Lab(program, Path(folder) / "a", archive)
        result = lab.fetch()
        assert frames_of(result) == {"placed": 5000}, result
        assert len(lab.rows()) == 5000
        print("archives: 5,000 frames behind estimated counts: all found and fetched")


def kills(program: str, rounds: int, seed: int) -> None:
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="holotype-kill-") as folder, Archive() as archive:
        night(archive, 60, side=256)
        undisturbed = Lab(program, Path(folder) / "undisturbed", archive)
        undisturbed.fetch()
        expected = {name: content.replace(str(undisturbed.tree).encode(), b"TREE") for name, content in undisturbed.content().items()}
        archive.pause = 0.003
        killed, lab, number, finished = 0, None, 0, {}
        while killed < rounds:
            if lab is None:
                number += 1
                archive.sent.clear()
                finished = {}
                lab = Lab(program, Path(folder) / f"lab-{number}", archive)
            process = subprocess.Popen([program, "--home", str(lab.holotype.home), "archive", "fetch", str(lab.config)], env=lab.holotype.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                process.wait(chance.uniform(0.02, 1.2))
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.wait()
                killed += 1
                listed = lab.rows() if (lab.tree / "logs/main_data_list.txt").exists() else []
                for name in (row.split(" ")[0] for row in listed):
                    finished.setdefault(name, archive.sent[name])
                continue
            assert process.returncode == 0, process.returncode
            twice = [name for name, sent in finished.items() if archive.sent[name] != sent]
            assert not twice, f"finished frames were sent again: {twice}"
            found = {name: content.replace(str(lab.tree).encode(), b"TREE") for name, content in lab.content().items()}
            assert found == expected, sorted(found.keys() ^ expected.keys()) or [name for name in found if found[name] != expected[name]]
            lab = None
        if lab is not None:
            lab.fetch()
            found = {name: content.replace(str(lab.tree).encode(), b"TREE") for name, content in lab.content().items()}
            assert found == expected, sorted(found.keys() ^ expected.keys()) or [name for name in found if found[name] != expected[name]]
        print(f"archives: killed {killed} times over {number} fetches: the same tree byte for byte each time, no finished frame sent again")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--holotype", required=True)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--only", choices=["golden", "faults", "described", "schedule", "many", "kills"])
    arguments = parser.parse_args()
    program = str(Path(arguments.holotype).resolve())
    parts = {
        "golden": lambda: golden(program), "faults": lambda: faults(program), "described": lambda: described(program),
        "schedule": lambda: schedule(program), "many": lambda: five_thousand(program),
        "kills": lambda: kills(program, arguments.rounds, arguments.seed),
    }
    print(f"archives: seed {arguments.seed}")
    for name, part in parts.items():
        if arguments.only in (None, name):
            part()


if __name__ == "__main__":
    os.environ.pop("HOLOTYPE_HOME", None)
    main()
