"""``replyguard score``: judge the comments of a file without a server."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from model.classifier import SpamClassifier
from model.comment import Comment
from model.errors import ModelError
from model.flip import Flip
from model.verdict import Policy
from service.cli.run import read_settings
from service.cli.stop import StopCommand
from service.policy import PolicyOverrides
from service.startup import StartRefused, open_registry, seed_models

#: Lines that are judged before their verdicts are written.
_BATCH = 200
#: Longest line that is read, in bytes.
_MAX_LINE = 64 * 1024 * 1024
_GZIP_MAGIC = b"\x1f\x8b"


@click.command()
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option(
    "--flip", "with_flip", is_flag=True, help="Also tell the smallest change that would flip each verdict."
)
@click.option("--spans", "with_spans", is_flag=True, help="Also tell where in its field each reason stands.")
def score(file: Path, *, with_flip: bool, with_spans: bool) -> None:
    """Judge the comments of FILE (JSON Lines, plain or gzip; - for standard input).

    Each line is an object with "content" and, where known, "author", "author_email", "author_url", "site",
    "permalink", "post_title", "post_text", "tags", "comment_type", "user_agent", "referrer". For each a line
    is written with "id" (if given), "score", "verdict", "log_odds" (the score's), "bias", "reasons" and "model".
    The weights of the reasons and the bias add up to the log-odds. With --spans each reason has "spans":
    offsets of characters in the text of its field, half-open. With --flip there is "flip": the links,
    names, sentences or words that a person could leave out and the verdict would be another, and that score
    and verdict; null if nothing tried would do. A line that cannot be read is told of on standard error and
    left out; the exit code is then 1.
    """
    settings = read_settings()
    try:
        seed_models(settings)
        registry = open_registry(settings)
        scorer = registry.load(registry.champion())
    except (StartRefused, ModelError, OSError) as error:
        raise StopCommand(f"{error}; run `replyguard doctor`") from error
    overrides = PolicyOverrides(settings.unsure_from, settings.spam_from, settings.discard_from)
    try:
        with _open(file) as (lines, progress):
            n_bad = _score_lines(
                lines,
                scorer,
                overrides.over(scorer.policy),
                progress,
                with_flip=with_flip,
                with_spans=with_spans,
            )
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or f"the file is damaged: {error}"
        raise StopCommand(f"{file}: {reason}") from error
    if n_bad:
        raise StopCommand(f"{n_bad} line{'s' if n_bad > 1 else ''} could not be read; the rest is scored")


def _score_lines(
    lines: IO[bytes],
    scorer: SpamClassifier,
    policy: Policy,
    progress: _Bar,
    *,
    with_flip: bool,
    with_spans: bool,
) -> int:
    """Write a verdict per line, and return how many lines could not be read."""
    n_bad = 0
    batch: list[str] = []
    for number, line in enumerate(iter(lambda: lines.readline(_MAX_LINE), b""), start=1):
        progress.advance()
        if not line.strip():
            continue
        try:
            record = _parse(line)
            comment = Comment.from_record(record)
        except ValueError as error:
            n_bad += 1
            progress.tell(f"line {number}: {error}")
            continue
        verdict = scorer.judge(comment, policy)
        answer: dict[str, Any] = {"id": record["id"]} if "id" in record else {}
        answer |= {
            "score": round(verdict.score, 6),
            "verdict": verdict.decision.value,
            "log_odds": round(verdict.log_odds, 6),
            "bias": round(verdict.bias, 6),
            "reasons": [
                {"text": clue.text, "weight": round(clue.weight, 4), "field": clue.field}
                | ({"spans": clue.spans} if with_spans else {})
                for clue in verdict.clues
            ],
            "model": verdict.version,
        }
        if verdict.passage is not None:
            answer["passage"] = verdict.passage
        if with_flip:
            answer["flip"] = _as_record(scorer.smallest_flip(comment, policy))
        batch.append(json.dumps(answer, ensure_ascii=False))
        if len(batch) >= _BATCH:
            _write(batch)
    _write(batch)
    return n_bad


def _as_record(flip: Flip | None) -> dict[str, Any] | None:
    if flip is None:
        return None
    return {
        "remove": [
            {"kind": removal.kind, "text": removal.text, "field": removal.field, "spans": removal.spans}
            for removal in flip.removals
        ],
        "score": round(flip.score, 6),
        "verdict": flip.decision.value,
    }


def _parse(line: bytes) -> dict[str, Any]:
    try:
        record = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8; convert the file") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"it is not JSON: {error.msg} at column {error.colno}") from None
    except RecursionError:
        raise ValueError("its JSON is nested too deeply") from None
    if not isinstance(record, dict):
        raise ValueError('it is not a JSON object; write {"content": "..."}')
    return record


def _write(batch: list[str]) -> None:
    if batch:
        sys.stdout.buffer.write(("\n".join(batch) + "\n").encode("utf-8", "backslashreplace"))
        sys.stdout.buffer.flush()
        batch.clear()


class _Bar:
    """Progress on standard error if that is a terminal: by bytes where the size is known, and by lines."""

    _EVERY = 50

    def __init__(self, raw: IO[bytes], size: int | None) -> None:
        self._raw = raw
        self._size = size
        self._n_lines = 0
        self._progress = Progress(
            BarColumn(),
            TextColumn("{task.fields[lines]} comments"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
            disable=not sys.stderr.isatty(),
        )
        self._task = self._progress.add_task("score", total=size, lines=0)

    def __enter__(self) -> _Bar:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def advance(self) -> None:
        """Count one line."""
        self._n_lines += 1
        if self._n_lines % self._EVERY == 0:
            done = None if self._size is None else self._raw.tell()
            self._progress.update(self._task, completed=done, lines=self._n_lines)

    def tell(self, message: str) -> None:
        """Write a line to standard error, above the bar if there is one."""
        self._progress.console.print(message, markup=False, highlight=False, soft_wrap=True)


@contextlib.contextmanager
def _open(file: Path) -> Iterator[tuple[IO[bytes], _Bar]]:
    """Open a file or standard input, plain or gzip, whatever its name says."""
    with contextlib.ExitStack() as stack:
        raw: IO[bytes]
        size: int | None = None
        if str(file) == "-":
            raw = sys.stdin.buffer
        else:
            raw = stack.enter_context(file.open("rb"))
            size = file.stat().st_size
        head = raw.peek(2) if isinstance(raw, io.BufferedReader) else b""
        lines = raw
        if head.startswith(_GZIP_MAGIC):
            lines = cast("IO[bytes]", stack.enter_context(gzip.GzipFile(fileobj=raw)))
        yield lines, stack.enter_context(_Bar(raw, size))
