"""Serves the application with the fake manager of tests/web: `python -m tests.browser.demo_server PORT FOLDER [empty]`.

For looking at pages with every kind of stream in them; the browser tests start the same application in a thread.
"""

from __future__ import annotations

import sys
from pathlib import Path

from waitress import serve

from app import create_app
from app.domain.secret import Secret
from app.settings import Settings, make_folders
from tests.web.fake_manager import FakeManager
from tests.web.mixed_streams import mixed_log, mixed_streams


def main() -> None:
    port, folder = int(sys.argv[1]), Path(sys.argv[2])
    settings = Settings(
        secret_key=Secret("s" * 32),
        data_folder=folder / "data",
        runtime_folder=folder / "run",
        media_folder=folder / "media",
        log_file=folder / "log",
        database_url="sqlite://",
    )
    make_folders(settings)
    manager = FakeManager([] if "empty" in sys.argv else mixed_streams())
    manager.log = mixed_log(manager.list())
    serve(create_app(settings, manager=manager), host="127.0.0.1", port=port, threads=4)


if __name__ == "__main__":
    main()
