"""What the imaging room makes of images, beside astropy's reproject, and its products in the hands of other programs.

The images are made here: noise and stars on grids that are shifted, turned, mirrored, coarser and finer. Ours must have numbers where
reproject has, the same to a thousandth in 99 of 100 pixels; the grid of a stack must be that of reproject; and a product must be read bit
for bit by astropy and by cfitsio's funpack.
"""

import argparse
import subprocess
import tempfile
import warnings
from pathlib import Path

import numpy
from astropy.io import fits
from astropy.wcs import WCS
from reproject import reproject_adaptive
from reproject.mosaicking import find_optimal_celestial_wcs

SIDE = 150
# Degrees of turn, arcseconds of a pixel, pixels of shift, whether mirrored.
GRIDS = {
    "shifted": (0, 0.5, (0.37, -1.21), False),
    "turned": (30, 0.5, (3.1, 2.2), False),
    "turned and mirrored": (-71, 0.45, (1.4, -2.9), True),
    "coarser": (10, 1.3, (0.6, 0.3), False),
    "finer": (200, 0.2, (-4.4, 5.5), False),
}


def grid(angle: float, scale: float, shift: tuple[float, float], mirrored: bool) -> WCS:
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = "RA---TAN", "DEC--TAN"
    wcs.wcs.crval = 150 + shift[0] * 0.5 / 3600, 2 + shift[1] * 0.5 / 3600
    wcs.wcs.crpix = SIDE / 2, SIDE / 2
    sin, cos, side = numpy.sin(numpy.radians(angle)), numpy.cos(numpy.radians(angle)), 1 if mirrored else -1
    wcs.wcs.cd = scale / 3600 * numpy.array([[side * cos, -sin], [side * sin, cos]])
    return wcs


def save(path: Path, data: numpy.ndarray, wcs: WCS) -> Path:
    header = wcs.to_header()
    cards = {keyword: header[keyword] for keyword in ("CTYPE1", "CTYPE2", "CRVAL1", "CRVAL2", "CRPIX1", "CRPIX2")}
    cards |= {f"CD{row + 1}_{column + 1}": wcs.wcs.cd[row, column] for row in (0, 1) for column in (0, 1)}
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(data.astype("f4"), fits.Header(cards.items()), name="SCI")]).writeto(path, overwrite=True)
    return path


def image(seed: int) -> numpy.ndarray:
    random = numpy.random.default_rng(seed)
    data = 100 + random.normal(0, 5, (SIDE, SIDE))
    rows, columns = numpy.mgrid[:SIDE, :SIDE]
    for x, y in random.uniform(10, SIDE - 10, (20, 2)):
        data += 2000 * numpy.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 4)
    return data.astype("f4")


def reprojected(data: numpy.ndarray, start: WCS, end: WCS, shape: tuple[int, int]) -> numpy.ndarray:
    options = {"kernel": "gaussian", "kernel_width": 1.3, "sample_region_width": 4, "conserve_flux": True, "boundary_mode": "strict"}
    return reproject_adaptive((data.astype("f8"), start), end, shape_out=shape, return_footprint=False, **options)


def same(name: str, ours: numpy.ndarray, theirs: numpy.ndarray) -> None:
    assert ours.shape == theirs.shape, f"{name}: {ours.shape} is not {theirs.shape}"
    both = numpy.isfinite(ours) & numpy.isfinite(theirs)
    apart = (numpy.isfinite(ours) != numpy.isfinite(theirs)).mean()
    near = (abs(ours - theirs)[both] <= 1e-3 * abs(theirs[both])).mean()
    print(f"{name:28} {both.sum():6} pixels, {100 * near:.2f} % within a thousandth, {100 * apart:.3f} % have a number in one only")
    assert both.any() and near >= 0.99 and apart <= 0.001, name


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--measure", required=True, help="the example program of the imaging room")
    program = str(Path(parser.parse_args().measure).resolve())

    def ours(*words) -> None:
        subprocess.run([program, "1", *(str(word) for word in words)], check=True, stdout=subprocess.DEVNULL)

    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        made, start, data = folder / "made.fits.fz", grid(0, 0.5, (0, 0), False), image(1)
        frame = save(folder / "frame.fits", data, start)
        for name, kind in GRIDS.items():
            end = grid(*kind)
            ours("resample", frame, save(folder / "grid.fits", numpy.zeros((SIDE, SIDE)), end), made)
            same(name, fits.getdata(made), reprojected(data, start, end, (SIDE, SIDE)))

        inputs = [(image(seed), grid(*kind)) for seed, kind in enumerate(list(GRIDS.values())[:4])]
        frames = [save(folder / f"frame{index}.fits", *each) for index, each in enumerate(inputs)]
        ours("align", made, *frames)
        header = fits.getheader(made, "SCI")
        assert "CDELT1" not in header and "PC1_1" not in header
        common, shape = find_optimal_celestial_wcs([(data.shape, wcs) for data, wcs in inputs])
        found, crop = WCS(header), common.wcs.crpix - WCS(header).wcs.crpix
        assert numpy.allclose(found.wcs.crval, common.wcs.crval, atol=1e-10) and numpy.allclose(crop, crop.round(), atol=1e-6), crop
        assert numpy.allclose(found.wcs.cd, numpy.diag(common.wcs.cdelt), rtol=1e-9), found.wcs.cd
        column, row = crop.round().astype(int)
        layers = numpy.array([reprojected(data, wcs, common, shape) for data, wcs in inputs])
        rows, columns = header["ZNAXIS2" if "ZNAXIS2" in header else "NAXIS2"], header["NAXIS1"]
        same("a stack of four", fits.getdata(made), numpy.nansum(layers, axis=0)[row : row + rows, column : column + columns])

        ours("publish", frame, made)
        plain = folder / "plain.fits"
        subprocess.run(["funpack", "-O", plain, made], check=True)
        for path in (made, plain):
            with fits.open(path, checksum=True) as hdus:
                assert (hdus["SCI"].data.astype("f4").view("i4") == data.view("i4")).all(), path
        print("a product is read bit for bit by astropy and by funpack")


if __name__ == "__main__":
    main()
