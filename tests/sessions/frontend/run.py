"""The unmodified datalab-ui front end, with Holotype as its only server, driven in Chromium.

The front end's source comes from the directory or Git repository in HOLOTYPE_DATALAB_UI, else from its public repository. Only its
configuration file is changed. It is built by npm, outside of this repository, and served by `holotype serve --static` over the
demonstration's telescope. Where the source, npm or Chromium cannot be had, that is said, and the calls that were recorded from it
(calls.json) are made instead.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
import servers  # noqa: E402

HERE = Path(__file__).resolve().parent
CALLS = HERE / "calls.json"
REPOSITORY = "https://github.com/LCOGT/datalab-ui.git"
COMMIT = "deaad7d"
PLAYWRIGHT = "playwright-core@1.65.1"
USER, PASSWORD = "ada", "a password for ada"

# Everything is on the server that serves the page.
CONFIG = {
    "datalabApiBaseUrl": "/api/",
    "datalabArchiveApiUrl": "/",
    "observationPortalUrl": "/",
    "thumbnailServiceUrl": "/thumbnails/",
    "simbad2kUrl": "/names/",
    "archiveType": "ptr",
}


class Unobtainable(Exception):
    """Something that the real front end needs is not there."""


def call(*words, cwd=None, timeout=900, what="") -> None:
    try:
        asks_nobody = os.environ | {"GIT_TERMINAL_PROMPT": "0"}
        done = subprocess.run(words, cwd=cwd, env=asks_nobody, timeout=timeout, capture_output=True, text=True)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unobtainable(f"{what}: {error}") from None
    if done.returncode != 0:
        raise Unobtainable(f"{what}: {(done.stderr or done.stdout).strip()[-600:]}")


def front_end(work: Path) -> Path:
    """Builds the front end once, and gives the directory to serve."""
    built = work / "datalab-ui"
    if (built / "dist/index.html").is_file():
        return built / "dist"
    for program in ("git", "npm"):
        if not shutil.which(program):
            raise Unobtainable(f"{program} is not installed")
    shutil.rmtree(built, ignore_errors=True)
    given = os.environ.get("HOLOTYPE_DATALAB_UI")
    patience = ("-c", "http.lowSpeedLimit=1000", "-c", "http.lowSpeedTime=30")
    call("git", *patience, "clone", "-q", given or REPOSITORY, str(built), what="the front end's source cannot be had")
    call("git", "checkout", "-q", COMMIT, cwd=built, what=f"its commit {COMMIT} cannot be had")
    (built / "public/config/config.json").write_text(json.dumps(CONFIG, indent=2) + "\n")
    call("npm", "install", "--no-save", "--no-audit", "--no-fund", cwd=built, what="its packages cannot be had")
    call("npm", "run", "build", cwd=built, what="it cannot be built")
    changed = subprocess.run(["git", "status", "--porcelain"], cwd=built, capture_output=True, text=True).stdout.split()
    assert changed in (["M", "public/config/config.json"],), f"more than the configuration was changed: {changed}"
    return built / "dist"


def playwright(work: Path) -> Path:
    """The package.json from which Node finds Playwright."""
    folder = work / "playwright"
    if not (folder / "node_modules/playwright-core").is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text('{"private": true}\n')
        call("npm", "install", "--no-audit", "--no-fund", PLAYWRIGHT, cwd=folder, what="Playwright cannot be had")
    return folder / "package.json"


def chromium() -> str:
    named = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if not named:
        raise Unobtainable("Chromium is not installed (`apt-get install chromium`)")
    return named


def demonstration(program: str, root: Path, *arguments: str) -> servers.Holotype:
    """A home with the demonstration's frames and one user, ready to be served."""
    holotype = servers.Holotype(program, root / "lab")
    demo = subprocess.Popen(
        [program, "demo", "--directory", str(holotype.home), "--listen", f"127.0.0.1:{holotype.port}", "--json"],
        env=holotype.environment, stdout=subprocess.PIPE, text=True,
    )
    try:
        assert demo.stdout.readline(), "the demonstration ended"
    finally:
        demo.terminate()
        demo.wait(60)
    holotype.run("user", "create", USER, "--password-file", "-", input=PASSWORD + "\n")
    holotype.arguments = arguments
    return holotype


