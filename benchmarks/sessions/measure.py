"""Measures stacking and pictures beside numpy, ccdproc and Siril, and prints ratios.

The median of 10 and of 30 frames of 2048 x 2048 reals, plain and Rice-packed. numpy's `np.median` is given the pixels in memory, and only
that call is timed. Ours is measured three times: from pixels in memory, from files in the system's memory to the pixels of the median, and
from the same files to the FITS file, the JPEG and the thumbnail written. Siril and ccdproc begin with the same files and end with their
FITS file; what Siril needs to start is taken off.
"""

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy
from astropy import units
from astropy.io import fits
from ccdproc import CCDData, Combiner

def files(folder: Path, kind: str, count: int) -> list[Path]:
    return sorted(folder.glob(f"{kind}-*"))[:count]


def timed(work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


class Bench:
    def __init__(self, arguments):
        self.folder, self.program, self.repeat = arguments.folder.resolve(), str(arguments.measure.resolve()), arguments.repeat

    def said(self, name: str, seconds: list[float]) -> float:
        middle = statistics.median(seconds)
        print(f"{name:52} {middle:8.4f} s ({min(seconds):.4f}..{max(seconds):.4f})", flush=True)
        return middle

    def ours(self, name: str, *words, inner: bool = False) -> float:
        """One process, of which the first time is not counted: the files are not yet in memory."""
        done = subprocess.run([self.program, str(self.repeat + 1), *map(str, words)], capture_output=True, text=True, check=True)
        lines = done.stdout.splitlines()[1:]
        return self.said(name, [float(line.split("of which ")[1].split()[0] if inner else line.split()[0]) for line in lines])

    def numpy(self, count: int) -> float:
        pixels = numpy.stack([fits.getdata(path, "SCI").astype("f4") for path in files(self.folder, "plain", count)])
        numpy.median(pixels[:2], axis=0)
        return self.said(f"numpy.median of {count}, pixels in memory", [timed(lambda: numpy.median(pixels, axis=0)) for _ in range(self.repeat)])

    def ccdproc(self, kind: str, count: int) -> float:
        def work() -> None:
            frames = [CCDData(fits.getdata(path, "SCI").astype("f4"), unit=units.adu) for path in files(self.folder, kind, count)]
            fits.writeto(self.folder / "ccdproc.fits", Combiner(frames, dtype="f4").median_combine().data, overwrite=True)

        return self.said(f"ccdproc, median of {count} {kind}, FITS out", [timed(work) for _ in range(max(1, self.repeat // 3))])

    def siril(self, kind: str, count: int) -> float:
        def work(text: str) -> float:
            with tempfile.TemporaryDirectory(dir=self.folder) as place:
                folder = Path(place)
                for index, path in enumerate(files(self.folder, kind, count)):
                    (folder / f"frame_{index:03d}.fit{'' if kind == 'plain' else '.fz'}").symlink_to(path)
                commands = folder / "script.ssf"
                commands.write_text("requires 1.0.0\nset32bits\n" + text)
                seconds = timed(lambda: subprocess.run(["siril-cli", "-d", folder, "-s", commands], check=True, capture_output=True))
                assert not text or (folder / "result.fit").stat().st_size > 16e6
                return seconds

        start = statistics.median(work("") for _ in range(3))
        stack = "convert light -out=.\nstack light_ median -nonorm -out=result\n"
        return self.said(f"Siril, median of {count} {kind}, FITS out", [work(stack) - start for _ in range(max(1, self.repeat // 2))])

    def ratio(self, what: str, theirs: float, ours: float, wanted: str) -> None:
        print(f"    {what}: {theirs / ours:.2f} ({wanted})", flush=True)

    def stacks(self) -> None:
        for count in (10, 30):
            bare = self.numpy(count)
            for kind in ("plain", "rice"):
                frames = files(self.folder, kind, count)
                combined = self.ours(f"ours, median of {count} {kind}, files to pixels", "combine", "median", *frames)
                whole = self.ours(f"ours, median of {count} {kind}, FITS and previews out", "stack", self.folder / "ours.fits.fz", *frames)
                pixels = self.ours(f"ours, median of {count} {kind}, pixels in memory", "pixels", *frames, inner=True)
                self.ratio("numpy's median by ours of pixels", bare, pixels, "10 wanted")
                self.ratio("numpy's median by our files to pixels", bare, combined, "no limit: numpy reads nothing")
                if kind == "rice":
                    self.ratio("our whole by numpy's median", whole, bare, "at most 0.55 wanted")
                self.ratio("ccdproc by our whole", self.ccdproc(kind, count), whole, "no limit")
                if shutil.which("siril-cli"):
                    siril = self.siril(kind, count)
                    self.ratio("Siril by our files to pixels", siril, combined, "3 wanted")
                    self.ratio("Siril by our whole", siril, whole, "no limit")
                else:
                    print("    Siril is not installed (apt-get install siril): not measured", flush=True)

    def single(self) -> None:
        frame = files(self.folder, "rice", 1)[0]
        for name, words, limit in (("a 200-pixel JPEG", ("thumbnail", frame), 0.040), ("raw-data of 1024, no JSON", ("raw-data", frame, 1024), 0.100)):
            self.ratio("of the time allowed", self.ours(f"ours, {name} of one Rice frame", *words), limit, "at most 1")

    def memory(self) -> None:
        frames = (files(self.folder, "rice", 30) * 7)[:200]
        command = [self.program, "1", "stack", self.folder / "ours.fits.fz", *frames]
        done = subprocess.run(["/usr/bin/time", "-f", "%M", *map(str, command)], capture_output=True, text=True, check=True)
        print(f"median of 200 Rice frames: {done.stdout.split()[0]} s, peak {int(done.stderr.split()[-1]) / 1024:.0f} MiB (at most 256 wanted)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--measure", required=True, type=Path, help="the example program of the imaging room")
    parser.add_argument("--folder", required=True, type=Path, help="where the frames are")
    parser.add_argument("--repeat", type=int, default=7)
    bench = Bench(parser.parse_args())
    warnings.simplefilter("ignore")
    bench.single()
    bench.memory()
    bench.stacks()


if __name__ == "__main__":
    sys.exit(main())
