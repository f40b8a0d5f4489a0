"""Measures `holotype archive fetch` beside what people use instead, and prints ratios.

Thirty packed frames, about 200 MB: over loopback beside curl, md5sum, funpack and mv; over a road of 50 ms there and back and 10 MB/s
a connection beside the bare transfer by curl and by aria2, which check, unpack and sort nothing. Ours begins with an empty tree and home,
asks the archive for its list, and has every byte on the disk when it ends; the others leave theirs in the system's memory.
"""

import argparse
import contextlib
import dataclasses
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "tests/archives"))
from archive import Archive, record  # noqa: E402
from run import Lab, frames_of  # noqa: E402

MB = 1e6
LATENCY_MS, BYTES_PER_SECOND = 50, 10_000_000


@dataclasses.dataclass
class Run:
    seconds: float
    cpu: float  # seconds of user and system time
    peak: float  # MiB


def measured(command: list, folder: Path, environment: dict | None = None) -> Run:
    """One run of a command, which must succeed. What earlier runs left to be written is on the disk before it begins."""
    os.sync()
    with (folder / "output").open("w+b") as output:
        before = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=output, stderr=output)
        peak, done = 0, threading.Event()

        def watch() -> None:
            nonlocal peak
            # The kernel's own measure of a child begins with what its parent had, so it is of no use here.
            with contextlib.suppress(OSError), open(f"/proc/{process.pid}/status") as status:
                while not done.wait(0.01):
                    status.seek(0)
                    peak = max([peak, *(int(line.split()[1]) for line in status if line.startswith("VmHWM"))])

        watcher = threading.Thread(target=watch)
        watcher.start()
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - before
        process.returncode = os.waitstatus_to_exitcode(status)
        done.set()
        watcher.join()
        if process.returncode:
            output.seek(0)
            raise RuntimeError(f"{command[0]} ended with {process.returncode}:\n{output.read()[-4000:].decode(errors='replace')}")
    return Run(seconds, used.ru_utime + used.ru_stime, peak / 1024)


class Service:
    """One of our small programs, which says its port."""

    def __init__(self, *command):
        self.process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def __enter__(self) -> "Service":
        return self

    def __exit__(self, *_) -> None:
        self.process.terminate()
        self.process.wait(30)


