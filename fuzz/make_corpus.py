"""Makes the corpus that fuzzing begins with: small files of every kind, by astropy and fpack, and headers.

Run it in the environment of tests/fits when a kind is added: PYTHON fuzz/make_corpus.py. What it makes is committed, so that the test
that replays it needs neither.
"""

import subprocess
import tempfile
from pathlib import Path

import numpy as np
from astropy.io import fits

HERE = Path(__file__).resolve().parent / "corpus"
SLOPE = np.add.outer(5 * np.arange(8), 3 * np.arange(12)) + 100


def keep(path: Path, name: str) -> None:
    """A file without the filling of its last block, which no reader needs."""
    raw = path.read_bytes()
    with fits.open(path, disable_image_compression=True) as hdus:
        place, size = hdus[-1].fileinfo(), hdus[-1].size
    (HERE / "files" / name).write_bytes(raw[: place["datLoc"] + size])


def packed(folder: Path, name: str, data: np.ndarray, **options) -> None:
    path = folder / name
    fits.HDUList([fits.PrimaryHDU(), fits.CompImageHDU(data, **options)]).writeto(path)
    keep(path, name)


def images(folder: Path) -> None:
    reals = SLOPE * 0.7 + np.random.default_rng(1).normal(0, 2, SLOPE.shape)
    reals[2, 3] = np.nan
    for codec in ["RICE_1", "GZIP_1", "GZIP_2", "HCOMPRESS_1", "PLIO_1", "NOCOMPRESS"]:
        packed(folder, f"{codec}-int16", SLOPE.astype("int16"), compression_type=codec, tile_shape=(8, 12))
    packed(folder, "RICE_1-uint8", SLOPE.astype("uint8"), compression_type="RICE_1")
    packed(folder, "RICE_1-uint32", SLOPE.astype("uint32"), compression_type="RICE_1", tile_shape=(3, 5))
    packed(folder, "GZIP_1-int64", SLOPE.astype("int64") << 40, compression_type="GZIP_1")
    packed(folder, "smooth", SLOPE.astype("int16"), compression_type="HCOMPRESS_1", hcomp_scale=4, hcomp_smooth=1, tile_shape=(8, 12))
    for dither in [-1, 1, 2]:
        options = {"compression_type": "RICE_1", "quantize_method": dither, "quantize_level": 4, "dither_seed": 10}
        packed(folder, f"quantised{dither}", reals.astype("float32"), tile_shape=(8, 12), **options)
    packed(folder, "exact", reals, compression_type="GZIP_2", quantize_level=0)
    packed(folder, "cube", SLOPE.reshape(2, 4, 12).astype("int16"), compression_type="RICE_1", tile_shape=(2, 3, 5))
    for dtype in ["int8", "uint16", "int32", "uint64", "float32", "float64"]:
        path = folder / f"plain-{dtype}"
        fits.PrimaryHDU((SLOPE - 60).astype(dtype)).writeto(path, checksum=dtype == "uint16")
        keep(path, path.name)


