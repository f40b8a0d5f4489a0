"""Makes the frames of a night as an archive keeps them: images of noise and stars, packed by fpack.

Like the reduced frames of the real archive, each has an empty primary, the image SCI, the catalogue CAT, the mask BPM and the
uncertainties ERR; the images of reals are quantised to a 64th of their noise, with dithering, and packed with Rice, row by row. Beside
them, in `frames.json`, stands what an archive says of each. The frames are the same every time.
"""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy
from astropy.io import fits

FRAMES, SIDE, STARS = 30, 1720, 3000
CAMERAS = ("fa15", "ep06", "sq32")


def image(random: numpy.random.Generator) -> tuple[numpy.ndarray, numpy.ndarray, numpy.ndarray]:
    """Electrons of the sky and of stars with the noise of counting and reading, their uncertainties, and the stars' table."""
    light = numpy.full((SIDE, SIDE), 120.0, numpy.float32)
    stars = numpy.zeros(STARS, [(name, "f8") for name in ("x", "y", "flux", "fluxerr", "ra", "dec")])
    stars["x"], stars["y"] = random.uniform(8, SIDE - 9, (2, STARS))
    stars["flux"] = random.pareto(1.2, STARS).clip(0, 500) * 400 + 400
    offsets = numpy.arange(-8, 9)
    for star in stars:
        column, row = int(star["x"]), int(star["y"])
        across, up = numpy.exp(-((offsets + column - star["x"]) ** 2) / 8), numpy.exp(-((offsets + row - star["y"]) ** 2) / 8)
        light[row - 8:row + 9, column - 8:column + 9] += (star["flux"] / (8 * numpy.pi) * numpy.outer(up, across)).astype(numpy.float32)
    # Beyond a few counts, counting is as good as normal.
    error = numpy.sqrt(light + 8.0**2)
    light += error * random.standard_normal((SIDE, SIDE), numpy.float32)
    error = numpy.sqrt(light.clip(0) + 8.0**2)
    stars["fluxerr"] = numpy.sqrt(stars["flux"])
    return light, error.astype(numpy.float32), stars


def header(number: int, camera: str, target: str, date: str) -> fits.Header:
    cards = {
        "DATE-OBS": f"{date}.000", "DAY-OBS": date[:10].replace("-", ""), "EXPTIME": 60.0, "FILTER": "ip", "INSTRUME": camera, "TELESCOP": "1m005",
        "OBSTYPE": "EXPOSE", "SITEID": "lsc", "ENCID": "doma", "TELID": "1m0a", "PROPID": "P1", "REQNUM": 36001, "BLKUID": 900000 + number,
        "OBJECT": target, "RA": "17:47:03.3800", "DEC": "-34:11:21.100", "AIRMASS": 1.2345, "MOONFRAC": 0.4521, "MOONDIST": 88.12, "WMSCLOUD": -31.5,
        "PIXSCALE": 0.389, "GAIN": 1.0, "RDNOISE": 8.0, "SATURATE": 125000.0, "RLEVEL": 91, "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN",
        "CRPIX1": SIDE / 2, "CRPIX2": SIDE / 2, "CRVAL1": 266.764083, "CRVAL2": -34.189194, "CUNIT1": "deg", "CUNIT2": "deg",
        "CD1_1": -0.000108, "CD1_2": 1e-07, "CD2_1": 1e-07, "CD2_2": 0.000108, "WCSERR": 0, "L1FWHM": 2.27, "L1MEAN": 120.5,
    }
    return fits.Header(cards.items())


def make(folder: Path, number: int) -> dict:
    random = numpy.random.default_rng(number)
    camera, target = CAMERAS[number % len(CAMERAS)], f"TARGET-{number // 3 % 3}"
    date = f"2024-07-14T{number // 6:02d}:{number * 10 % 60:02d}:00"
    path = folder / f"lsc1m005-{camera}-20240714-{number:04d}-e91.fits"
    light, error, stars = image(random)
    mask = (random.random((SIDE, SIDE), numpy.float32) < 1e-3).astype(numpy.uint8)
    hdus = [
        fits.PrimaryHDU(light, header(number, camera, target, date)),
        fits.BinTableHDU(stars, name="CAT"), fits.ImageHDU(mask, name="BPM"), fits.ImageHDU(error, name="ERR"),
    ]
    hdus[0].header["EXTNAME"] = "SCI"
    fits.HDUList(hdus).writeto(path, overwrite=True, checksum=True)
    plain, packed = path.stat().st_size, path.with_name(path.name + ".fz")
    packed.unlink(missing_ok=True)
    subprocess.run(["fpack", "-q", "64", "-D", "-Y", str(path)], check=True)
    content = packed.read_bytes()
    return {
        "name": packed.name, "plain": plain, "size": len(content), "md5": hashlib.md5(content).hexdigest(), "dataset": f"{target}/{KINDS[camera[:2]]}/ip",
        "fields": {
            "observation_date": f"{date}Z", "observation_day": date[:10], "proposal_id": "P1", "instrument_id": camera, "target_name": target,
            "reduction_level": 91, "site_id": "lsc", "telescope_id": "1m0a", "exposure_time": 60.0, "primary_optical_element": "ip",
            "public_date": "2025-07-16T00:00:00Z", "configuration_type": "EXPOSE", "observation_id": 900000 + number, "request_id": 36001,
        },
    }


KINDS = {"fa": "sinistro", "ep": "muscat", "sq": "qhy"}

if __name__ == "__main__":
    destination = Path(sys.argv[1])
    destination.mkdir(parents=True, exist_ok=True)
    frames = [make(destination, number) for number in range(FRAMES)]
    # Last, so that what was interrupted is made anew.
    (destination / "frames.json").write_text(json.dumps(frames, indent=1))
