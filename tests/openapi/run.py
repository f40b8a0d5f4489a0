"""The OpenAPI document that a server answers is valid, by a validator that knows nothing of us."""

import argparse
import sys
import tempfile
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import json  # noqa: E402

import servers  # noqa: E402
from openapi_spec_validator import validate  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--holotype", required=True, help="the program to test")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="holotype-openapi-") as name:
        server = servers.Holotype(arguments.holotype, Path(name) / "home")
        server.run("init")
        with server:
            document = json.load(urllib.request.urlopen(server.url + "openapi.json"))
    assert document["openapi"].startswith("3.1"), document["openapi"]
    validate(document)
    print(f"openapi: {len(document['paths'])} paths, valid {document['openapi']}")


if __name__ == "__main__":
    main()
