"""The log: one rotating file, and standard error. If its folder cannot be written, the file is in the data folder."""

from __future__ import annotations

import logging
import sys
import time
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final

from app.settings import Settings

FILE_BYTES_MAX: Final = 5 * 1024 * 1024
FILES_KEPT: Final = 5
_FORMAT: Final = "%(asctime)s %(levelname)s %(name)s %(message)s"


class OneLineFormatter(logging.Formatter):
    """Formats times in UTC, and lets no text from outside start a new line."""

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """Return the message on one line; a traceback follows on separate lines."""
        return super().formatMessage(record).replace("\r", "\\r").replace("\n", "\\n")


class LogFile(RotatingFileHandler):
    """The log's file. `problem` is what keeps it from being written, None if nothing does."""

    problem: str | None = None

    def flush(self) -> None:
        """Pass written text to the kernel."""
        super().flush()
        self.problem = None

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Remember that the disk refuses. The line is lost, and the caller continues."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            super().handleError(record)
            return
        self.problem = error.strerror or str(error)


class NoLogFile(logging.NullHandler):
    """Stands for a log file that could not be opened."""

    def __init__(self, problem: str) -> None:
        super().__init__()
        self.problem = problem


def start_logging(settings: Settings) -> Path | None:
    """Send the log to its file and to standard error. Return the file that is really written, None if there is none.

    If neither LOG_FILE nor the data folder can be written, the log goes to standard error only.
    """
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    console = logging.StreamHandler(sys.stderr)
    console.setFormatter(OneLineFormatter(_FORMAT))
    root.addHandler(console)
    logging.getLogger("alembic").setLevel(logging.WARNING)  # it logs at each start what it skipped
    problem = ""
    for path in (settings.log_file, settings.data_folder / "srt_streamer.log"):
        try:
            file = _open(path)
        except OSError as error:
            problem = error.strerror or str(error)
            logging.getLogger(__name__).warning("log file not writable path=%s error=%r", path, problem)
            continue
        file.setFormatter(OneLineFormatter(_FORMAT))
        root.addHandler(file)
        return path
    root.addHandler(NoLogFile(problem))
    return None


def log_problem() -> str | None:
    """Return why the log's file cannot be written, None if it can or if the log was not started."""
    handlers = logging.getLogger().handlers
    return next((handler.problem for handler in handlers if isinstance(handler, LogFile | NoLogFile)), None)


def _open(path: Path) -> LogFile:
    path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    return LogFile(path, maxBytes=FILE_BYTES_MAX, backupCount=FILES_KEPT, encoding="utf-8")
