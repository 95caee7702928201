"""A stream manager for one test, with its own folders, store and media. Its workers are real or fake."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

from app.domain.secret import Secret
from app.domain.snapshot import Snapshot
from app.domain.spec import FileSource, ListenerEndpoint, SendSpec, Source
from app.media.library import MediaLibrary
from app.media.patience import PatientLibrary
from app.settings import Settings, make_folders
from app.store.store import Store
from app.stream_manager import StreamManager
from app.supervisor.launchers.local import WORKER_COMMAND, LocalLauncher
from tests.instruments.waiting import free_ports, wait_for

FILE = FileSource("bars.ts")


class OwnManager:
    """A manager with six free ports: `with OwnManager(command=FAKE) as own: own.manager.start(own.spec())`."""

    def __init__(
        self, *, media: Path | None = None, command: Sequence[str] = WORKER_COMMAND, max_streams: int = 3
    ) -> None:
        """Create the folders and the manager. `media` is copied to bars.ts; `command` starts a worker."""
        # A short path: the path of a Unix socket has 108 bytes at most.
        self.folder = Path(tempfile.mkdtemp(prefix="mcr-"))
        self.ports = tuple(free_ports(6))
        self.settings = Settings(
            secret_key=Secret("s" * 32),
            data_folder=self.folder / "data",
            runtime_folder=self.folder / "run",
            media_folder=self.folder / "media",
            log_file=self.folder / "log",
            database_url=f"sqlite:///{self.folder / 'store.sqlite3'}",
            listener_ports=self.ports,
            max_streams=max_streams,
        )
        make_folders(self.settings)
        if media is not None:
            shutil.copy(media, self.settings.media_folder / FILE.path)
        self._command = command
        self.manager = self.new_manager()

    def new_manager(self) -> StreamManager:
        """Return another manager on the same folders, as the next web process would create it."""
        return StreamManager(
            self.settings,
            LocalLauncher(self.settings.runtime_folder, command=self._command),
            PatientLibrary(MediaLibrary(self.settings.media_folder)),
            Store(self.settings.database_url, self.settings.secret_key),
        )

    def spec(self, *, port: int | None = None, source: Source = FILE, **fields: Any) -> SendSpec:
        """Return a valid spec for a listener; `port` is one of `ports`, by default the first."""
        endpoint = fields.pop("endpoint", ListenerEndpoint(port or self.ports[0]))
        return SendSpec(endpoint=endpoint, source=source, **fields)

    def wait(self, key: str, condition: Callable[[Snapshot], Any], *, deadline_s: float = 10) -> Snapshot:
        """Wait until a stream satisfies `condition`, and return its snapshot."""

        def holds() -> Snapshot | None:
            seen = self.manager.get(key)
            return seen if condition(seen) else None

        try:
            found = wait_for(holds, deadline_s=deadline_s, what="the condition on a stream")
        except AssertionError as error:
            raise AssertionError(f"{error}; last {self.manager.get(key)}") from None
        assert found is not None
        return found

    def close(self) -> None:
        """Take all streams off air and remove the folders."""
        self.manager.shutdown()
        shutil.rmtree(self.folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
