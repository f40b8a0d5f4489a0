"""Unmodified clients of the earlier system against `holotype serve`.

On SQLite with a directory and on PostgreSQL with an S3 bucket; without users at a plain URL, and with users at
http://user:token@host. Each time both generations of the real client go through all their public methods (exercise.py), and the
`madsci data` commands are run.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import servers  # noqa: E402

GENERATIONS = ("0.8.1", "0.7.1")


def environment_of(version: str) -> Path:
    """The bin directory of a Python environment with this version of the client."""
    done = subprocess.run(
        [HERE.parent.parent / "scripts/venv.sh", f"client-{version}", HERE / f"requirements-{version}.txt"],
        check=True, capture_output=True, text=True,
    )
    return Path(done.stdout.strip())


def run_client(folder: Path, *words: object) -> str:
    """A client program in an empty directory, so that it finds no settings but the ones it is given."""
    done = subprocess.run([str(word) for word in words], cwd=folder, capture_output=True, text=True, timeout=300,
                          env={"PATH": os.environ["PATH"], "HOME": str(folder), "COLUMNS": "200"})
    if done.returncode != 0:
        raise RuntimeError(f"{words} ended with {done.returncode}:\n{done.stdout[-6000:]}{done.stderr[-6000:]}")
    return done.stdout


def exercise(url: str, moto: str, folder: Path) -> None:
    for version in GENERATIONS:
        print(f" client {version} at {'http://user:token@' if '@' in url else 'http://'}...", flush=True)
        print(run_client(folder, environment_of(version) / "python", HERE / "exercise.py", "--url", url, "--object-storage", moto), end="")


def exercise_commands(url: str, folder: Path) -> None:
    madsci = environment_of("0.8.1") / "madsci"
    run_client(folder, madsci, "data", "submit", "--value", '{"mass": 1.25}', "--label", "balance", "--data-url", url)
    found = json.loads(run_client(folder, madsci, "--json", "data", "query", "--selector", '{"label": "balance"}', "--data-url", url))
    assert found and all(point["label"] == "balance" for point in found), found
    value = run_client(folder, madsci, "data", "get", found[0]["datapoint_id"], "--data-url", url)
    assert "1.25" in value, value
    run_client(folder, madsci, "data", "list", "--data-url", url)
    print("  ok madsci data submit, query, get, list", flush=True)


def configuration(engine: str, endpoint: str) -> dict[str, str]:
    if engine == "sqlite":
        return {}
    servers.make_bucket(endpoint, "holotype")
    return {
        "HOLOTYPE_CATALOG_URL": servers.new_database(),
        "HOLOTYPE_STORE_URL": "s3://holotype/lab",
        "HOLOTYPE_STORE_ENDPOINT": f"http://{endpoint}",
        "HOLOTYPE_STORE_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "access",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--holotype", required=True, help="the program to test")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="holotype-clients-") as name:
        folder = Path(name)
        (folder / "empty").mkdir()
        with servers.moto(folder) as endpoint:
            for engine in ("sqlite", "postgres"):
                print(f"clients: {engine}", flush=True)
                server = servers.Holotype(arguments.holotype, folder / engine, configuration(engine, endpoint))
                server.run("init")
                with server:
                    exercise(server.url, endpoint, folder / "empty")
                    exercise_commands(server.url, folder / "empty")
                    server.run("user", "create", "curie")
                    token = server.json("token", "create", "bench", "--user", "curie")["token"]
                    exercise(server.url.replace("http://", f"http://curie:{token}@"), endpoint, folder / "empty")
                report = server.json("store", "verify")  # ends with an error if anything is lost
                assert report["intact"] > 0, report
    print("clients: all passed", flush=True)


if __name__ == "__main__":
    main()
