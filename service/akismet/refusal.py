"""A request that the protocol refuses: the caller's fault, said in one line."""

from __future__ import annotations


class Refused(Exception):
    """The answer is ``invalid`` with the status 200, as the protocol has it.

    Parameters
    ----------
    debug_help : str
        One line of ASCII for ``X-akismet-debug-help``: which field, and what to do. Never quotes a value.
    """

    def __init__(self, debug_help: str) -> None:
        super().__init__(debug_help)
        self.debug_help = debug_help
