"""Starts and ends what the end-to-end tests talk to: holotype servers, a moto S3 server, PostgreSQL databases.

Only the standard library, so that any Python 3.11 runs it. Everything binds to 127.0.0.1 and is ended by its own process id.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_answering(url: str, process: subprocess.Popen, log: Path, seconds: float = 60.0) -> None:
    """Returns once `url` answers anything at all; fails with the log's end if the process ends or time is up."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            urllib.request.urlopen(url, timeout=2).close()
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"{url} did not answer (exit code {process.poll()}):\n{log.read_text(errors='replace')[-4000:]}")


class Holotype:
    """A `holotype serve` on a home of its own, which can be killed and started again."""

    def __init__(self, program: str, home: Path, environment: dict[str, str] | None = None):
        self.program, self.home, self.port = str(Path(program).resolve()), home, free_port()
        self.url = f"http://127.0.0.1:{self.port}/"
        self.log = home.parent / f"{home.name}.log"
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("HOLOTYPE_", "DATA_", "OBJECT_STORAGE_"))}
        self.environment = kept | (environment or {})
        self.arguments: tuple[str, ...] = ()
        self.process: subprocess.Popen | None = None

    def run(self, *words: str, check: bool = True, **options) -> subprocess.CompletedProcess:
        """A `holotype` command on this home."""
        done = subprocess.run(
            [self.program, "--home", str(self.home), *words], env=self.environment, capture_output=True, text=True, **options
        )
        if check and done.returncode != 0:
            raise RuntimeError(f"holotype {' '.join(words)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done

    def json(self, *words: str):
        return json.loads(self.run("--json", *words).stdout)

    def start(self) -> "Holotype":
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [self.program, "--home", str(self.home), "serve", "--listen", f"127.0.0.1:{self.port}", *self.arguments],
                env=self.environment, stdout=log, stderr=log,
            )
        wait_until_answering(self.url + "health", self.process, self.log)
        return self

    def kill(self) -> None:
        """kill -9: no handler runs, no buffer is flushed."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()
                raise RuntimeError(f"the server did not end within 30 s of SIGTERM; see {self.log}") from None

    def __enter__(self) -> "Holotype":
        return self.start()

    def __exit__(self, *_) -> None:
        self.stop()


@contextlib.contextmanager
def moto(folder: Path):
    """The host and port of an S3 server that keeps its objects in memory."""
    port, log = free_port(), folder / "moto.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [os.environ["HOLOTYPE_MOTO_SERVER"], "-H", "127.0.0.1", "-p", str(port)], stdout=output, stderr=output
        )
    try:
        wait_until_answering(f"http://127.0.0.1:{port}/", process, log)
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def make_bucket(endpoint: str, name: str) -> None:
    # moto takes unsigned requests.
    urllib.request.urlopen(urllib.request.Request(f"http://{endpoint}/{name}", method="PUT")).close()


def new_database() -> str:
    """The URL of a new, empty PostgreSQL database beside the one of HOLOTYPE_TEST_POSTGRES."""
    base = os.environ["HOLOTYPE_TEST_POSTGRES"]
    name = f"e2e_{uuid.uuid4().hex}"
    subprocess.run(["psql", "-q", base, "-c", f"create database {name}"], check=True)
    return base.rsplit("/", 1)[0] + "/" + name
