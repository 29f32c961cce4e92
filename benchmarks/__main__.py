"""``python -m benchmarks [NAME ...]``: runs those named, or the default ones; each writes to results/."""

from __future__ import annotations

import argparse
import importlib

BENCHMARKS = {
    "fitting": "seconds and memory of a fit on 200,000 comments",
    "http": "latency and throughput of comment-check over HTTP, against a no-op Flask endpoint",
    "importing": "comments a second and peak memory of `replyguard import` on a WordPress export",
    "scoring": "features, score and reasons of one comment, against scikit-learn's own pipeline",
    "servers": "the WSGI servers that could serve us, on the no-op endpoint and on the service",
}
"""Module of this package, with a ``main(quick=...)`` that returns tables, and what they tell."""
DEFAULT = ("scoring", "http")
"""What runs where none is named: it needs nothing but our own dependencies; ``servers`` compares
servers that must be installed first."""


def main() -> None:
    """Run benchmarks one after the other and print their tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Speed, as ratios.")
    # Not `choices`: argparse would refuse the empty list.
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help=f"one of: {', '.join(BENCHMARKS)}; default: {', '.join(DEFAULT)}",
    )
    parser.add_argument(
        "--quick", action="store_true", help="a short run, to see that it works; not for results"
    )
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.names) - set(BENCHMARKS))
    if unknown:
        parser.error(f"no such benchmark: {', '.join(unknown)}; there are: {', '.join(BENCHMARKS)}")
    for name in arguments.names or DEFAULT:
        print(f"# {name}: {BENCHMARKS[name]}\n")
        print(importlib.import_module(f"benchmarks.{name}").main(quick=arguments.quick))


if __name__ == "__main__":
    main()