class Bench:
    def __init__(self, arguments, folder: Path):
        self.folder, self.programs, self.holotype, self.repeat = folder, arguments.folder, arguments.holotype, arguments.repeat
        self.frames = json.loads((arguments.folder / "frames/frames.json").read_text())
        self.bytes = sum(frame["size"] for frame in self.frames)
        plain = sum(frame["plain"] for frame in self.frames)
        print(f"{len(self.frames)} frames, {self.bytes / MB:.0f} MB packed, {plain / MB:.0f} MB plain: packed {plain / self.bytes:.1f} times", flush=True)

    def archive(self, stack: contextlib.ExitStack, files: int) -> Archive:
        """An archive that lists the frames, with their bytes at another port as real ones have them in an object store."""
        archive = stack.enter_context(Archive())
        for number, frame in enumerate(self.frames):
            content = (self.programs / "frames" / frame["name"]).read_bytes()
            archive.records.insert(0, record(number, frame["name"], content, f"http://127.0.0.1:{files}/", **frame["fields"]))
        return archive

    @contextlib.contextmanager
    def place(self):
        """An empty directory, which does not outlast its run."""
        folder = self.folder / "run"
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder)

    def ours(self, archive: Archive) -> Run:
        with self.place() as folder:
            lab = Lab(self.holotype, folder, archive)
            home = lab.holotype
            run = measured([home.program, "--home", str(home.home), "--json", "archive", "fetch", str(lab.config)], folder, home.environment)
            result = json.loads((folder / "output").read_text().splitlines()[-1])
            assert frames_of(result) == {"placed": len(self.frames)}, result
            self.check(lab.tree)
            return run

    def check(self, tree: Path) -> None:
        """Every frame in its dataset, and as long as it was before it was packed, within what checksums add to a header."""
        for frame in self.frames:
            size = (tree / frame["dataset"] / frame["name"].removesuffix(".fz")).stat().st_size
            assert abs(size - frame["plain"]) <= 4 * 2880, f"{frame['name']}: {size} bytes, not {frame['plain']}"

    def chain(self, files: int) -> Run:
        """What a shell script does: fetch all, check all, unpack all, sort all."""
        with self.place() as folder:
            (folder / "urls").write_text(self.curl_list(files))
            (folder / "sums").write_text("".join(f"{frame['md5']}  {frame['name']}\n" for frame in self.frames))
            moves = "".join(f"mkdir -p '{frame['dataset']}'; mv '{frame['name'].removesuffix('.fz')}' '{frame['dataset']}/'\n" for frame in self.frames)
            (folder / "chain.sh").write_text(
                f"set -e\n{' '.join(curl(16))}\nmd5sum --quiet --check sums\nfunpack *.fz\nrm *.fz\n{moves}"
            )
            run = measured(["bash", "chain.sh"], folder)
            self.check(folder)
            return run

    def curl_list(self, files: int) -> str:
        return "".join(f"url = http://127.0.0.1:{files}/data/{frame['name']}\noutput = {frame['name']}\n" for frame in self.frames)

    def bare(self, files: int, command: list[str]) -> Run:
        """A transfer, and nothing else."""
        with self.place() as folder:
            aria = "".join(f"http://127.0.0.1:{files}/data/{frame['name']}\n  out={frame['name']}\n" for frame in self.frames)
            (folder / "urls").write_text(self.curl_list(files) if command[0] == "curl" else aria)
            run = measured(command, folder)
            for frame in self.frames:
                assert (folder / frame["name"]).stat().st_size == frame["size"], frame["name"]
            return run

    def several(self, works: dict) -> dict[str, Run]:
        """Of each work the run of median length, after it was said what all were. They take turns: what else the machine does meets all."""
        runs = {name: [] for name in works}
        for _ in range(self.repeat):
            for name, work in works.items():
                runs[name].append(work())
        return {name: self.middle(name, sorted(of, key=lambda run: run.seconds)) for name, of in runs.items()}

    def middle(self, name: str, runs: list[Run]) -> Run:
        middle, peak = runs[len(runs) // 2], max(run.peak for run in runs)
        spread = f"{runs[0].seconds:.2f}..{runs[-1].seconds:.2f}"
        print(f"{name:34} {middle.seconds:6.2f} s ({spread}), CPU {middle.cpu:5.2f} s, {self.bytes / MB / middle.seconds:5.0f} MB/s, peak {peak:4.0f} MiB", flush=True)
        return Run(middle.seconds, middle.cpu, peak)


OURS, CHAIN = "holotype archive fetch", "curl, md5sum, funpack, mv"


def curl(together: int) -> list[str]:
    """curl with so many files at a time."""
    return ["curl", "--silent", "--show-error", "--fail", "--parallel", "--parallel-max", str(together), "--parallel-immediate", "--config", "urls"]


def aria2(together: int, parts: int) -> list[str]:
    """aria2 with so many files at a time, each in so many parts."""
    options = ["--quiet", "--file-allocation=none", "--min-split-size=1M", "--disk-cache=32M", "--enable-http-pipelining=false"]
    return ["aria2c", *options, f"-j{together}", f"-x{parts}", f"-s{parts}", "-i", "urls"]


def rate(port: int, names: list[str]) -> float:
    """Bytes a second of one curl that throws away what it fetches, as many files at a time as curl takes."""
    words = [word for name in names for word in ("-o", "/dev/null", f"http://127.0.0.1:{port}/data/{name}")]
    before = time.perf_counter()
    done = subprocess.run(["curl", "-sSf", "-w", "%{size_download}\n", "--parallel", "--parallel-immediate", *words], capture_output=True, text=True, check=True)
    return sum(int(size) for size in done.stdout.split()) / (time.perf_counter() - before)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--holotype", required=True)
    parser.add_argument("--folder", required=True, type=Path, help="where the frames and the small programs are")
    parser.add_argument("--repeat", type=int, default=5)
    arguments = parser.parse_args()
    arguments.folder = arguments.folder.resolve()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="run-", dir=arguments.folder)))
        bench = Bench(arguments, folder)
        (folder / "served").mkdir()
        (folder / "served/data").symlink_to(arguments.folder / "frames")
        files = stack.enter_context(Service(arguments.folder / "files", folder / "served")).port
        archive = bench.archive(stack, files)

        def far(port: int) -> int:
            return stack.enter_context(Service(arguments.folder / "proxy", port, LATENCY_MS, BYTES_PER_SECOND)).port

        far_files = far(files)
        distant = bench.archive(stack, far_files)
        distant.url = f"http://127.0.0.1:{far(distant.server.server_address[1])}/"
        names = [frame["name"] for frame in bench.frames]
        for port, fetched, name in ((files, names * 5, "loopback"), (far_files, names[:1], "far, 1 connection"), (far_files, names[:16], "far, 16 connections")):
            best = max(rate(port, fetched) for _ in range(3))
            print(f"what the server gives, {name:20} {best / MB:7.1f} MB/s", flush=True)
        print("loopback:", flush=True)
        near = bench.several({CHAIN: lambda: bench.chain(files), OURS: lambda: bench.ours(archive)})
        print(f"  {near[CHAIN].seconds / near[OURS].seconds:.2f} times as fast as the chain (at least 1.5 wanted)", flush=True)
        print(f"far ({LATENCY_MS} ms there and back, {BYTES_PER_SECOND / MB:.0f} MB/s a connection):", flush=True)
        bare = {f"curl --parallel-max {together}": curl(together) for together in (16, 32)}
        bare |= {f"aria2c -j{together} -x{parts} -s{parts}": aria2(together, parts) for together, parts in ((16, 1), (4, 4), (30, 1), (16, 4), (30, 16))}
        works = {name: lambda command=command: bench.bare(far_files, command) for name, command in bare.items()}
        there = bench.several(works | {OURS: lambda: bench.ours(distant)})
        best = min(bare, key=lambda name: there[name].seconds)
        print(f"  {there[OURS].seconds / there[best].seconds:.2f} times as long as the best bare transfer, {best} (at most 1.3 wanted)", flush=True)
        print(f"our peak: {max(near[OURS].peak, there[OURS].peak):.0f} MiB (at most 128 wanted)", flush=True)


if __name__ == "__main__":
    main()
