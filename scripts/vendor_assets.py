"""Re-creates the vendored browser files from their npm packages, as the manifests say.

    python3 scripts/vendor_assets.py           fetch all packages with npm and write files and SHA-256 sums
    python3 scripts/vendor_assets.py --check   fetch, and only report whether the files here are those of the packages

To take a new version, change `version` in a manifest.json and run the first. Files go in unchanged.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

PROJECT = Path(__file__).resolve().parent.parent
FOLDERS = (PROJECT / "app/static/vendor", PROJECT / "tests/browser/vendor")
NPM_TIMEOUT_S = 120


class Vendored(NamedTuple):
    """A file of a manifest: where it lies, and what is recorded of it."""

    path: Path
    record: dict[str, str]
    package: str


def listed(folder: Path, manifest: dict[str, Any]) -> Iterator[Vendored]:
    """Every file that a manifest names."""
    for name, entry in manifest.items():
        for target, record in entry["files"].items():
            yield Vendored(folder / name / target, record, f"{entry['package']}@{entry['version']}")


def read_package(package: str) -> dict[str, bytes]:
    """Fetch a package with npm and give its files by their path inside it."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            ["npm", "pack", "--silent", package],
            cwd=folder,
            check=True,
            timeout=NPM_TIMEOUT_S,
            stdout=subprocess.DEVNULL,
        )
        (archive,) = Path(folder).glob("*.tgz")
        with tarfile.open(archive) as opened:
            members = [member for member in opened.getmembers() if member.isfile()]
            contents = {member.name.partition("/")[2]: opened.extractfile(member) for member in members}
            return {name: content.read() for name, content in contents.items() if content is not None}


def sha256(content: bytes) -> str:
    """The sum as it is recorded."""
    return hashlib.sha256(content).hexdigest()


def main() -> int:
    """Fetch or check; gives the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing, exit 1 on a difference")
    only_check = parser.parse_args().check
    different = []
    for folder in FOLDERS:
        manifest_path = folder / "manifest.json"
        manifest = json.loads(manifest_path.read_text(encoding="utf-8"))
        packages: dict[str, dict[str, bytes]] = {}
        for file in listed(folder, manifest):
            if file.package not in packages:
                packages[file.package] = read_package(file.package)
            content = packages[file.package][file.record["from"]]
            if not file.path.is_file() or file.path.read_bytes() != content:
                different.append(file.path)
            if not only_check:
                file.path.parent.mkdir(parents=True, exist_ok=True)
                file.path.write_bytes(content)
                file.record["sha256"] = sha256(content)
        if not only_check:
            manifest_path.write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    for path in different:
        print(f"{'differs' if only_check else 'written'}: {path.relative_to(PROJECT)}")  # noqa: T201
    return 1 if only_check and different else 0


if __name__ == "__main__":
    sys.exit(main())
