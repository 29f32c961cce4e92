"""Fitting on 200,000 comments: seconds and peak memory of features, one fit, and a calibrated fit.

Each step runs on what the step before made, in one process of its own, as ``python -m training fit`` does.
"""

from __future__ import annotations

import json
import os
import random
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.results import facts_line, machine_facts, table, write
from model.comment import Comment, Label, LabeledComment
from training import corpus, datasets
from training.fit import FitParams, fit_calibrated, fit_linear
from training.matrix import make_matrix

N_COMMENTS = 200_000
GOAL_S, GOAL_MB = 60, 2_000
_SHARE_CHANGED = 0.15
"""Of a resampled comment's words, how many are replaced by another comment's: no two rows are copies."""
_STEPS = ("features", "one fit", "calibrated fit")


def main(*, quick: bool = False) -> str:
    """Run, write the results, and return the table."""
    n_comments = 4_000 if quick else N_COMMENTS
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.fitting", str(n_comments)],
        cwd=Path(__file__).parents[1],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    measured: dict[str, Any] = json.loads(done.stdout)
    facts = machine_facts("numpy", "scipy", "scikit-learn", "joblib")
    # What a version costs: its features, and the calibrated fit, which contains the one fit.
    total_s = measured["features"]["seconds"] + measured["calibrated fit"]["seconds"]
    peak_mb = max(measured[step]["peak_mb"] for step in _STEPS)
    rows = [
        (step, f"{measured[step]['seconds']:.1f}", f"{measured[step]['peak_mb']:,.0f}") for step in _STEPS
    ]
    rows.append(("features and calibrated fit", f"{total_s:.1f}", f"{peak_mb:,.0f}"))
    markdown = (
        "# Fitting\n\n"
        f"{n_comments:,} comments, {measured['source']}: {measured['n_values']:,} values in the matrix. Peak memory is "
        "that of the process and its children at one moment, comments and libraries included "
        f"({measured['before_mb']:,.0f} MB before the first step). The calibrated fit is five fits: four for "
        "calibration, each without a quarter of the sources, and the one that ships.\n\n"
        + table(("step", "seconds", "peak MB"), rows)
        + f"\n\nGoal for {N_COMMENTS:,} comments on two cores: under {GOAL_S} s ({_met(total_s < GOAL_S, quick)}) and "
        f"under {GOAL_MB:,} MB ({_met(peak_mb < GOAL_MB, quick)}). Load of the machine at the end: "
        f"{os.getloadavg()[1]:.1f}.\n{facts_line(facts)}\n"
    )
    if not quick:
        write("fitting", {**measured, "n_comments": n_comments, "machine": facts}, markdown)
    return markdown


def _met(met: bool, quick: bool) -> str:
    return "too few to tell" if quick else "met" if met else "missed"


def measure(n_comments: int) -> dict[str, Any]:
    """Run the steps in this process."""
    params = FitParams()
    folder = os.environ.get("REPLYGUARD_CORPORA")
    comments = list(_varied(Path(folder), n_comments) if folder else _generated(n_comments))
    watch = _Memory()
    found: dict[str, Any] = {
        "source": "resampled from the corpora and varied" if folder else "generated",
        "before_mb": watch.now_mb(),
    }
    made: dict[str, Any] = {}

    def step(name: str, work: Callable[[], Any]) -> None:
        begun = time.perf_counter()
        with watch:
            made[name] = work()
        found[name] = {"seconds": time.perf_counter() - begun, "peak_mb": watch.peak_mb}

    step("features", lambda: make_matrix(comments, params.features))
    matrix = made["features"]
    found["n_values"] = int(matrix.rows.nnz)
    step("one fit", lambda: fit_linear(matrix, params))
    step("calibrated fit", lambda: fit_calibrated(matrix, params))
    return found


class _Memory:
    """Watches the resident memory of this process and its children, twenty times a second."""

    def __init__(self) -> None:
        self.peak_mb = 0.0
        self._end = threading.Event()

    def now_mb(self) -> float:
        """Return what is resident now, in MB; pages that two share count twice."""
        return sum(_resident_mb(pid) for pid in (os.getpid(), *_children(os.getpid())))

    def __enter__(self) -> None:
        self.peak_mb = 0.0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _watch(self) -> None:
        while True:
            self.peak_mb = max(self.peak_mb, self.now_mb())
            if self._end.wait(0.05):
                return


def _children(pid: int) -> Iterator[int]:
    try:
        found = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return
    for child in found:
        yield child
        yield from _children(child)


def _resident_mb(pid: int) -> float:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * resource.getpagesize() / 1e6


def _varied(folder: Path, n_comments: int) -> Iterator[LabeledComment]:
    """Draw comments from the corpora, as a fit would limit them, and change some words of each."""
    known = corpus.limit(corpus.deduplicate(datasets.read_folder(folder)), FitParams().limits, seed=0)
    chance = random.Random(0)
    for number in range(n_comments):
        row, other = chance.choice(known), chance.choice(known)
        words, spare = row.comment.body.split(" "), other.comment.body.split(" ")
        for at in range(len(words)):
            if chance.random() < _SHARE_CHANGED:
                words[at] = chance.choice(spare)
        yield replace(row, comment=replace(row.comment, body=" ".join(words)), id=f"varied/{number}")


def _generated(n_comments: int) -> Iterator[LabeledComment]:
    """Make comments of made-up words, half of them spam, of forty sites."""
    chance = random.Random(0)
    letters = "etaoinshrdlucmfwypvbgkjqxz"
    words = [
        "".join(chance.choices(letters, range(26, 0, -1), k=chance.randint(2, 10))) for _ in range(50_000)
    ]
    for number in range(n_comments):
        spam = number % 2 == 1
        # As in a language, few words make most of a text; each label has its own.
        chosen = [
            words[int(50_000 * chance.random() ** 4) - 300 * spam] for _ in range(chance.randint(5, 110))
        ]
        body = " ".join(chosen) + (
            f" http://{chosen[0]}.example/{chosen[1]}" if chance.random() < 0.3 else ""
        )
        yield LabeledComment(
            Comment(body=body, author=chance.choice(words)),
            Label.SPAM if spam else Label.HAM,
            source=f"site-{number // 2 % 40}",
            id=f"generated/{number}",
        )


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]))))
