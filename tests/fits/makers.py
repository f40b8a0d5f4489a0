"""Packed FITS files of every kind, made by astropy and by fpack."""

import itertools
import subprocess
from pathlib import Path

import numpy as np
from astropy.io import fits

INTEGERS = ["uint8", "int16", "uint16", "int32", "uint32"]
REALS = ["float32", "float64"]
SHAPE = (37, 53)


def pixels(dtype: str, shape=SHAPE) -> np.ndarray:
    """A slope with stars and noise, within what the type holds; always the same."""
    random = np.random.default_rng(len(shape))
    grid = np.indices(shape).sum(axis=0) * 1.5 + random.normal(40, 3, shape)
    for place in random.integers(0, min(shape), (6, len(shape))):
        grid[tuple(place)] += 90
    if dtype == "uint8":
        return grid.clip(0, 255).astype(dtype)
    kind = np.dtype(dtype).kind
    return (grid * 3.25).astype(dtype) if kind == "f" else grid.astype("int64").astype(dtype)


def header() -> fits.Header:
    made = fits.Header()
    made["EXTNAME"] = "SCI"
    made["OBJECT"] = ("it's a name", "with a quote")
    made["LONG"] = "a string that is too long for one card " * 4
    made["HIERARCH ESO DET CHIP GAIN"] = 1.25
    made["EXPTIME"] = (30.0, "[s]")
    made["HISTORY"] = "made by the tests"
    made["COMMENT"] = "one of two"
    made["COMMENT"] = "two of two"
    return made


