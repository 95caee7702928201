"""The sources of a send stream's transport packets."""

from __future__ import annotations

from typing import Annotated, Literal

from app.domain import names
from app.domain.spec.endpoint import HostPort, Port
from app.domain.spec.fields import setting
from app.domain.spec.part import Part

BarsFormat = Literal["720p50", "1080i25"]
Protocol = Literal["udp", "rtp"]


class FileSource(Part, frozen=True, tag_field="kind", tag="file"):
    """A transport stream file; `path` is relative to the media folder, with `/` between folders."""

    path: Annotated[str, setting("File", "Path in the media folder", rule=names.problem_with_media_path)]
    loop: Annotated[
        bool,
        setting(
            "Loop", "Repeat the file. Without loop, it is played once; on a listener, from the first connection on"
        ),
    ] = True

    @property
    def is_live(self) -> bool:
        """False: a file waits for its reader."""
        return False

    def label(self) -> str:
        """The file's path."""
        return self.path


class MulticastSource(Part, frozen=True, tag_field="kind", tag="multicast"):
    """A group to join. `interface` is a name or `auto`; `source_ip` requests a source-specific join (RFC 4607)."""

    address: Annotated[str, setting("Group", "IPv4 multicast address", rule=names.problem_with_group)]
    port: Port
    interface: Annotated[
        str, setting("Interface", "Network interface to join on, or auto", rule=names.problem_with_interface)
    ] = "auto"
    protocol: Annotated[Protocol, setting("Protocol", "Plain UDP, or RTP (RFC 2250)")] = "udp"
    source_ip: Annotated[
        str | None,
        setting("Source address", "Only this sender (SSM, RFC 4607)", rule=names.problem_with_source_ip),
    ] = None

    @property
    def is_live(self) -> bool:
        """True: it arrives in real time, and its silence is a fault."""
        return True

    def label(self) -> str:
        """The group's address and port."""
        return str(HostPort(self.address, self.port))


class BarsSource(Part, frozen=True, tag_field="kind", tag="bars"):
    """Colour bars with name, clock and frame count, a 1 kHz tone, and a flash and a beep each second."""

    format: Annotated[
        BarsFormat,
        setting(
            "Format",
            "Colour bars with name, clock and frame count, 1 kHz tone; a flash with a beep each second",
        ),
    ] = "720p50"

    @property
    def is_live(self) -> bool:
        """False: the worker makes them itself."""
        return False

    def label(self) -> str:
        """The bars' format."""
        return f"bars {self.format}"


Source = FileSource | MulticastSource | BarsSource
