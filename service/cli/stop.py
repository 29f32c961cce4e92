"""How a command gives up."""

from __future__ import annotations


class StopCommand(Exception):
    """A command cannot go on.

    Parameters
    ----------
    lines : str
        What to tell, on standard error.
    exit_code : int
        2 if what was asked for or set is wrong, 1 if the work could not be done.
    """

    def __init__(self, *lines: str, exit_code: int = 1) -> None:
        super().__init__(*lines)
        self.lines = lines
        self.exit_code = exit_code
