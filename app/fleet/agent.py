"""The resource agent `ocf:mcr:stream`: `python -m app.fleet.agent ACTION`, called by deploy/pacemaker/stream.

Pacemaker passes the parameters as OCF_RESKEY_* variables. None is a secret: the passphrase in `job` is encrypted.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from app.fleet.carrying import Carrier
from app.fleet.ocf import AgentFault, Code
from app.fleet.parcel import BadParcel, NoFleetKey, WrongFleetKey, read_fleet_key, unpack
from app.fleet.resources import key_of, missing_hosts, report_phase
from app.machine.steady_clock import process_age_s
from app.protocol import Job
from app.settings import BadSettings, Settings, make_folders, read_settings
from app.supervisor.launchers.local import LocalLauncher

SETTINGS_FILE: Final = "/etc/mcr-srt-streamer/environment"
# A host that is cut off stops its streams within this time, so that no stream is sent twice. See docs/fleet.md.
TAKEOVER_DELAY_S: Final = 3.0
_REASON: Final = "ocf-exit-reason:"  # pacemaker shows what follows as the reason of a failed action
_LINE: Final = re.compile(r"\s*(?:export\s+)?([A-Z][A-Z0-9_]*)=(.*)")


class Agent:
    """One call of the agent, by its environment."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        # An instance of a clone has a number: stream-abc:0.
        self._key = key_of(environ.get("OCF_RESOURCE_INSTANCE", "").partition(":")[0])
        self._settings = _settings_of(Path(environ.get("OCF_RESKEY_settings") or SETTINGS_FILE))

    def act(self, action: str) -> Code:
        """Carry out an action of pacemaker. Raises AgentFault."""
        self._become_the_service()
        carrier = Carrier(self._settings.runtime_folder, LocalLauncher(self._settings.runtime_folder))
        match action:
            case "start":
                return self._start(carrier)
            case "stop":
                carrier.stop(self._key)
                report_phase(self._key, None)
                return Code.SUCCESS
            case "monitor" | "status":
                return self._monitor(carrier)
            case "validate-all":
                self._job()
                return Code.SUCCESS
            case _:
                raise AgentFault(Code.ERR_UNIMPLEMENTED, f"the action {action!r} is not known")

    def _start(self, carrier: Carrier) -> Code:
        job = self._job()
        if missing := missing_hosts():
            # The missing host may be cut off, not dead. It then stops its streams itself: wait for that.
            sys.stderr.write(f"waiting {TAKEOVER_DELAY_S:g} s, because {', '.join(missing)} may still send\n")
            time.sleep(max(0.0, TAKEOVER_DELAY_S - process_age_s()))  # pacemaker decided before it called this program
        carrier.start(job, self._environ["OCF_RESKEY_job"])
        return Code.SUCCESS

    def _monitor(self, carrier: Carrier) -> Code:
        seen = carrier.look(self._key)
        is_permitted = carrier.is_permitted(self._key)
        if seen is not None and is_permitted:
            report_phase(self._key, seen.phase())
            return Code.SUCCESS
        if seen is not None:
            raise AgentFault(Code.ERR_GENERIC, "a worker of this stream runs here, but the cluster did not start it")
        if not is_permitted:
            return Code.NOT_RUNNING
        if not carrier.is_supervised():
            carrier.start_again(self._job())
        report_phase(self._key, "backing_off")
        return Code.SUCCESS

    def _job(self) -> Job:
        """Return the job to carry. Raises AgentFault when this host cannot carry it."""
        try:
            job = unpack(self._environ.get("OCF_RESKEY_job", ""), read_fleet_key(self._settings.fleet_key_file))
        except NoFleetKey as error:
            raise AgentFault(Code.ERR_PERM, str(error)) from None
        except WrongFleetKey:
            text = f"{self._settings.fleet_key_file} is not the key that the passphrase was encrypted with"
            raise AgentFault(Code.ERR_PERM, f"{text}; copy it from the host that ordered the stream") from None
        except BadParcel as error:
            text = f"the parameter job cannot be read by this version: {error}"
            raise AgentFault(Code.ERR_ARGS, f"{text}; order the stream again on a page or with mcr") from None
        if job.key != self._key:
            raise AgentFault(Code.ERR_ARGS, f"the parameter job belongs to stream {job.key}, not to {self._key}")
        if job.file_path is not None and not Path(job.file_path).is_file():
            raise AgentFault(Code.ERR_INSTALLED, f"{job.file_path} is not on this host; copy it there")
        return job

    def _become_the_service(self) -> None:
        """Change from root to the owner of the data folder: the web process adopts only workers of that user."""
        try:
            make_folders(self._settings)
            if os.geteuid() != 0:
                return
            owner = self._settings.data_folder.stat()
            if owner.st_uid == 0:
                return
            os.chown(self._settings.runtime_folder, owner.st_uid, owner.st_gid)
            os.initgroups(self._settings.data_folder.owner(), owner.st_gid)
            os.setgid(owner.st_gid)
            os.setuid(owner.st_uid)
        except (BadSettings, OSError, KeyError) as error:
            raise AgentFault(Code.ERR_INSTALLED, f"the folders of the service cannot be used: {error}") from None


def _settings_of(path: Path) -> Settings:
    """Return the settings of the service on this host. Raises AgentFault."""
    try:
        lines = [match for line in path.read_text().splitlines() if (match := _LINE.fullmatch(line))]
        return read_settings({match[1]: " ".join(shlex.split(match[2], comments=True)) for match in lines})
    except (OSError, ValueError) as error:
        raise AgentFault(Code.ERR_INSTALLED, f"the settings {path} cannot be read: {error}") from None
    except BadSettings as error:
        raise AgentFault(Code.ERR_INSTALLED, f"{path}: {error}") from None


def main() -> int:
    """Run one action and return pacemaker's exit code. Standard error says why it failed."""
    try:
        return Agent(os.environ).act(sys.argv[1] if len(sys.argv) == 2 else "")
    except AgentFault as fault:
        sys.stderr.write(f"{_REASON}{fault}\n")
        return fault.code
    except OSError as error:
        sys.stderr.write(f"{_REASON}{error}\n")
        return Code.ERR_GENERIC


if __name__ == "__main__":
    sys.exit(main())
