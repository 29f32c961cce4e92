"""Latency and throughput of comment-check over HTTP, as a ratio to a no-op Flask endpoint.

Both run at the same time of day on the same server software with as many workers and threads, and are asked
by the same client in turns, so that what else the machine does weighs on both alike.
"""

from __future__ import annotations

import itertools
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import load, results
from benchmarks.processes import THREADS, WORKERS, free_port, plain_environment, running, running_service
from benchmarks.wordpress_requests import payloads
from benchmarks.wsgi_servers import gunicorn_gthread

PACKAGES = ("flask", "gunicorn", "numpy", "scikit-learn", "sqlalchemy", "werkzeug")
OURS = "comment-check"
Address = tuple[str, int]
MEASURES: dict[str, Callable[[load.Run], float]] = {
    "p50_ms": lambda run: run.percentile_ms(50),
    "p99_ms": lambda run: run.percentile_ms(99),
    "per_second": lambda run: run.per_second,
}


def measure_in_turns(
    addresses: dict[str, Address], *, concurrency: int, keep_alive: bool, rounds: int, seconds: float
) -> dict[str, list[load.Run]]:
    """Load each address in every round, one after the other, the first one changing from round to round."""
    requests = payloads(400, keep_alive=keep_alive)
    for address in addresses.values():
        load.run(address, requests, concurrency=concurrency, keep_alive=keep_alive, seconds=min(1.0, seconds))
    runs: dict[str, list[load.Run]] = {name: [] for name in addresses}
    order = list(addresses)
    for turn in range(rounds):
        for name in order[turn % len(order) :] + order[: turn % len(order)]:
            runs[name].append(
                load.run(
                    addresses[name],
                    requests,
                    concurrency=concurrency,
                    keep_alive=keep_alive,
                    seconds=seconds,
                )
            )
    return runs


def ratios(ours: list[load.Run], theirs: list[load.Run]) -> dict[str, list[float]]:
    """Return for each measure the median of ours/theirs over the rounds, then the lowest and the highest."""
    found = {}
    for name, measure in MEASURES.items():
        each = [measure(our) / measure(their) for our, their in zip(ours, theirs, strict=True)]
        found[name] = [round(float(value), 3) for value in (np.median(each), min(each), max(each))]
    return found


def medians(runs: list[load.Run]) -> dict[str, float]:
    """Return the median of each measure over the rounds, and how many requests there were in all."""
    found = {name: round(float(np.median([take(run) for run in runs])), 3) for name, take in MEASURES.items()}
    return found | {"n_requests": sum(len(run.latencies_s) for run in runs)}


@contextmanager
def running_all() -> Iterator[dict[str, Address]]:
    """Run the three endpoints side by side, each with as many workers and threads."""
    ports = {"no-op": free_port(), "no-op that records": free_port()}
    apps = {"no-op": "benchmarks.noop:app", "no-op that records": "benchmarks.recording:app"}
    with ExitStack() as held:
        folder = held.enter_context(tempfile.TemporaryDirectory())
        environment = plain_environment() | {"BENCHMARK_DATABASE": str(Path(folder, "bodies.db"))}
        for name, port in ports.items():
            held.enter_context(running(gunicorn_gthread(apps[name], port), port, environment))
        addresses = {name: ("127.0.0.1", port) for name, port in ports.items()}
        yield addresses | {OURS: held.enter_context(running_service())}


def main(*, quick: bool) -> str:
    """Measure, write the results, return the table."""
    rounds, seconds = (2, 0.5) if quick else (9, 3.0)
    measured: dict[str, Any] = {
        "machine": results.machine_facts(*PACKAGES),
        "workers": WORKERS,
        "threads": THREADS,
        "rounds": rounds,
        "seconds_per_round": seconds,
        "median_request_bytes": int(np.median([len(request) for request in payloads(400, keep_alive=True)])),
        "variants": [],
    }
    rows = []
    with running_all() as addresses:
        for keep_alive, concurrency in itertools.product((True, False), (1, 8)):
            runs = measure_in_turns(
                addresses, concurrency=concurrency, keep_alive=keep_alive, rounds=rounds, seconds=seconds
            )
            bodies = sum((run.bodies for run in runs[OURS]), Counter())
            if not set(bodies) <= {"true", "false", "unavailable"}:
                raise RuntimeError(f"the service answered {dict(bodies)}")
            variant = {
                "connections": "kept" if keep_alive else "new",
                "concurrency": concurrency,
                "bodies": dict(bodies),
                "medians": {name: medians(made) for name, made in runs.items()},
                "ratios": {name: ratios(runs[OURS], made) for name, made in runs.items() if name != OURS},
            }
            measured["variants"].append(variant)
            rows += _rows(variant)
    text = _document(measured, rows)
    if not quick:
        results.write("http", measured, text)
    return text


def _rows(variant: dict[str, Any]) -> list[tuple[str, ...]]:
    rows = []
    for name, median in variant["medians"].items():
        cells = [variant["connections"], str(variant["concurrency"]), name]
        cells += [f"{median['p50_ms']:.2f}", f"{median['p99_ms']:.2f}", f"{median['per_second']:.0f}"]
        cells.append(str(variant["bodies"].get("unavailable", 0)) if name == OURS else "")
        for measure in MEASURES:
            if name == OURS:
                cells.append("")
            else:
                middle, low, high = variant["ratios"][name][measure]
                cells.append(f"{middle:.2f} ({low:.2f}-{high:.2f})")
        rows.append(tuple(cells))
    return rows


def _document(measured: dict[str, Any], rows: list[tuple[str, ...]]) -> str:
    header = (
        *("connections", "clients", "endpoint", "p50 ms", "p99 ms", "requests/s", "unavailable"),
        *("our p50, times this", "our p99", "our requests/s"),
    )
    return (
        "# comment-check over HTTP against a no-op Flask endpoint\n\n"
        "All three run on the same server software with as many workers and threads. The second also makes "
        "the body durable in SQLite, which no recording service can do without. The last three columns set "
        "comment-check against the endpoint of the row: the median over the rounds, in brackets the lowest "
        'and the highest. Every check is judged by the model and durable before it is answered; "unavailable" '
        "counts the answers that gave no verdict because the database's turn did not come in time.\n\n"
        f"{results.table(header, rows)}\n\n"
        f"{measured['rounds']} rounds of {measured['seconds_per_round']} s for each, in turns; "
        f"{measured['workers']} workers with {measured['threads']} threads; median request "
        f"{measured['median_request_bytes']} bytes; client and servers share the machine.\n"
        f"{results.facts_line(measured['machine'])}\n"
    )
