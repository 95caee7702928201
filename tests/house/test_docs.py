"""The documents say what the code does: every variable, route, figure, file and link."""

from __future__ import annotations

import re
import subprocess
from dataclasses import fields
from pathlib import Path
from typing import Any

import msgspec
import pytest
from prometheus_client import Metric

from app import create_app
from app.cli.commands import cli
from app.domain.figures import counters
from app.domain.figures.counters import ConnectionCounters, Counters
from app.domain.spec import parse_spec
from app.settings import Settings, read_settings
from app.srt.statistics import FIELDS
from app.web.presenters.host_metrics import HostCollector
from app.web.presenters.line_up_metrics import LineUpCollector
from app.web.presenters.metrics import StreamCollector
from app.web.presenters.peer_views import LastSecondView, PeerView
from app.web.presenters.stream_views import InputView, SecondView, TotalsView, WorkerView
from tests.instruments.specs import sent
from tests.web.fake_manager import FakeManager

ROOT = Path(__file__).parents[2]
KEY = "k" * 32


def documents() -> list[Path]:
    """Return every Markdown file that git knows."""
    names = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    found = [ROOT / name for name in names.splitlines()]
    assert ROOT / "README.md" in found
    return [path for path in found if "vendor" not in path.parts]


def text_of(name: str) -> str:
    return (ROOT / name).read_text()


def first_cells(name: str) -> list[str]:
    """Return the first cell of every table row."""
    return [line.split("|")[1].strip() for line in text_of(name).splitlines() if line.startswith("| `")]


