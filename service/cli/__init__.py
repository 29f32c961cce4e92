"""The command line: ``replyguard``."""

from service.cli.main import main

__all__ = ["main"]