def tables(folder: Path) -> None:
    # fpack leaves tables of less than two blocks as they are.
    rows = np.arange(150)
    columns = [
        fits.Column("ID", "J", array=rows),
        fits.Column("S", "I", array=rows),
        fits.Column("X", "2E", unit="pix", array=np.stack([rows, rows], axis=1) * 0.5),
        fits.Column("NAME", "5A", array=[f"s{row}" for row in rows]),
        fits.Column("GOOD", "L", array=rows % 2 == 0),
        fits.Column("BITS", "9X", array=np.zeros((150, 9), dtype=bool)),
        fits.Column("LIST", "PI()", array=[np.arange(30 * (row % 3), dtype="i2") // 8 for row in rows]),
        fits.Column("WIDE", "QD()", array=[np.arange(row % 3, dtype="f8") for row in rows]),
    ]
    path = folder / "table"
    fits.BinTableHDU.from_columns(columns).writeto(path)
    keep(path, "table")
    subprocess.run(["fpack", "-C", "-tableonly", "-O", folder / "table-packed", path], check=True, capture_output=True)
    keep(folder / "table-packed", "table-packed")
    path = folder / "table-text"
    text = [fits.Column("A", "I6", array=rows), fits.Column("B", "F8.3", array=rows * 0.25), fits.Column("C", "A4", array=["a"] * 150)]
    fits.TableHDU.from_columns(text).writeto(path)
    keep(path, "table-text")


def others(folder: Path) -> None:
    path = folder / "groups"
    data = fits.GroupData(np.ones((3, 1, 1, 2), dtype="float32"), parnames=["U", "V"], pardata=[[1, 2, 3]] * 2, bitpix=-32)
    fits.HDUList([fits.GroupsHDU(data)]).writeto(path)
    keep(path, "groups")
    path = folder / "packed-primary.fits"
    fits.HDUList([fits.PrimaryHDU(SLOPE.astype("int16")), fits.ImageHDU(SLOPE.astype("float32"), name="ERR")]).writeto(path)
    subprocess.run(["fpack", "-q", "4", "-O", folder / "packed-primary", path], check=True, capture_output=True)
    keep(folder / "packed-primary", "packed-primary")
    import gzip

    (HERE / "files" / "gzip").write_bytes(gzip.compress((folder / "plain-int8").read_bytes(), mtime=0))


def headers() -> None:
    cards = {
        "values": ["A       = 'it''s'  / text", "B       =                    T", "C       = -12", "D       = 1.5E3 / [s]", "E       = 2.5D-3", "F       = (1.0, -2)", "G       =", "H       = 123456789012345678901234567890"],
        "long": ["LONG    = 'once upon &'", "CONTINUE  'a time&' / it", "CONTINUE  '' / was", "COMMENT one", "HISTORY = two", "        three"],
        "hierarch": ["HIERARCH ESO DET CHIP1 GAIN = 1.2 / gain", "HIERARCH ESO NAME = 'x=y'", "hierarch low = 1"],
        "tan": ["CTYPE1  = 'RA---TAN'", "CTYPE2  = 'DEC--TAN'", "CRPIX1  = 50.0", "CRPIX2  = 60.0", "CRVAL1  = 266.4", "CRVAL2  = -29.0", "CD1_1   = -1.0E-4", "CD1_2   = 1.0E-6", "CD2_1   = 1.0E-6", "CD2_2   = 1.0E-4", "CUNIT1  = 'deg'", "CUNIT2  = 'deg'"],
        "sip": ["CTYPE1  = 'RA---TAN-SIP'", "CTYPE2  = 'DEC--TAN-SIP'", "CRPIX1  = 50.0", "CRPIX2  = 60.0", "CRVAL1  = 10.0", "CRVAL2  = 80.0", "CDELT1  = -1.0E-4", "CDELT2  = 1.0E-4", "PC1_1   = 1.0", "PC2_2   = 1.0", "A_ORDER = 2", "B_ORDER = 2", "A_2_0   = 1.0E-6", "B_0_2   = 1.0E-6", "AP_ORDER= 2", "BP_ORDER= 2", "AP_2_0  = -1.0E-6"],
        "rotated": ["CTYPE1  = 'DEC--TAN'", "CTYPE2  = 'RA---TAN'", "CROTA2  = 30.0", "CDELT1  = 0.01", "CDELT2  = 0.01", "LONPOLE = 180.0"],
    }
    for name, texts in cards.items():
        (HERE / "headers" / name).write_bytes("".join(f"{text:<80}" for text in texts).encode())


def main() -> None:
    for name in ["files", "headers"]:
        (HERE / name).mkdir(parents=True, exist_ok=True)
        for old in (HERE / name).iterdir():
            old.unlink()
    with tempfile.TemporaryDirectory() as name:
        for make in [images, tables, others]:
            make(Path(name))
    headers()


if __name__ == "__main__":
    main()
