"""The floors of the house: who may import whom, what a worker and the web process never load."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

from tests.house.parsed import tree_of

ROOT = Path(__file__).parents[2]
PRODUCT = [*sorted((ROOT / "app").rglob("*.py")), ROOT / "wsgi.py"]
DOMAIN = sorted((ROOT / "app" / "domain").rglob("*.py"))


def loaded_by(statement: str) -> set[str]:
    """Return the top-level packages that a fresh interpreter has loaded after a statement."""
    code = (
        f"{statement}\nimport json, sys\nprint(json.dumps(sorted({{name.partition('.')[0] for name in sys.modules}})))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert answer.returncode == 0, answer.stderr
    return set(json.loads(answer.stdout.splitlines()[-1]))


def imports_of(path: Path) -> set[str]:
    """Return every module that a file imports anywhere, functions included."""
    found = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def test_imports_go_down_the_floors_only() -> None:
    checked = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_a_worker_loads_neither_the_web_nor_what_reads_the_machine() -> None:
    loaded = loaded_by("import app.worker.worker")
    assert not loaded & {"flask", "werkzeug", "jinja2", "waitress", "psutil", "requests", "sqlalchemy", "numpy"}


def test_the_web_process_never_loads_gstreamer() -> None:
    loaded = loaded_by("import wsgi")
    assert "flask" in loaded
    assert "gi" not in loaded


def test_mcr_loads_a_database_only_for_a_command_that_reads_one() -> None:
    loaded = loaded_by("import app.cli.commands")
    assert "click" in loaded
    assert not loaded & {"sqlalchemy", "alembic", "psycopg", "flask"}


def test_the_domain_loads_nothing_but_msgspec() -> None:
    modules = [path.stem for path in DOMAIN if path.parent.name == "domain" and path.stem != "__init__"]
    own = loaded_by(f"from app.domain import {', '.join(modules)}")
    third_party = own - set(sys.stdlib_module_names) - loaded_by("pass")
    assert third_party <= {"app", "msgspec", "typing_extensions"}  # the last is msgspec's own


def test_nobody_outside_the_engine_imports_it_or_gstreamer() -> None:
    outside = [path for path in PRODUCT if not {"engines", "worker"} & set(path.parts)]
    engines = {
        (path.relative_to(ROOT).as_posix(), name)
        for path in outside
        for name in imports_of(path)
        if name == "gi" or name.startswith(("gi.", "app.engines"))
    }
    assert len(outside) > 300
    assert engines == set()


def test_one_file_imports_gstreamer() -> None:
    importers = [path.name for path in PRODUCT if any(name.split(".")[0] == "gi" for name in imports_of(path))]
    assert importers == ["gst.py"]


def test_the_domain_does_no_input_or_output_and_reads_no_clock() -> None:
    forbidden = {"os", "time", "socket", "logging", "subprocess", "threading", "random", "io"}
    # A `Random` with its own seed is a pure value; the module's functions share a hidden state.
    seeded = {"random", "random.Random"}
    found = {path.name: imports_of(path) for path in DOMAIN}
    pure = {name: names - seeded if "random.Random" in names else names for name, names in found.items()}
    assert not {name: names & forbidden for name, names in pure.items() if names & forbidden}
    assert not {name for name, names in pure.items() if any(one.startswith("random.") for one in names)}
    clocks = {"now", "utcnow", "today"}
    readers = [
        path.name
        for path in DOMAIN
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in clocks
    ]
    assert not readers


def test_a_broad_exception_has_four_homes() -> None:
    homes = {
        path.relative_to(ROOT).as_posix()
        for path in PRODUCT
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or (isinstance(node.type, ast.Name) and node.type.id in ("Exception", "BaseException")))
    }
    assert homes <= {
        "app/supervisor/thread.py",
        "app/worker/worker.py",
        "app/web/errors.py",
        "app/srt/callbacks.py",
    }


def test_every_module_says_what_it_is() -> None:
    assert not [path for path in PRODUCT if not ast.get_docstring(tree_of(path))]
