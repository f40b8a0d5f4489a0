"""Plain `requests` against `holotype serve` as an OCS science archive: the documented calls, over frames of this test's own.

On SQLite with a directory and on PostgreSQL with an S3 bucket, with users. Where the recorded frames are at hand
(../shared/samples), packed ones are unpacked in a zip too.
"""

import argparse
import hashlib
import io
import json
import sys
import tempfile
import zipfile
from pathlib import Path

import requests

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import servers  # noqa: E402
from run import configuration  # noqa: E402

SAMPLES = HERE.parent.parent / "../shared/samples/archives/frames"

KEYS = {
    "id", "basename", "observation_date", "observation_day", "proposal_id", "instrument_id", "target_name", "reduction_level",
    "site_id", "telescope_id", "exposure_time", "primary_optical_element", "public_date", "configuration_type", "observation_id",
    "request_id", "version_set", "url", "filename", "DATE_OBS", "DAY_OBS", "PROPID", "INSTRUME", "OBJECT", "RLEVEL", "SITEID", "TELID",
    "EXPTIME", "FILTER", "L1PUBDAT", "OBSTYPE", "BLKUID", "REQNUM", "area", "related_frames",
}


def fits(cards: list[tuple[str, object]], fill: int) -> bytes:
    """A FITS file with one image of 48 times 60 bytes."""
    def written(value: object) -> str:
        if isinstance(value, bool):
            return f"{'T' if value else 'F':>20}"
        return f"'{value:<8}'" if isinstance(value, str) else f"{value:>20}"

    structure = [("SIMPLE", True), ("BITPIX", 8), ("NAXIS", 2), ("NAXIS1", 60), ("NAXIS2", 48)]
    header = "".join(f"{f'{keyword:<8}= {written(value)}':<80}" for keyword, value in structure + cards) + f"{'END':<80}"
    header += " " * (-len(header) % 2880)
    return header.encode() + bytes((pixel % 251) ^ fill for pixel in range(2880))


def observation(number: int, proposal: str = "LCO2024A-001", public: str = "2025-07-15T00:00:00", **others: object) -> list[tuple[str, object]]:
    cards = {
        "DATE-OBS": f"2024-07-15T01:{number:02}:00.000", "DAY-OBS": "20240714", "PROPID": proposal, "OBJECT": "MOA-2024-BLG-051",
        "INSTRUME": "fa15", "SITEID": "lsc", "TELID": "1m0a", "FILTER": "ip", "OBSTYPE": "EXPOSE", "RLEVEL": 91, "EXPTIME": 60.0,
        "BLKUID": 900_000 + number, "REQNUM": 3_600_001, "L1PUBDAT": public, "USERID": "astro1",
        "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRPIX1": 30.0, "CRPIX2": 24.0, "CRVAL1": 270.548, "CRVAL2": -28.978,
        "CD1_1": -0.0005, "CD1_2": 0.0, "CD2_1": 0.0, "CD2_2": 0.0005,
    }
    return list((cards | {keyword.replace("_", "-") if keyword == "DATE_OBS" else keyword: value for keyword, value in others.items()}).items())


class Archive:
    """The calls that the clients of such an archive make."""

    def __init__(self, url: str, token: str | None = None):
        self.url, self.session = url, requests.Session()
        if token:
            self.session.headers["Authorization"] = f"Token {token}"

    def get(self, path: str, status: int = 200, **parameters: object):
        answer = self.session.get(path if path.startswith("http") else self.url + path, params=parameters or None)
        assert answer.status_code == status, (path, parameters, answer.status_code, answer.text[:500])
        assert answer.headers["Content-Type"] == "application/json", answer.headers
        return answer.json()

    def names(self, **parameters: object) -> list[str]:
        page = self.get("frames/", **parameters)
        assert page["count_estimated"] is False and (page["next"] or page["count"] >= len(page["results"])), page
        return [frame["basename"] for frame in page["results"]]


