"""States and reasons in words, and the remedies."""

from __future__ import annotations

from typing import Final, assert_never

from app.domain.snapshot import Snapshot
from app.domain.spec import JobSpec, ReceiveSpec, RelaySpec, SendSpec
from app.domain.status import Order, Phase, Reason

# Each reason in a few words, and the remedy.
_REASONS: Final[dict[Reason, tuple[str, str]]] = {
    Reason.END_OF_FILE: ("end of file", "The file was played to its end. Start it again, or loop it."),
    Reason.NO_INPUT: (
        "no input",
        "No packets arrive from the source. Check the sender, and for multicast the group and the interface. Where a "
        "source address (source_ip) is set, packets from other addresses are discarded.",
    ),
    Reason.NO_ACKNOWLEDGEMENT: (
        "no acknowledgement",
        "The receiver is connected but acknowledges no packets. Check the return path and the receiver.",
    ),
    Reason.CONNECTION_TIMEOUT: (
        "no answer",
        "No answer from that address and port. Check both, that the far end listens, and that firewalls pass UDP.",
    ),
    Reason.CONNECTION_LOST: (
        "connection lost",
        "The far end went silent or closed the connection. The stream calls it again.",
    ),
    Reason.CONNECTION_REJECTED: (
        "refused by the far end",
        "The far end answers and refuses the call. Check its stream ID rules, and that it is a listener.",
    ),
    Reason.WRONG_PASSPHRASE: (
        "wrong passphrase",
        "The two ends have different passphrases. Compare them letter by letter.",
    ),
    Reason.PASSPHRASE_REQUIRED: (
        "passphrase at one end only",
        "One end encrypts and the other does not. Set the same passphrase at both ends, or at neither.",
    ),
    Reason.HOST_NOT_FOUND: ("host not found", "The name has no address. Check its spelling and this host's DNS."),
    Reason.NETWORK_UNREACHABLE: (
        "network unreachable",
        "This host has no route to the far end. Check routes and interfaces.",
    ),
    Reason.PORT_IN_USE: (
        "port in use",
        "Another program uses this UDP port. Choose another port, or end that program.",
    ),
    Reason.FILE_MISSING: ("file missing", "The file is no longer in the media folder."),
    Reason.FILE_UNREADABLE: (
        "file unreadable",
        "The user that runs this program may not read the file. Check its permissions.",
    ),
    Reason.FILE_CHANGED: ("file changed", "The file was changed or truncated while it played."),
    Reason.NOT_A_TRANSPORT_STREAM: ("not a transport stream", "The file has no MPEG transport stream packets."),
    Reason.NO_PCR: ("no PCR", "The transport stream carries no clock (PCR), so it cannot be paced."),
    Reason.SCRAMBLED: (
        "scrambled source",
        "The packets that carry the clock (PCR) are scrambled, and GStreamer discards scrambled packets. Choose the "
        "engine Direct, or send a clear copy of the programme.",
    ),
    Reason.RUNAWAY: (
        "output far too fast",
        "The stream sent data far faster than its source, so it was stopped before it could flood the network. Choose "
        "the engine Direct, remultiplex the source, or choose another source.",
    ),
    Reason.INTERFACE_MISSING: ("interface missing", "The network interface is gone. Choose another one."),
    Reason.TARGET_REFUSED: (
        "target refused",
        "A relay may not send to this target. RELAY_TARGETS lists the allowed networks.",
    ),
    Reason.BAD_OPTION: ("bad option", "libsrt rejected a setting; the debug view has its message."),
    Reason.MISSING_ELEMENT: (
        "GStreamer incomplete",
        "A part of GStreamer is not installed: its Python module gi (package python3-gi) or a plugin; the debug view "
        "names it. Run ./run.sh or scripts/packages.sh, or choose the engine Direct.",
    ),
    Reason.WORKER_CRASHED: (
        "worker crashed",
        "The worker process of the stream died. After three faults in a row it is not restarted: read the log, then "
        "start the stream again.",
    ),
    Reason.WORKER_HUNG: (
        "worker hung",
        "The worker process of the stream stopped responding and was ended. After three faults in a row it is not "
        "restarted: read the log, then start the stream again.",
    ),
    Reason.OUT_OF_MEMORY: (
        "out of memory",
        "The worker process of the stream reached its memory limit and was ended. It is restarted.",
    ),
    Reason.ENGINE_ERROR: ("engine error", "The engine reported an error; the debug view has its message."),
    Reason.PASSPHRASE_LOST: (
        "passphrase lost",
        "SECRET_KEY was changed, so the stored passphrase cannot be decrypted. Restore the old key, or enter "
        "the passphrase again with Edit.",
    ),
    Reason.NO_RUNTIME: (
        "runtime folder unusable",
        "No worker can be started: its socket cannot be made in RUNTIME_FOLDER. Check that the folder can be written "
        "and that its file system has room. The start is repeated automatically.",
    ),
    Reason.SPEC_UNREADABLE: (
        "stored settings unreadable",
        "Another version of this program stored this stream, or its record is damaged. The record stays unchanged: go "
        "back to that version, or remove the stream and start it again.",
    ),
    Reason.ORDER_LOST: (
        "order lost",
        "The store no longer has this stream. It stays on air until you stop it. Check DATA_FOLDER and "
        "DATABASE_URL; then start the stream again, so that it is stored.",
    ),
    Reason.MOVED: ("moved", "The cluster stopped the stream on this host and carries it on another one."),
}

_PHASES: Final = {
    Phase.STARTING: "Starting",
    Phase.WAITING: "Waiting",
    Phase.DELIVERING: "Delivering",
    Phase.STALLED: "Stalled",
    Phase.BACKING_OFF: "Retrying",
    Phase.STOPPING: "Stopping",
    Phase.STOPPED: "Stopped",
    Phase.FAILED: "Failed",
}


def phase_text(phase: Phase) -> str:
    """Return the phase as the lamp shows it."""
    return _PHASES[phase]


def reason_text(reason: Reason | None) -> str | None:
    """Return the reason in a few words, None without a reason."""
    return None if reason is None else _REASONS[reason][0]


def remedy_text(reason: Reason | None) -> str | None:
    """Return the remedy for the reason in a sentence or two, None without a reason."""
    return None if reason is None else _REASONS[reason][1]


def dscp_text(dscp: int) -> str:
    """Return a code point with its common name (RFC 2474, RFC 2597, RFC 3246): DSCP 34 (AF41)."""
    names = {46: "EF"} | {8 * number: f"CS{number}" for number in range(1, 8)}
    names |= {8 * group + 2 * drop: f"AF{group}{drop}" for group in range(1, 5) for drop in range(1, 4)}
    return f"DSCP {dscp} ({names[dscp]})" if dscp in names else f"DSCP {dscp}"


def interrupted_text(snapshot: Snapshot) -> str | None:
    """Say what a restart of a stream interrupts, and for which far ends; None if it interrupts nothing."""
    peers = [peer.address for peer in snapshot.sample.peers] if snapshot.sample else []
    if snapshot.status.order is not Order.RUN or not peers:
        return None
    word = _far_end_word(snapshot.spec)
    count = f"1 {word}" if len(peers) == 1 else f"{len(peers)} {word}s"
    verbs = "has" if len(peers) == 1 else "have"
    return f"{count} will be disconnected and {verbs} to reconnect: {', '.join(peers)}."


def _far_end_word(spec: JobSpec) -> str:
    match spec:
        case SendSpec():
            return "receiver"
        case ReceiveSpec():
            return "sender"
        case RelaySpec():
            return "caller"
        case _:
            assert_never(spec)