def anchors_of(path: Path) -> set[str]:
    """Return the anchors of a document's headings, as forges make them."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_no_link_between_the_documents_is_dead() -> None:
    dead = []
    for path in documents():
        for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text()):
            if re.match(r"[a-z]+:", target):
                continue
            name, _, anchor = target.partition("#")
            place = path.parent / name if name else path
            if not place.exists() or (anchor and anchor not in anchors_of(place)):
                dead.append(f"{path.relative_to(ROOT)}: {target}")
    assert not dead


def test_every_picture_is_shown_by_a_document() -> None:
    shown = {Path(name).name for path in documents() for name in re.findall(r"!\[[^]]*\]\(([^)]+)\)", path.read_text())}
    assert {picture.name for picture in (ROOT / "docs" / "screenshots").iterdir()} - shown == set()


def test_every_environment_variable_is_documented_and_every_documented_one_is_read() -> None:
    read = {*(each.name.upper() for each in fields(Settings)), "XDG_RUNTIME_DIR"}
    assert read == {cell.strip("`") for cell in first_cells("docs/configuration.md")}


def test_the_documented_defaults_are_the_defaults() -> None:
    documented = dict(re.findall(r"^\| `([A-Z0-9_]+)` \| `([^`]+)` \|", text_of("docs/configuration.md"), re.MULTILINE))
    assert len(documented) >= 10
    assert read_settings({"SECRET_KEY": KEY, **documented}) == read_settings({"SECRET_KEY": KEY})


def test_every_route_is_documented_and_every_documented_one_is_served(tmp_path: Path) -> None:
    settings = read_settings({"SECRET_KEY": KEY, "DATA_FOLDER": str(tmp_path), "MEDIA_FOLDER": str(tmp_path)})
    app = create_app(settings, manager=FakeManager())
    served = {
        f"{method} {re.sub('<[a-z]+:', '<', rule.rule)}"
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.endpoint != "static"
    }
    documented = {cell.strip("`") for cell in first_cells("docs/api.md")}
    assert documented == served


@pytest.mark.parametrize("view", [PeerView, InputView, LastSecondView, TotalsView, WorkerView, SecondView])
def test_every_figure_is_documented(view: type[msgspec.Struct]) -> None:
    explained = set(re.findall(r"`(\w+)`", text_of("docs/statistics.md")))
    assert {field.name for field in msgspec.structs.fields(view)} - explained == set()


def test_every_libsrt_field_that_the_documents_name_exists() -> None:
    named = set(re.findall(r"`((?:pkt|byte|ms|mbps)[A-Z]\w+)`", text_of("docs/statistics.md")))
    assert "pktSentUniqueTotal" in named
    assert named <= set(FIELDS)


def test_every_metric_is_documented_and_every_documented_one_is_served() -> None:
    collectors = (StreamCollector([]), HostCollector([]), LineUpCollector([]))
    families: list[Metric] = [family for collector in collectors for family in collector.collect()]
    served = {family.name + ("_total" if family.type == "counter" else "") for family in families}
    documented = {cell.strip("`") for cell in first_cells("docs/statistics.md") if cell.startswith("`srt_")}
    # A counter stands in the table of counters once, under its field name.
    rows = set(first_cells("docs/statistics.md"))
    explained = {name for name in counters.values(Counters()) if f"`{counters.short_name(name)}`" in rows}
    documented |= {f"srt_stream_{name}" for name in explained}
    documented |= {f"srt_peer_{name}" for name in explained & set(counters.values(ConnectionCounters()))}
    assert documented == served


def test_every_source_file_that_the_architecture_names_exists() -> None:
    block = text_of("docs/architecture.md").split("## Layout")[1].split("```")[1]
    folders, missing = [ROOT], []
    for line in block.strip().splitlines():
        depth = (len(line) - len(line.lstrip())) // 2
        names = [name for name in re.split(r"\s{2,}|: ", line.strip())[0].split() if "." in name or "/" in name]
        folders = folders[: depth + 1]
        missing += [name for name in names if not any(folders[-1].glob(name.rstrip("/")))]
        if names and names[0].endswith("/"):
            folders.append(folders[-1] / names[0].rstrip("/"))
    assert not missing


def test_every_file_of_the_project_that_the_documents_name_exists() -> None:
    pattern = re.compile(r"(?<![\w/.])((?:deploy|scripts|docs|app)/[\w./-]*\w|(?:run|test|network-tuning)\.sh)")
    own = [path for path in documents() if path.name != "architecture.md"]
    named = {(path.name, name) for path in own for name in pattern.findall(path.read_text())}
    assert ("operating.md", "deploy/logrotate.conf") in named, "the pattern still finds how files are named"
    assert not [
        (page, name) for page, name in named if not (ROOT / name).exists() and not (ROOT / "docs" / name).exists()
    ]


def test_every_test_that_the_documents_name_exists() -> None:
    named = {
        match for path in documents() for match in re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?", path.read_text())
    }
    assert (
        "tests/campaigns/test_soak.py",
        "test_ten_streams_go_on_for_an_hour_without_drop_or_growth",
    ) in named
    missing = [(file, name) for file, name in named if not (ROOT / file).exists()]
    missing += [(file, name) for file, name in named - set(missing) if name and f"def {name}(" not in text_of(file)]
    assert not missing


def test_every_row_of_the_fault_campaign_names_its_test() -> None:
    campaign = text_of("docs/reliability.md").split("## The campaign")[1].split("\n## ")[0]
    rows = [line for line in campaign.splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 20
    assert not [row for row in rows if "`tests/" not in row]


def test_every_command_of_mcr_that_the_documents_name_exists() -> None:
    named = {name for path in documents() for name in re.findall(r"`(?:sudo )?mcr ([a-z-]+)", path.read_text())}
    named |= {name for path in documents() for name in re.findall(r"^(?:sudo )mcr ([a-z-]+)", path.read_text(), re.M)}
    assert {"check", "backup"} <= named
    assert named <= set(cli.commands)


def test_every_alert_is_explained_to_operators_and_every_explained_one_exists() -> None:
    alerts = set(re.findall(r"alert: (\w+)", text_of("deploy/prometheus/mcr-srt-streamer-alerts.yml")))
    explained = {cell.strip("`") for cell in first_cells("docs/operating.md") if cell.startswith("`Srt")}
    assert alerts == explained


def json_examples(name: str) -> list[Any]:
    blocks = re.findall(r"```json\n(.*?)```", text_of(name), re.DOTALL)
    return [msgspec.json.decode(block) for block in blocks if block.count("\n{") == 0 and "…" not in block]


def test_the_documented_stream_is_one_that_the_product_accepts() -> None:
    (example,) = [document for document in json_examples("docs/api.md") if "endpoint" in document]
    assert sent(parse_spec(example, listener_ports=range(10001, 10011))).latency_ms == 200