def ingest(server: servers.Holotype, folder: Path) -> None:
    folder.mkdir()
    for number in range(7):
        cards = observation(number) + [("L1IDBIAS", "bias.fits")]
        (folder / f"f{number}.fits").write_bytes(fits(cards, number))
    (folder / "secret.fits").write_bytes(fits(observation(20, "LCO2024A-002", "2099-01-01T00:00:00"), 20))
    (folder / "bias.fits").write_bytes(fits(observation(30, "calibrate", OBSTYPE="BIAS", OBJECT="N/A", EXPTIME=0.0), 30))
    server.run("archive", "ingest", str(folder))
    again = [json.loads(line) for line in server.run("--json", "archive", "ingest", str(folder)).stdout.splitlines()]
    assert len(again) == 9 and not any(line["stored"]["new_version"] for line in again), again


def lists(anyone: Archive, member: Archive) -> None:
    first = member.get("frames/", limit=4, start="2024-07-14T00:00:00", end="2024-07-18T00:00:00")
    assert first["count"] == 9 and first["previous"] is None and first["count_estimated"] is False, first
    assert set(first["results"][0]) == KEYS, set(first["results"][0]) ^ KEYS
    seen, page = [], first
    while True:
        seen += [frame["basename"] for frame in page["results"]]
        if not page["next"]:
            break
        page = member.get(page["next"])
    assert seen == ["bias", "secret", *(f"f{number}" for number in reversed(range(7)))], seen
    walked, page = [], member.get("frames/", limit=4, pagination_style="cursor")
    while True:
        assert "count" not in page
        walked += [frame["basename"] for frame in page["results"]]
        if not page["next"]:
            break
        page = member.get(page["next"])
    assert walked == seen, walked
    assert len(anyone.names()) == 8 and "secret" not in anyone.names()
    assert member.names(public="false") == ["secret"] and anyone.names(public="false") == []
    print("  ok lists by number and by place, for anyone and for members", flush=True)


def filters(archive: Archive) -> None:
    for parameters, count in [
        ({"basename": "F1"}, 1), ({"basename_exact": "f1"}, 1), ({"basename_exact": "F1"}, 0), ({"PROPID": "LCO2024A-001"}, 7),
        ({"proposal_id": "calibrate"}, 1), ({"RLEVEL": 91}, 8), ({"reduction_level": 0}, 0), ({"exclude_OBSTYPE": ["BIAS", "DARK"]}, 7),
        ({"include_configuration_type": "BIAS"}, 1), ({"exclude_calibrations": "true"}, 7), ({"EXPTIME": 60}, 7), ({"target_name": "moa"}, 7),
        ({"empty_target_name": "true"}, 1), ({"DAY_OBS": "2024-07-14"}, 8), ({"covers": "POINT(270.548 -28.978)"}, 8),
        ({"covers": "POINT(-89.452 -28.978)"}, 8), ({"covers": "POINT(90 28)"}, 0), ({"submitter": "astro1"}, 8), ({"site_id": "lsc"}, 8),
        ({"intersects": "POLYGON((270 -29.1,270.7 -29.1,270.7 -28.8,270 -28.8,270 -29.1))"}, 8), ({"nonsense": 1}, 8),
        ({"request_id": 3_600_001}, 8), ({"observation_id": 900_003}, 1), ({"start": "2024-07-15T01:05:00", "end": "2024-07-15T01:06:00"}, 2),
    ]:
        names = archive.names(**parameters)
        assert len(names) == count, (parameters, names)
    assert archive.names(ordering="basename", limit=2) == ["bias", "f0"]
    assert "related_frames" not in archive.get("frames/", include_related_frames="false")["results"][0]
    thumbnails = archive.get("frames/", basename_exact="f1", include_thumbnails="true")["results"][0]["thumbnails"]
    assert {thumbnail["size"] for thumbnail in thumbnails} == {"small", "large"}, thumbnails
    assert requests.get(thumbnails[0]["url"]).content.startswith(b"\xff\xd8")
    window = archive.get("frames/aggregate/", start="2024-07-14", end="2024-07-16", public="true")
    assert window["obstypes"] == ["BIAS", "EXPOSE"] and set(window) == {
        "sites", "telescopes", "filters", "instruments", "obstypes", "proposals", "generated_at"}, window
    print("  ok filters, thumbnails, aggregates", flush=True)