def by_astropy(folder: Path) -> list[Path]:
    """Compressed images as astropy writes them."""
    paths = []

    def write(name: str, data: np.ndarray, **options) -> None:
        path = folder / f"astropy-{name}.fits.fz"
        hdu = fits.CompImageHDU(data, header(), **options)
        fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(path, checksum=True)
        paths.append(path)

    for codec, dtype in itertools.product(["RICE_1", "GZIP_1", "GZIP_2", "HCOMPRESS_1", "NOCOMPRESS"], INTEGERS):
        write(f"{codec}-{dtype}", pixels(dtype), compression_type=codec)
    for dtype in ["uint8", "int16"]:
        write(f"PLIO_1-{dtype}", pixels(dtype) // 8, compression_type="PLIO_1")
    for codec in ["GZIP_1", "GZIP_2"]:
        write(f"{codec}-int64", pixels("int64") * 2**40, compression_type=codec)
    for codec, dtype, dither in itertools.product(["RICE_1", "GZIP_1", "GZIP_2", "HCOMPRESS_1"], REALS, [-1, 1, 2]):
        data = pixels(dtype)
        data[3, 4] = 0
        if codec != "HCOMPRESS_1":
            data[5:7, 8] = np.nan
        options = {"quantize_method": dither, "dither_seed": 77}
        write(f"{codec}-{dtype}-dither{dither}", data, compression_type=codec, quantize_level=8, **options)
    for codec, dtype in itertools.product(["GZIP_1", "GZIP_2", "NOCOMPRESS"], REALS):
        write(f"{codec}-{dtype}-exact", pixels(dtype), compression_type=codec, quantize_level=0)
    write("smooth", pixels("int16"), compression_type="HCOMPRESS_1", hcomp_scale=4, hcomp_smooth=1)
    for tile in [(10, 20), (37, 1), (1, 7), SHAPE]:
        write(f"tiles-{tile[0]}x{tile[1]}", pixels("int32"), compression_type="RICE_1", tile_shape=tile)
        write(f"tiles-real-{tile[0]}x{tile[1]}", pixels("float32"), compression_type="RICE_1", tile_shape=tile, dither_seed=9999)
    write("line", pixels("int16", (500,)), compression_type="RICE_1")
    write("cube", pixels("int16", (5, 7, 11)), compression_type="RICE_1")
    write("cube-tiles", pixels("float32", (5, 7, 11)), compression_type="GZIP_2", tile_shape=(2, 3, 4))
    write("large", pixels("float32", (300, 700)), compression_type="RICE_1", dither_seed=1)
    return paths


def plain(folder: Path) -> list[Path]:
    """Images as they are, with and without scales."""
    paths = []
    for dtype in ["int8", "int64", "uint64", *INTEGERS, *REALS]:
        path = folder / f"plain-{dtype}.fits"
        fits.HDUList([fits.PrimaryHDU(pixels(dtype), header()), fits.ImageHDU(pixels(dtype), header())]).writeto(path)
        paths.append(path)
    for name, cards in [("scaled", {"BSCALE": 0.25, "BZERO": 12.5}), ("blank", {"BLANK": 60}), ("both", {"BSCALE": 2.0, "BZERO": 1.0, "BLANK": 61})]:
        for dtype in ["uint8", "int16", "int32"]:
            path = folder / f"plain-{name}-{dtype}.fits"
            hdu = fits.PrimaryHDU(pixels(dtype))
            hdu.writeto(path)
            # astropy would apply the scale when it writes: the cards are added to the bytes.
            raw = bytearray(path.read_bytes())
            end = raw.index(b"END" + b" " * 77)
            for keyword, value in cards.items():
                raw[end : end + 80] = f"{keyword:<8}= {value:>20}".ljust(80).encode()
                end += 80
            raw[end : end + 80] = b"END".ljust(80)
            path.write_bytes(raw)
            paths.append(path)
    return paths


def table(*more: fits.Column) -> fits.BinTableHDU:
    random = np.random.default_rng(5)
    rows = 300
    columns = [
        fits.Column("ID", "J", array=np.arange(rows)),
        fits.Column("SHORT", "I", array=np.arange(rows) % 7 - 3),
        fits.Column("BYTE", "B", array=np.arange(rows) % 250),
        fits.Column("LONG", "K", array=np.arange(rows) * 2**33),
        fits.Column("X", "E", unit="pix", array=random.normal(size=rows)),
        fits.Column("POSITION", "2D", array=random.normal(size=(rows, 2))),
        fits.Column("NAME", "8A", array=[f"star {row}" for row in range(rows)]),
        fits.Column("GOOD", "L", array=np.arange(rows) % 2 == 0),
        fits.Column("FLAGS", "13X", array=random.random((rows, 13)) > 0.5),
        fits.Column("NEAR", "PJ()", array=[np.arange(60 * (row % 3), dtype="i4") // 4 for row in range(rows)]),
        fits.Column("CURVE", "PE()", array=[np.arange(row % 50, dtype="f4") // 8 for row in range(rows)]),
        fits.Column("RUN", "PI()", array=[np.arange(row % 40, dtype="i2") // 8 for row in range(rows)]),
        fits.Column("TEXT", "PB()", array=[np.arange(row % 60, dtype="u1") // 9 for row in range(rows)]),
    ]
    return fits.BinTableHDU.from_columns([*columns, *more], name="CAT")


def by_fpack(folder: Path) -> list[Path]:
    """Files as observatories pack them: an image with a table, a mask and another image behind it."""
    paths = []

    def pack(name: str, data: np.ndarray, *options: str, behind: bool = True) -> None:
        path = folder / f"fpack-{name}.fits"
        # The image is the primary, so that a reader has to give it back its place.
        hdus = fits.HDUList([fits.PrimaryHDU(data, header())])
        if behind:
            for hdu in [table(), fits.ImageHDU(pixels("uint8"), name="BPM"), fits.ImageHDU(pixels("float32"), name="ERR")]:
                hdus.append(hdu)
        hdus.writeto(path, checksum=True)
        subprocess.run(["fpack", *options, path], check=True, capture_output=True)
        path.unlink()
        paths.append(path.with_name(f"{path.name}.fz"))

    for flag, dtype in itertools.product(["-r", "-h", "-g1", "-g2"], ["uint8", "int16", "uint16", "int32"]):
        pack(f"{flag[1:]}-{dtype}", pixels(dtype), flag)
    # A scale would make the second image of these too large for PLIO.
    pack("p-int16", pixels("int16") // 8, "-p", behind=False)
    for flag, dtype, quantised in itertools.product(["-r", "-g1", "-g2", "-h"], REALS, [["-q", "4"], ["-q0", "16"], ["-qz", "8"]]):
        data = pixels(dtype)
        data[9, :] = 0
        pack(f"{flag[1:]}-{dtype}{quantised[0]}", data, flag, *quantised)
    for flag, dtype in itertools.product(["-g1", "-g2"], REALS):
        pack(f"{flag[1:]}-{dtype}-exact", pixels(dtype), flag, "-q", "0")
    pack("w", pixels("float32"), "-w")
    pack("t", pixels("int16"), "-t", "20,10")
    pack("table", pixels("float32"), "-table")
    # funpack fails on complex columns: the table is compared with what it was made of.
    phase = np.arange(300) * (0.5 + 2j)
    columns = [fits.Column("PHASE", "C", array=phase), fits.Column("WAVE", "2M", array=np.stack([phase, -phase], axis=1))]
    original = folder / "fpack-complex.original"
    fits.HDUList([fits.PrimaryHDU(), table(*columns)]).writeto(original)
    subprocess.run(["fpack", "-tableonly", "-O", folder / "fpack-complex.fits.fz", original], check=True, capture_output=True)
    paths.append(folder / "fpack-complex.fits.fz")
    pack("lossy", pixels("int16"), "-h", "-s", "4")
    return paths


def make(folder: Path) -> list[Path]:
    """All of them."""
    return by_astropy(folder) + plain(folder) + by_fpack(folder)
