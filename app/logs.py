"""The log: one rotating file, on standard error too. A folder that cannot be written moves it to the data folder."""

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
    """UTC times, and no text from outside can begin a line of its own."""

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """The message on one line; a traceback follows on its own."""
        return super().formatMessage(record).replace("\r", "\\r").replace("\n", "\\n")


def start_logging(settings: Settings) -> Path:
    """Send the log to its file and to standard error; gives the file that is really written."""
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    console = logging.StreamHandler(sys.stderr)
    console.setFormatter(OneLineFormatter(_FORMAT))
    root.addHandler(console)
    try:
        file_handler = _open(settings.log_file)
        path = settings.log_file
    except OSError as error:
        path = settings.data_folder / "srt_streamer.log"
        file_handler = _open(path)
        logging.getLogger(__name__).warning(
            "log file not writable path=%s error=%r used=%s", settings.log_file, error.strerror, path
        )
    file_handler.setFormatter(OneLineFormatter(_FORMAT))
    root.addHandler(file_handler)
    return path


def _open(path: Path) -> RotatingFileHandler:
    path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    return RotatingFileHandler(path, maxBytes=FILE_BYTES_MAX, backupCount=FILES_KEPT, encoding="utf-8")
