"""Peers made for mail: bogofilter and SpamProbe, run as their users run them, each comment a small mail."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model.comment import LabeledComment
from training import corpus
from training.peers import PeerFailedError, PeerUnavailableError, Places

_SEPARATOR = "From comment@example.invalid Thu Jan  1 00:00:00 1970\n"


def as_mail(row: LabeledComment) -> bytes:
    """Return a comment as one message of an mbox: the author in ``From``, the address on a line of its own."""
    comment = row.comment
    author = " ".join(comment.author.replace("\0", " ").split())
    url = " ".join(comment.url.replace("\0", " ").split())
    lines = comment.body.replace("\0", " ").splitlines()
    body = "\n".join(f">{line}" if line.startswith("From ") else line for line in lines)
    mail = (
        f"{_SEPARATOR}From: {author}\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n"
        f"Content-Transfer-Encoding: 8bit\n\nURL: {url}\n\n{body}\n\n"
    )
    return mail.encode("utf-8", "replace")


class MailFilter(ABC):
    """A filter of the command line that learns from two mailboxes and judges a third; takes no weights.

    Parameters
    ----------
    comments : sequence of LabeledComment

    Raises
    ------
    PeerUnavailableError
        If the program is not installed.
    """

    program: str
    fine: frozenset[int] = frozenset({0})
    """Exit statuses that do not mean a failure."""

    def __init__(self, comments: Sequence[LabeledComment]) -> None:
        if shutil.which(self.program) is None:
            raise PeerUnavailableError(f"no program {self.program}: install the Debian package of that name")
        self._mails = [as_mail(row) for row in comments]
        self._is_spam = corpus.labels(comments)

    @abstractmethod
    def learn(self, folder: Path, mailbox: Path, *, is_spam: bool) -> None:
        """Learn a mailbox of one label; ``folder`` keeps the words."""

    @abstractmethod
    def judge(self, folder: Path, mailbox: Path) -> list[float]:
        """Return the score of each message."""

    def scores(
        self, fitted: Places, weights: NDArray[np.float64], judged: Places
    ) -> Mapping[str, NDArray[np.float64]]:
        """Learn from an empty start, and score; mailboxes and words are gone afterwards."""
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "words").mkdir()
            for is_spam in (True, False):
                mailbox = self._write(folder / "learn.mbox", fitted[self._is_spam[fitted] == is_spam])
                self.learn(folder / "words", mailbox, is_spam=is_spam)
            found = self.judge(folder / "words", self._write(folder / "judge.mbox", judged))
        if len(found) != judged.size:
            raise PeerFailedError(f"{self.program} gave {len(found)} scores for {judged.size} messages")
        return {self.program: np.array(found, dtype=np.float64)}

    def run(self, *arguments: str) -> str:
        """Run the program and return what it printed."""
        result = subprocess.run([self.program, *arguments], capture_output=True, check=False)
        if result.returncode not in self.fine:
            # What it printed may quote a message.
            raise PeerFailedError(f"{self.program} ended with status {result.returncode}")
        return result.stdout.decode("utf-8", "replace")

    def _write(self, path: Path, places: Places) -> Path:
        with path.open("wb") as mailbox:
            mailbox.writelines(self._mails[place] for place in places.tolist())
        return path


class Bogofilter(MailFilter):
    """bogofilter with its own settings, printing scores to the last digit.

    References
    ----------
    G. Robinson, "A statistical approach to the spam problem", Linux Journal 107 (2003).
    """

    program = "bogofilter"
    # Spam, ham and unsure; 3 is an error.
    fine = frozenset({0, 1, 2})

    def learn(self, folder: Path, mailbox: Path, *, is_spam: bool) -> None:
        """Register the messages."""
        self.run("-C", "-d", str(folder), "-s" if is_spam else "-n", "-M", "-I", str(mailbox))

    def judge(self, folder: Path, mailbox: Path) -> list[float]:
        """Return the spamicity of each message."""
        printed = self.run("-C", "-d", str(folder), "-M", "-t", "--terse-format=%.16f", "-I", str(mailbox))
        return [float(line) for line in printed.split()]


class SpamProbe(MailFilter):
    """SpamProbe with its own settings, but for keeping letters outside ASCII.

    References
    ----------
    P. Graham, "A plan for spam" (2002).
    """

    program = "spamprobe"

    def learn(self, folder: Path, mailbox: Path, *, is_spam: bool) -> None:
        """Count the messages' words and pairs."""
        # -s 0: words are kept in memory until the end, which makes it fast and changes nothing else.
        self.run("-c", "-8", "-Y", "-s", "0", "-d", str(folder), "spam" if is_spam else "good", str(mailbox))

    def judge(self, folder: Path, mailbox: Path) -> list[float]:
        """Return the score of each message."""
        printed = self.run("-8", "-Y", "-s", "0", "-d", str(folder), "score", str(mailbox))
        return [float(line.split()[1]) for line in printed.splitlines()]
