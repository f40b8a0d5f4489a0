"""Makes frames of 2048 x 2048 reals to stack, plain and packed by fpack: sky, stars and noise, and a cosmic ray here and there.

Like the reduced frames of archives they have an empty primary and the image SCI; packed, they are quantised to a 16th of their noise, with
dithering, and coded with Rice, row by row. The frames are the same every time.
"""

import subprocess
import sys
from pathlib import Path

import numpy
from astropy.io import fits

FRAMES, SIDE, STARS = 30, 2048, 2000


def sky() -> numpy.ndarray:
    """The light that all frames share."""
    random = numpy.random.default_rng(1)
    light = numpy.full((SIDE, SIDE), 120.0, numpy.float32)
    offsets = numpy.arange(-8, 9)
    for x, y, flux in zip(*random.uniform(8, SIDE - 9, (2, STARS)), random.pareto(1.2, STARS).clip(0, 500) * 400 + 400):
        column, row = int(x), int(y)
        across, up = numpy.exp(-((offsets + column - x) ** 2) / 8), numpy.exp(-((offsets + row - y) ** 2) / 8)
        light[row - 8 : row + 9, column - 8 : column + 9] += (flux / (8 * numpy.pi) * numpy.outer(up, across)).astype(numpy.float32)
    return light


def make(folder: Path, number: int, light: numpy.ndarray) -> None:
    random = numpy.random.default_rng(100 + number)
    frame = light + numpy.sqrt(light + 64) * random.standard_normal((SIDE, SIDE), numpy.float32)
    rays = random.integers(0, SIDE, (2, 500))
    frame[rays[0], rays[1]] += random.uniform(500, 20_000, 500).astype(numpy.float32)
    cards = {
        "DATE-OBS": f"2024-07-14T01:{number:02d}:00.000", "EXPTIME": 30.0, "FILTER": "rp", "OBJECT": "M 31", "GAIN": 1.0, "RDNOISE": 8.0,
        "SATURATE": 125000.0, "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRPIX1": SIDE / 2, "CRPIX2": SIDE / 2, "CRVAL1": 266.764083,
        "CRVAL2": -34.189194, "CUNIT1": "deg", "CUNIT2": "deg", "CD1_1": -0.000108, "CD1_2": 0.0, "CD2_1": 0.0, "CD2_2": 0.000108,
    }
    plain, packed = folder / f"plain-{number:03d}.fits", folder / f"rice-{number:03d}.fits.fz"
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(frame, fits.Header(cards.items()), name="SCI")]).writeto(plain, overwrite=True)
    packed.unlink(missing_ok=True)
    subprocess.run(["fpack", "-q", "16", "-Y", "-O", str(packed), str(plain)], check=True)


if __name__ == "__main__":
    destination = Path(sys.argv[1])
    destination.mkdir(parents=True, exist_ok=True)
    shared = sky()
    for number in range(FRAMES):
        make(destination, number, shared)
    # Last, so that what was interrupted is made anew.
    (destination / "done").touch()
