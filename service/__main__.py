"""Lets ``python -m service`` stand for ``replyguard``."""

from service.cli import main

main()