def drive(program: str, work: Path, shots: Path, keep: bool) -> None:
    environment = os.environ | {
        "HOLOTYPE_UI_USER": USER, "HOLOTYPE_UI_PASSWORD": PASSWORD, "CHROMIUM": chromium(),
        "PLAYWRIGHT_FROM": str(playwright(work)),
    }
    pages = front_end(work)
    with tempfile.TemporaryDirectory(prefix="holotype-frontend-") as root:
        with demonstration(program, Path(root), "--static", f"/={pages}") as holotype:
            done = subprocess.run(["node", str(HERE / "drive.mjs"), holotype.url, str(shots)], env=environment, timeout=1800)
            if keep:
                calls = record(json.loads((shots / "calls.json").read_text()))
                CALLS.write_text("[\n" + ",\n".join(json.dumps(one) for one in calls) + "\n]\n")
            if done.returncode != 0:
                print(holotype.log.read_text()[-4000:])
                sys.exit(f"the front end does not work; see {shots}")


# Replaying. What one answer names (ids, basenames, addresses) is learnt and put into the calls that follow.

LEARNT = ("id", "basename", "url", "fits_url", "large_url", "small_url", "tif_url")


def shape(value):
    """What an answer looks like: names, kinds, and what later calls may refer to."""
    if isinstance(value, dict):
        return {key: inner if key in LEARNT and isinstance(inner, (str, int)) else shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        # One element tells what they look like; of the others, what they are called.
        return [shape(inner) for inner in value[:1]] + ([names(inner) for inner in value[1:]] if isinstance(value[0], dict) else []) if value else []
    return {bool: True, int: 0, float: 0, str: "text", type(None): None}[type(value)]


def names(value: dict) -> dict:
    """What later calls may refer to, alone."""
    kept = {}
    for key, inner in value.items():
        if key in LEARNT and isinstance(inner, (str, int)):
            kept[key] = inner
        elif isinstance(inner, list) and inner and isinstance(inner[0], dict) and (below := [names(one) for one in inner]) and any(below):
            kept[key] = below
    return kept


def record(raw: list) -> list:
    """The calls as they are kept: polls once, only as they ended; bytes, passwords and addresses of hosts left out."""
    kept = []
    for one in (one for one in raw if one["status"] < 400):
        signed = "signature=" in one["path"]
        again = bool(kept) and one["method"] == "GET" == kept[-1]["method"] and kept[-1]["path"] == one["path"]
        entry = {"method": one["method"], "path": one["path"], "status": one["status"], "body": one["body"], "answer": None}
        if isinstance(one["answer"], (dict, list)):
            entry["answer"] = shape(one["answer"])
            if isinstance(one["answer"], dict) and "status" in one["answer"]:
                entry["answer"]["status"] = one["answer"]["status"]
        elif signed:
            entry["answer"] = "bytes"
        if again:
            kept[-1] = entry
        else:
            kept.append(entry)
    return kept


class Replay:
    def __init__(self, holotype: servers.Holotype):
        self.holotype, self.token, self.known, self.problems = holotype, None, {}, []

    def put_in(self, value):
        """A recorded value with what was learnt in the place of what was recorded."""
        if isinstance(value, dict):
            return {key: self.of(key, inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.put_in(inner) for inner in value]
        return self.known.get(("text", value), value) if isinstance(value, str) else value

    def of(self, key, value):
        if key in ("operation", "id", "ids") and not isinstance(value, (dict, str)):
            ids = value if isinstance(value, list) else [value]
            ids = [self.known.get(("id", one), one) for one in ids]
            return ids if isinstance(value, list) else ids[0]
        return self.put_in(value)

    def path(self, path: str) -> str:
        whole = self.known.get(("text", path))
        if whole:
            return whole
        path, *query = path.split("?", 1)
        steps = [str(self.known.get(("id", int(step)), step)) if step.isdigit() else self.known.get(("text", step), step) for step in path.split("/")]
        query = "".join("?" + one for one in query)
        for (kind, old), new in self.known.items():
            if kind == "text" and not old.startswith(("/", "http")) and len(old) > 8:
                query = query.replace(old, new)
        return "/".join(steps) + self.dates(query)

    @staticmethod
    def dates(query: str) -> str:
        """The page asks for the last thirty days, whenever that is."""
        parts = [part for part in query.split("&")]
        return "&".join(part for part in parts if not part.lstrip("?").startswith(("start=", "end=")))

    def learn(self, recorded, found, key=""):
        if isinstance(recorded, dict) and isinstance(found, dict):
            for name in recorded:
                self.learn(recorded[name], found.get(name), name)
        elif isinstance(recorded, list) and isinstance(found, list):
            for one, other in zip(recorded, found):
                self.learn(one, other, key)
        elif key == "id" and isinstance(recorded, int):
            self.known[("id", recorded)] = found
        elif key in LEARNT and isinstance(recorded, str) and isinstance(found, str):
            self.known[("text", recorded)] = found
            for text, whole in ((recorded, found),):
                if text.startswith("http"):
                    self.known[("text", "/" + text.split("/", 3)[3])] = "/" + whole.split("/", 3)[3]

    def ask(self, method: str, path: str, body):
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Token {self.token}"
        request = urllib.request.Request(
            self.holotype.url.rstrip("/") + path, method=method, headers=headers,
            data=json.dumps(body).encode() if body is not None else None,
        )
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()

    def one(self, call: dict) -> None:
        path, body = self.path(call["path"]), self.put_in(call["body"])
        if call["path"] == "/api-token-auth/":
            body = {"username": USER, "password": PASSWORD}
        deadline = time.monotonic() + 120
        while True:
            status, headers, text = self.ask(call["method"], path, body)
            found = json.loads(text) if text and "json" in headers.get("Content-Type", "") else None
            ended = not isinstance(found, dict) or found.get("status") not in ("PENDING", "IN_PROGRESS")
            if ended or call["method"] != "GET" or call["answer"].get("status") != "COMPLETED" or time.monotonic() > deadline:
                break
            time.sleep(0.2)
        name = f"{call['method']} {call['path']}"
        if status != call["status"]:
            return self.problems.append(f"{name}: {status}, not {call['status']}: {text[:300]}")
        if status == 200 and text and int(headers.get("Content-Length") or 0) != len(text):
            self.problems.append(f"{name}: the answer does not say how long it is")
        if call["answer"] == "bytes":
            return None if text else self.problems.append(f"{name}: nothing came")
        if call["answer"] is None:
            return None
        if call["path"] == "/api-token-auth/":
            self.token = found["token"]
        self.problems += [f"{name}: {problem}" for problem in differences(call["answer"], found)]
        self.learn(call["answer"], found)
        return None


def differences(recorded, found, at="answer") -> list:
    """What a recorded answer has that another has not."""
    if isinstance(recorded, dict) and isinstance(found, dict):
        missing = [f"{at}.{key} is missing" for key in recorded if key not in found]
        inner = [differences(recorded[key], found[key], f"{at}.{key}") for key in recorded if key in found]
        return missing + [problem for problems in inner for problem in problems]
    if isinstance(recorded, list) and isinstance(found, list):
        if recorded and not found:
            return [f"{at} is empty"]
        return [problem for one, other in zip(recorded, found) for problem in differences(one, other, f"{at}[]")]
    if at == "answer.status":
        return [] if recorded == found else [f"{at} is {found!r}, not {recorded!r}"]
    number = lambda value: isinstance(value, (int, float)) and not isinstance(value, bool)
    same = type(recorded) is type(found) or (number(recorded) and number(found)) or recorded is None or found is None
    return [] if same else [f"{at} is {found!r}"]


def replay(program: str) -> None:
    calls = json.loads(CALLS.read_text())
    with tempfile.TemporaryDirectory(prefix="holotype-replay-") as root:
        with demonstration(program, Path(root)) as holotype:
            replaying = Replay(holotype)
            for call_ in calls:
                replaying.one(call_)
    for problem in replaying.problems:
        print(f"problem: {problem}")
    if replaying.problems:
        sys.exit(f"{len(replaying.problems)} of {len(calls)} recorded calls are not answered as they were")
    print(f"{len(calls)} recorded calls of the front end are answered as they were")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--holotype", required=True)
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "holotype-datalab-ui", help="where the front end is built")
    parser.add_argument("--shots", type=Path, help="where screenshots and downloads go")
    parser.add_argument("--replay", action="store_true", help="only the recorded calls")
    parser.add_argument("--record", action="store_true", help="keep the calls of this run that were answered in calls.json")
    options = parser.parse_args()
    program = str(Path(options.holotype).resolve())
    if not options.replay:
        shots = options.shots or options.work / "shots"
        try:
            return drive(program, options.work, shots, options.record)
        except Unobtainable as missing:
            print(f"the front end itself cannot be run here: {missing}\nits recorded calls are made instead")
    replay(program)


if __name__ == "__main__":
    main()