def one_frame(archive: Archive, folder: Path) -> None:
    frame = archive.get("frames/", basename_exact="f3")["results"][0]
    assert archive.get(f"frames/{frame['id']}/")["basename"] == "f3"
    headers = archive.get(f"frames/{frame['id']}/headers/")["data"]
    assert headers["OBJECT"] == "MOA-2024-BLG-051" and headers["NAXIS1"] == 60 and headers["EXPTIME"] == 60.0, headers
    related = archive.get(f"frames/{frame['id']}/related/")
    assert [one["basename"] for one in related] == ["bias"] and frame["related_frames"] == [related[0]["id"]], related
    content = (folder / "f3.fits").read_bytes()
    version = frame["version_set"][0]
    assert version["md5"] == hashlib.md5(content).hexdigest() and version["extension"] == ".fits" and frame["filename"] == "f3.fits"
    whole = requests.get(frame["url"])
    assert whole.content == content and whole.headers["ETag"] == f'"{version["md5"]}"' and whole.headers["Accept-Ranges"] == "bytes"
    half = len(content) // 2
    rest = requests.get(frame["url"], headers={"Range": f"bytes={half}-", "If-Range": whole.headers["ETag"]})
    assert rest.status_code == 206 and content[:half] + rest.content == content, rest.headers
    assert requests.head(frame["url"]).headers["Content-Length"] == str(len(content))
    print("  ok one frame, its header, its relatives, its bytes by range", flush=True)


def errors(url: str, anyone: Archive, member: Archive) -> None:
    assert anyone.get("frames/", 400, start="yesterday", end="today") == {
        "start": ["Enter a valid date/time."], "end": ["Enter a valid date/time."]}
    assert anyone.get("frames/", 400, covers="POINT(oops)") == [
        "Error with covers query: Point must be specified with exact format 'POINT(RA DEC)'"]
    assert anyone.get("frames/aggregate/", 400, start="2024-07-14T00:00:00") == "both start & end must be specified"
    assert anyone.get("frames/99999999/", 404) == {"detail": "No Frame matches the given query."}
    secret = member.get("frames/", basename_exact="secret")["results"][0]
    assert anyone.get(f"frames/{secret['id']}/", 404) == {"detail": "No Frame matches the given query."}
    assert requests.get(secret["url"].split("?")[0]).status_code == 404 and requests.get(secret["url"]).status_code == 200
    assert requests.get(secret["url"] + "0").status_code == 403
    bad = requests.get(url + "frames/", headers={"Authorization": "Token wrong"})
    assert (bad.status_code, bad.json(), bad.headers["WWW-Authenticate"]) == (401, {"detail": "Invalid token."}, "Token")
    forbidden = {"detail": "You do not have permission to perform this action."}
    assert member.get("versions/", 403, md5="abc") == forbidden
    assert member.session.post(url + "frames/", json={}).json() == forbidden
    wrong = requests.post(url + "frames/zip/", json={"frame_ids": "x"})
    assert (wrong.status_code, wrong.json()) == (400, {"frame_ids": ['Expected a list of items but got type "str".']})
    print("  ok errors", flush=True)


def zips(url: str, member: Archive, token: str, folder: Path) -> None:
    frames = {frame["basename"]: frame["id"] for frame in member.get("frames/")["results"]}

    def members(**form: object) -> dict[str, bytes]:
        answer = requests.post(url + "frames/zip/", **form)
        assert answer.status_code == 200 and answer.headers["Content-Type"] == "application/zip", answer.text[:500]
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            assert archive.testzip() is None
            name = answer.headers["Content-Disposition"].removeprefix("attachment; filename=").removesuffix(".zip")
            assert name.startswith("ocs_archive_data-") and all(one.startswith(f"{name}/") for one in archive.namelist())
            return {one.removeprefix(f"{name}/"): archive.read(one) for one in archive.namelist()}

    ids = [frames["f1"], frames["secret"]]
    seen = members(json={"frame_ids": ids})
    assert seen == {"f1.fits": (folder / "f1.fits").read_bytes()}, "the secret is left out"
    assert set(members(data={"frame_ids": ids, "auth_token": token})) == {"f1.fits", "secret.fits"}
    too_many = requests.post(url + "frames/zip/", json={"frame_ids": list(range(11)), "uncompress": True})
    assert too_many.status_code == 400 and too_many.json()["non_field_errors"], too_many.text
    print("  ok zips", flush=True)


