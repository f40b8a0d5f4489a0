"""A science archive of the OCS kind for tests, in this process: lists frames, hands out their bytes, and misbehaves when asked to.

Only the standard library. Everything binds to 127.0.0.1.
"""

import collections
import hashlib
import json
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOKEN = "night-watch"


def record(number: int, name: str, content: bytes, base: str, **fields) -> dict:
    """A frame as the archive lists it; `fields` are the lower-case ones of an OCS archive."""
    basename = name.removesuffix(".fz").removesuffix(".gz").removesuffix(".fits")
    md5 = hashlib.md5(content).hexdigest()
    url = f"{base}data/{name}?X-Amz-Signature=secret-{number}&X-Amz-Expires=172800"
    version = {"id": number, "key": md5, "md5": md5, "extension": name[len(basename):], "url": url, "created": "2026-11-20T13:14:19.659530Z"}
    return {"id": number, "basename": basename, "filename": name, "url": url, "version_set": [version], "related_frames": [], **fields}


class Archive:
    """Frames by name, and how to misbehave about some of them."""

    def __init__(self, token: str | None = TOKEN):
        self.token, self.records, self.files = token, [], {}
        self.faults = collections.defaultdict(list)  # file name -> what happens to the next requests for it
        self.sent = collections.Counter()  # file name -> bytes; 'index' is no frame
        self.served = collections.Counter()  # file name -> answers that were sent to their end
        self.estimates = False  # count and next are the planner's guess
        self.cursors = True
        self.pause = 0.0  # seconds between two 64 KiB of a file
        self.closed = False  # lists are refused
        self.lists = 0
        self.server = _Server(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def add(self, name: str, content: bytes, **fields) -> dict:
        frame = record(len(self.records) + 1, name, content, self.url, **fields)
        self.records.insert(0, frame)
        self.files[name] = content
        return frame

    def replace(self, name: str, content: bytes) -> None:
        """The frame is reduced anew: the same name, other bytes."""
        index = next(index for index, frame in enumerate(self.records) if frame["filename"] == name)
        old = self.records[index]
        fields = {key: value for key, value in old.items() if key not in ("id", "basename", "filename", "url", "version_set", "related_frames")}
        self.records[index] = record(old["id"], name, content, self.url, **fields)
        self.files[name] = content

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        pass  # clients that are killed go away in the middle; that is what is tested


def _handler(archive: Archive):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def do_GET(self):
            split = urllib.parse.urlsplit(self.path)
            query = urllib.parse.parse_qs(split.query)
            if split.path == "/data/":
                return self.index()
            if split.path.startswith("/data/"):
                return self.file(urllib.parse.unquote(split.path.removeprefix("/data/")))
            if archive.token and self.headers.get("Authorization") != f"Token {archive.token}":
                return self.json(401, {"detail": "Invalid token."})
            if split.path == "/frames/" and archive.closed:
                return self.json(403, {"detail": "Closed for maintenance."})
            if split.path == "/frames/":
                return self.list({key: values[-1] for key, values in query.items()})
            parts = split.path.strip("/").split("/")
            if len(parts) == 2 and parts[0] == "frames":
                found = [frame for frame in archive.records if str(frame["id"]) == parts[1]]
                return self.json(200, found[0]) if found else self.json(404, {"detail": "No Frame matches the given query."})
            return self.json(404, {"detail": "Not found."})

        def list(self, query: dict):
            archive.lists += 1
            start, end = (query.get(key, "").removesuffix("Z")[:19] for key in ("start", "end"))
            found = [
                frame for frame in archive.records
                if (not start or frame["observation_date"][:19] >= start) and (not end or frame["observation_date"][:19] <= end)
                and query.get("proposal_id", frame["proposal_id"]) == frame["proposal_id"]
                and str(query.get("reduction_level", frame["reduction_level"])) == str(frame["reduction_level"])
            ]
            limit = min(int(query.get("limit", 100)), 1000)
            by_cursor = archive.cursors and query.get("pagination_style") == "cursor"
            offset = int(query.get("cursor" if by_cursor else "offset", 0))
            page = found[offset:offset + limit]
            rest = {key: value for key, value in query.items() if key not in ("offset", "cursor")}
            more = offset + limit < len(found)

            def link(key):
                return f"{archive.url}frames/?{urllib.parse.urlencode(rest | {key: offset + limit})}" if more else None

            if by_cursor:
                return self.json(200, {"next": link("cursor"), "previous": None, "results": page})
            guess = {"count": 5, "next": None, "count_estimated": True} if archive.estimates else {"count": len(found), "next": link("offset"), "count_estimated": False}
            return self.json(200, guess | {"previous": None, "results": page})

        def index(self):
            """The folder as nginx shows it."""
            lines = "".join(f'<a href="{name}">{name}</a>  15-Jul-2024 12:00  {len(content)}\r\n' for name, content in archive.files.items())
            page = f'<html><head><title>Index of /data/</title></head><body><h1>Index of /data/</h1><hr><pre><a href="../">../</a>\r\n{lines}</pre><hr></body></html>'
            self.bytes(200, page.encode(), "text/html", "index")

        def file(self, name: str):
            content = archive.files.get(name)
            if content is None:
                return self.json(404, {"detail": "no such object"})
            fault = archive.faults[name].pop(0) if archive.faults[name] else None
            if fault == "403":
                return self.json(403, {"detail": "Request has expired"})
            if fault == "429":
                return self.json(429, {"detail": "Request was throttled."}, {"Retry-After": "1"})
            if fault == "500":
                return self.json(500, {"detail": "oops"})
            if fault == "html":
                return self.bytes(200, b"<html><body>Please log in</body></html>", "text/html", name)
            if fault == "redirect":
                return self.json(302, {}, {"Location": "http://169.254.169.254/latest/meta-data/"})
            if fault == "corrupt":
                content = content[: len(content) // 2] + bytes(1000) + content[len(content) // 2 + 1000:]
            if fault == "endless":
                content = content + bytes(10_000_000)
            first, status, headers = 0, 200, {"ETag": f'"{hashlib.md5(content).hexdigest()}"', "Accept-Ranges": "bytes"}
            asked = self.headers.get("Range", "")
            if asked.startswith("bytes="):
                first = int(asked.removeprefix("bytes=").split("-")[0])
                if first >= len(content):
                    return self.json(416, {}, {"Content-Range": f"bytes */{len(content)}"})
                status, headers["Content-Range"] = 206, f"bytes {first}-{len(content) - 1}/{len(content)}"
            self.bytes(status, content[first:], "application/octet-stream", name, headers, cut=fault == "cut")

        def bytes(self, status, content, media_type, name, headers=None, cut=False):
            self.send_response(status)
            for key, value in {"Content-Type": media_type, "Content-Length": str(len(content)), **(headers or {})}.items():
                self.send_header(key, value)
            self.end_headers()
            if cut:
                content = content[: max(1, len(content) // 2)]
            for at in range(0, len(content), 65536):
                piece = content[at:at + 65536]
                self.wfile.write(piece)
                archive.sent[name] += len(piece)
                if archive.pause:
                    time.sleep(archive.pause)
            if cut:
                self.wfile.flush()
                self.close_connection = True
                self.connection.shutdown(2)
            else:
                archive.served[name] += 1

        def json(self, status, value, headers=None):
            content = json.dumps(value).encode()
            self.send_response(status)
            for key, text in {"Content-Type": "application/json", "Content-Length": str(len(content)), **(headers or {})}.items():
                self.send_header(key, text)
            self.end_headers()
            self.wfile.write(content)

    return Handler


def card(keyword: str, value) -> bytes:
    text = f"'{value}'".ljust(10) if isinstance(value, str) else {True: "T", False: "F"}.get(value, str(value)).rjust(20) if isinstance(value, bool) else str(value).rjust(20)
    return f"{keyword:<8}= {text}".ljust(80).encode()


def fits(seed: int, side: int = 64, **cards) -> bytes:
    """A small FITS image of 16-bit integers, different for each seed."""
    standard = [("SIMPLE", True), ("BITPIX", 16), ("NAXIS", 2), ("NAXIS1", side), ("NAXIS2", side)]
    header = b"".join(card(keyword, value) for keyword, value in [*standard, *cards.items()]) + b"END".ljust(80)
    stream = hashlib.shake_256(seed.to_bytes(8, "big")).digest(side * side * 2)
    pad = lambda block, fill: block + fill * (-len(block) % 2880)  # noqa: E731
    return pad(header, b" ") + pad(stream, b"\0")


def night(archive: Archive, count: int, proposal: str = "P1", side: int = 64, cameras=("fa15", "ep06", "sq32")) -> None:
    """Frames of a night, one a minute, as an e91 pipeline leaves them, of three targets and three cameras."""
    for number in range(count):
        camera, target = cameras[number % len(cameras)], f"TARGET-{number // 3 % 3}"
        date = f"2024-07-{14 + number // 1440:02d}T{number // 60 % 24:02d}:{number % 60:02d}:00"
        name = f"lsc1m005-{camera}-202407{14 + number // 1440:02d}-{number:04d}-e91.fits"
        content = fits(
            number, side, OBJECT=target, RA="17:47:03.3800", DEC="-34:11:21.100", FILTER="ip", INSTRUME=camera, SITEID="lsc", ENCID="doma",
            TELID="1m0a", PROPID=proposal, REQNUM="36001", **{"DATE-OBS": f"{date}.000"}, EXPTIME=60.0, AIRMASS=1.2345, OBSTYPE="EXPOSE", RLEVEL=91,
        )
        archive.add(
            name, content, observation_date=f"{date}Z", observation_day=date[:10], proposal_id=proposal, instrument_id=camera,
            target_name=target, reduction_level=91, site_id="lsc", telescope_id="1m0a", exposure_time=60.0, primary_optical_element="ip",
            public_date="2025-07-16T00:00:00Z", configuration_type="EXPOSE", observation_id=900000 + number, request_id=36001,
        )
