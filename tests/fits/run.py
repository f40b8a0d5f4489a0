"""What `holotype fits` makes of packed files, beside astropy and cfitsio's funpack.

The files are made here, by astropy and by fpack, in every codec, type of pixel, way of quantising and shape of tile; where the
folder of samples lies beside the checkout, its frames are compared too. Pixels must be the same bit for bit, types by name,
and unpacked files byte for byte but for the cards of the sums.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import makers
import numpy as np
from astropy.io import fits

SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "samples"
FOLDERS = ["archives/frames", "sessions/fitsio", "sessions/upstream"]


class Differs(Exception):
    """Ours is not what another program makes."""


def run(*words, check=True) -> subprocess.CompletedProcess:
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True)
    if check and done.returncode != 0:
        raise Differs(f"{' '.join(map(str, words))} ended with {done.returncode}: {done.stderr.strip()}")
    return done


def by_astropy(path: Path) -> list[dict]:
    """The figures of each image, as astropy decodes it."""
    images = []
    with fits.open(path, memmap=False) as hdus:
        # A compressed image that was the primary follows an empty one, which astropy shows as well.
        for index, hdu in enumerate(hdus):
            if not isinstance(hdu, (fits.PrimaryHDU, fits.ImageHDU, fits.CompImageHDU)) or hdu.data is None or hdu.data.size == 0:
                continue
            data = hdu.data
            little = np.ascontiguousarray(data.astype(data.dtype.newbyteorder("<")))
            if little.dtype.kind == "f":
                little[np.isnan(little)] = np.nan
            images.append(
                {
                    "index": index,
                    "shape": list(data.shape),
                    "dtype": data.dtype.name,
                    "nan": int(np.isnan(little).sum()) if little.dtype.kind == "f" else 0,
                    "sha256": hashlib.sha256(little.tobytes()).hexdigest(),
                }
            )
    return images


def by_us(holotype: str, path: Path) -> list[dict]:
    figures = json.loads(run(holotype, "fits", "stats", path, "--json").stdout)["hdus"]
    return [{key: image[key] for key in ("index", "shape", "dtype", "nan", "sha256")} for image in figures]


def parts(path: Path) -> list[tuple[list[bytes], bytes]]:
    """The cards, without sums, and the data of each HDU."""
    raw = path.read_bytes()
    found = []
    with fits.open(path, disable_image_compression=True, memmap=False) as hdus:
        for hdu in hdus:
            place = hdu.fileinfo()
            start, data, span = place["hdrLoc"], place["datLoc"], place["datSpan"]
            cards = [raw[at : at + 80] for at in range(start, data, 80)]
            found.append(([card for card in cards if not card.startswith((b"CHECKSUM", b"DATASUM"))], raw[data : data + span]))
    return found


def same_parts(ours: Path, theirs: Path) -> None:
    """Compares two files HDU by HDU. How far a header is filled up is of no meaning."""
    first, second = parts(ours), parts(theirs)
    if len(first) != len(second):
        raise Differs(f"{len(first)} HDUs, and {theirs.name} has {len(second)}")
    for index, ((our_cards, our_data), (their_cards, their_data)) in enumerate(zip(first, second)):
        our_cards, their_cards = ([card for card in cards if card.strip()] for cards in (our_cards, their_cards))
        if our_cards != their_cards:
            card = next((pair for pair in zip(our_cards, their_cards) if pair[0] != pair[1]), (len(our_cards), len(their_cards)))
            raise Differs(f"HDU {index}: the cards differ from those of {theirs.name}: {card}")
        if our_data != their_data:
            raise Differs(f"HDU {index}: the data differ from those of {theirs.name}")


def compare(holotype: str, path: Path, folder: Path, notes: list[str]) -> int:
    """Compares one file, and tells how many images it has."""
    ours, theirs = folder / f"{path.name}.ours", folder / f"{path.name}.theirs"
    expected = by_astropy(path)
    if (found := by_us(holotype, path)) != expected:
        raise Differs(f"{found} is not what astropy reads: {expected}")
    if path.suffix == ".fz":
        run(holotype, "fits", "unpack", path, "--output", ours)
        run(holotype, "fits", "verify", ours)
        for ours_plain, packed in zip(by_astropy(ours), expected, strict=True):
            if {**ours_plain, "index": 0} != {**packed, "index": 0}:
                raise Differs(f"astropy reads {ours_plain} from what was unpacked, and {packed} from what was packed")
        if (original := path.with_name(path.name.replace(".fits.fz", ".original"))).exists():
            same_parts(ours, original)
        funpack = run("funpack", "-O", theirs, path, check=False)
        if funpack.returncode == 0:
            same_parts(ours, theirs)
        else:
            notes.append(f"{path.name}: funpack gives up ({funpack.stderr.strip() or funpack.returncode}); astropy reads ours")
        for made in (ours, theirs):
            made.unlink(missing_ok=True)
    return len(expected)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--holotype", required=True, help="the program to test")
    holotype = str(Path(parser.parse_args().holotype).resolve())
    wrong, notes, images = [], [], 0
    with tempfile.TemporaryDirectory(prefix="holotype-fits-") as name, ThreadPoolExecutor(os.cpu_count()) as pool:
        folder = Path(name)
        (folder / "made").mkdir()
        paths = makers.make(folder / "made")
        made = len(paths)
        for samples in FOLDERS:
            if (SAMPLES / samples).is_dir():
                paths += sorted(path for path in (SAMPLES / samples).iterdir() if path.name.endswith((".fits", ".fits.fz")))
            else:
                print(f"skipped: {SAMPLES / samples} is not there")
        jobs = [(path, pool.submit(compare, holotype, path, folder, notes)) for path in paths]
        for path, job in jobs:
            try:
                images += job.result()
            except Differs as error:
                wrong.append(f"{path.name}: {error}")
    for note in sorted(notes):
        print(note)
    # A reader that fails says nothing about ours: it may do so for few files only.
    if len(notes) > len(paths) // 10:
        wrong.append(f"funpack gave up on {len(notes)} of {len(paths)} files")
    if wrong:
        sys.exit("\n".join(wrong))
    print(f"fits: {images} images in {len(paths)} files ({made} made here) are what astropy and funpack make of them")


if __name__ == "__main__":
    main()
