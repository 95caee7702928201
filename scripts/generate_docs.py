"""Write the tables of the documentation that are made from the code: `make docs`.

A table stands between two marks, `<!-- generated: NAME -->` and `<!-- end of NAME -->`; the rest of a page is typed.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import msgspec

ROOT: Final = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from app.cli.spec_options import option_of  # noqa: E402 - the path comes first
from app.domain.spec import (  # noqa: E402
    BarsSource,
    CallerEndpoint,
    Encryption,
    FileSource,
    ListenerEndpoint,
    MulticastSource,
    ReceiveSpec,
    SendSpec,
)
from app.domain.spec.fields import Setting, settings_of  # noqa: E402
from app.domain.spec.receive import Forward, Record  # noqa: E402

_PARTS: Final[dict[str, type[msgspec.Struct]]] = {
    "endpoint, listener": ListenerEndpoint,
    "endpoint, caller": CallerEndpoint,
    "source, file": FileSource,
    "source, multicast": MulticastSource,
    "source, bars": BarsSource,
    "encryption": Encryption,
    "record": Record,
    "forward": Forward,
}


def spec_settings() -> Iterator[str]:
    """The settings of send and receive streams, and of the parts that both are made of."""
    yield "| Field | Default | Values | Option of `mcr` | What it sets |"
    yield "|---|---|---|---|---|"
    shared = settings_of(SendSpec).keys() & settings_of(ReceiveSpec).keys()
    for title, spec in (("send", SendSpec), ("receive", ReceiveSpec)):
        for name, setting in settings_of(spec).items():
            if name not in shared:
                yield _row(f"`{name}` ({title})", setting, f"`{option_of(setting)}`")
            elif spec is SendSpec:
                yield _row(f"`{name}`", setting, f"`{option_of(setting)}`")
    for title, part in _PARTS.items():
        for name, setting in settings_of(part).items():
            part_name, _, kind = title.partition(", ")
            yield _row(f"`{part_name}.{name}`{f' ({kind})' if kind else ''}", setting, "")


def _row(field: str, setting: Setting, option: str) -> str:
    values = setting.bounds_text() or ", ".join(f"`{choice}`" for choice in setting.choices) or setting.kind.value
    default = "" if setting.default is None else f"`{msgspec.json.encode(setting.default).decode()}`"
    about = f"{setting.title}: {setting.description}" if setting.description else setting.title
    return f"| {field} | {default} | {values} | {option} | {about.replace('<', chr(92) + '<')} |"


TABLES: Final[dict[Path, dict[str, Callable[[], Iterator[str]]]]] = {
    ROOT / "docs" / "stream-settings.md": {"settings of a stream": spec_settings},
}


def current(path: Path) -> str:
    """A page with its tables as the code makes them today."""
    text = path.read_text()
    for name, rows in TABLES[path].items():
        begin, end = f"<!-- generated: {name} -->\n", f"<!-- end of {name} -->"
        table = "\n".join(rows())
        pattern = re.escape(begin) + ".*?" + re.escape(end)
        new = f"{begin}{table}\n{end}".replace("\\", r"\\")
        text, found = re.subn(pattern, new, text, flags=re.DOTALL)
        if not found:
            raise SystemExit(f"{path}: there is no place for the table {name!r}")
    return text


def main() -> None:
    """Write every page that is not current."""
    for path in TABLES:
        if (text := current(path)) != path.read_text():
            path.write_text(text)
            print(f"written: {path.relative_to(ROOT)}")  # noqa: T201 - a command's output


if __name__ == "__main__":
    main()