def samples(server: servers.Holotype, admin: Archive) -> None:
    packed = SAMPLES / "lsc1m005-fa15-20240714-0100-e91.fits.fz"
    if not packed.exists():
        print(f"  skipped: {packed} is not here", flush=True)
        return
    server.run("archive", "ingest", str(packed))
    frame = admin.get("frames/", basename_exact=packed.name.removesuffix(".fits.fz"))["results"][0]
    for options, name in [({"uncompress": True}, f"{frame['basename']}.fits"), ({"catalog_only": True}, f"{frame['basename']}-catalog.fits"),
                          ({}, packed.name)]:
        answer = admin.session.post(admin.url + "frames/zip/", json={"frame_ids": [frame["id"]], **options})
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            assert archive.testzip() is None and [one.split("/")[1] for one in archive.namelist()] == [name], archive.namelist()
            content = archive.read(archive.namelist()[0])
            assert content.startswith(b"SIMPLE") and len(content) % 2880 == 0 and (options or content == packed.read_bytes())
            assert not options.get("catalog_only") or len(content) == 11520, len(content)
    print("  ok a packed frame, unpacked and cut to its catalogue in zips", flush=True)


def account(url: str, archive: Archive) -> None:
    refused = requests.post(url + "api-token-auth/", data={"username": "astro1", "password": "x"})
    assert (refused.status_code, refused.json()) == (400, {"non_field_errors": ["Unable to log in with provided credentials."]})
    assert requests.get(url + "profile/").json() == {"username": "", "profile": {}, "is_staff": False}
    profile = archive.get("profile/")
    assert profile["username"] == "astro1" and "LCO2024A-002" in profile["profile"]["proposals"] and profile["is_staff"] is False, profile
    assert requests.get(url + "health/").json() == "ok"
    root = requests.get(url, headers={"Accept": "application/json"}).json()
    assert root["frames"] == url + "frames/" and requests.get(root["frames"]).status_code == 200, root
    print("  ok account, profile, root, health", flush=True)


def exercise(server: servers.Holotype, folder: Path) -> None:
    server.run("user", "create", "operator")
    operator = server.json("token", "create", "tests", "--user", "operator")["token"]
    server.run("user", "create", "astro1", "--password-file", "-", input="pw-astro1\n")
    server.run("project", "create", "LCO2024A-002")
    server.run("project", "grant", "LCO2024A-002", "astro1", "viewer")
    ingest(server, folder)
    token = requests.post(server.url + "api-token-auth/", data={"username": "astro1", "password": "pw-astro1"}).json()["token"]
    anyone, member, admin = Archive(server.url), Archive(server.url, token), Archive(server.url, operator)
    lists(anyone, member)
    filters(anyone)
    one_frame(anyone, folder)
    errors(server.url, anyone, member)
    zips(server.url, member, token, folder)
    samples(server, admin)
    account(server.url, member)
    log = server.log.read_text(errors="replace")
    assert "signature=" not in log and token not in log, "a secret is in the log"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--holotype", required=True, help="the program to test")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="holotype-archive-") as name:
        folder = Path(name)
        with servers.moto(folder) as endpoint:
            for engine in ("sqlite", "postgres"):
                print(f"archive: {engine}", flush=True)
                settings = configuration(engine, endpoint) | {"HOLOTYPE_LOG_FILTER": "debug,sqlx=info"}
                server = servers.Holotype(arguments.holotype, folder / engine, settings)
                server.run("init")
                with server:
                    exercise(server, folder / f"{engine}-frames")
    print("archive: all passed", flush=True)


if __name__ == "__main__":
    main()
