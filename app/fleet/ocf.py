"""Exit codes of the Open Cluster Framework, and faults that carry such a code (OCF resource agent API 1.1)."""

from __future__ import annotations

from enum import IntEnum


class Code(IntEnum):
    """Exit codes for pacemaker. After ARGS, PERM and INSTALLED it tries other hosts, after CONFIGURED none."""

    SUCCESS = 0
    ERR_GENERIC = 1
    ERR_ARGS = 2
    ERR_UNIMPLEMENTED = 3
    ERR_PERM = 4
    ERR_INSTALLED = 5
    ERR_CONFIGURED = 6
    NOT_RUNNING = 7


class AgentFault(Exception):
    """Why an action failed; the text goes to pacemaker's log and to crm_mon."""

    def __init__(self, code: Code, text: str) -> None:
        super().__init__(text)
        self.code = code
