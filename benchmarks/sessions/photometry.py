"""Aperture sums of 60 stars in 10 frames of 1024 by 1024 pixels: ours beside photutils' (`subpixel`, 5), in one run.

usage: photometry.py FOLDER PROGRAM [ROUNDS]
"""

import json
import pathlib
import subprocess
import sys
import time

import numpy
from astropy.io import fits
from photutils.aperture import CircularAperture, aperture_photometry

FRAMES, SIDE, STARS, RADIUS = 10, 1024, 60, 7.64
folder, program = pathlib.Path(sys.argv[1]), sys.argv[2]
rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 7


def make():
    """Frames of Gaussian stars on a noisy sky, the same each time."""
    folder.mkdir(parents=True, exist_ok=True)
    random = numpy.random.default_rng(4)
    stars = random.uniform(40, SIDE - 40, (STARS, 2))
    y, x = numpy.mgrid[0:SIDE, 0:SIDE]
    light = numpy.zeros((SIDE, SIDE))
    for column, row in stars:
        light += 2000 * numpy.exp(-((x - column) ** 2 + (y - row) ** 2) / (2 * 2.1**2))
    for index in range(FRAMES):
        pixels = (light + random.normal(300, 17, light.shape)).astype("f4")
        image = fits.ImageHDU(pixels, name="SCI")
        fits.HDUList([fits.PrimaryHDU(), image]).writeto(folder / f"frame{index}.fits", overwrite=True)
    numpy.savetxt(folder / "stars.txt", stars, fmt="%.17g")


if not (folder / "stars.txt").exists():
    make()
stars = numpy.loadtxt(folder / "stars.txt")
paths = [folder / f"frame{index}.fits" for index in range(FRAMES)]
frames = [fits.getdata(path, "SCI").astype("f4") for path in paths]
apertures = CircularAperture(stars, r=RADIUS)


def sums(frame):
    return numpy.asarray(aperture_photometry(frame, apertures, method="subpixel", subpixels=5)["aperture_sum"])


def least(work):
    """The least time of all rounds, in milliseconds, and the last result."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        result = work()
        times.append(1e3 * (time.perf_counter() - start))
    return min(times), result


theirs_held, expected = least(lambda: [sums(frame) for frame in frames])
theirs_whole, _ = least(lambda: [sums(fits.getdata(path, "SCI")) for path in paths])
command = [program, folder / "stars.txt", str(RADIUS), str(rounds), *paths]
ours = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
off = numpy.max(numpy.abs(numpy.array(ours["sums"]) / numpy.array(expected) - 1))
print(f"pixels held, sums alone:              photutils {theirs_held:8.2f} ms   ours {ours['held_ms']:8.2f} ms   "
      f"{theirs_held / ours['held_ms']:6.1f} times as fast")
print(f"from the files on:                    photutils {theirs_whole:8.2f} ms   ours {ours['whole_ms']:8.2f} ms   "
      f"{theirs_whole / ours['whole_ms']:6.1f} times as fast (ours with centroids, backgrounds and errors)")
print(f"the sums agree to {off:.1e} of themselves")
if off > 1e-6:
    sys.exit("the sums differ")
