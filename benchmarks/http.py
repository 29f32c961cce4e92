"""Latency and throughput of comment-check over HTTP, as a ratio to a no-op Flask endpoint.

Both run at the same time of day on the same server software with as many workers and threads, and are asked
by the same client in turns, so that what else the machine does weighs on both alike.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks import load, results
from benchmarks.processes import THREADS, WORKERS, free_port, plain_environment, running, running_service
from benchmarks.wordpress_requests import payloads
from benchmarks.wsgi_servers import gunicorn_gthread

PACKAGES = ("flask", "gunicorn", "numpy", "scikit-learn", "sqlalchemy", "werkzeug")
Address = tuple[str, int]
MEASURES: dict[str, Callable[[load.Run], float]] = {
    "p50_ms": lambda run: run.percentile_ms(50),
    "p99_ms": lambda run: run.percentile_ms(99),
    "per_second": lambda run: run.per_second,
}


def measure_in_turns(
    addresses: dict[str, Address], *, concurrency: int, keep_alive: bool, rounds: int, seconds: float
) -> tuple[dict[str, list[load.Run]], Counter[str]]:
    """Load each address in every round, one after the other, the first one changing from round to round.

    Returns
    -------
    runs : dict
        Name to its runs, one per round.
    bodies : Counter of str
        Answers of the last address given.
    """
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
    return runs, sum((run.bodies for run in runs[list(addresses)[-1]]), Counter())


def summarise(runs: list[load.Run], baseline: list[load.Run]) -> dict[str, Any]:
    """Return the median of each measure over the rounds, and of its ratio round by round with its range."""
    summary: dict[str, Any] = {"n_requests": sum(len(run.latencies_s) for run in runs)}
    for name, measure in MEASURES.items():
        ratios = [measure(run) / measure(base) for run, base in zip(runs, baseline, strict=True)]
        summary[name] = round(float(np.median([measure(run) for run in runs])), 3)
        summary[f"{name}_ratio"] = round(float(np.median(ratios)), 3)
        summary[f"{name}_ratio_range"] = [round(min(ratios), 3), round(max(ratios), 3)]
    return summary


def main(*, quick: bool) -> str:
    """Measure, write the results, return the table."""
    rounds, seconds = (2, 0.5) if quick else (9, 3.0)
    port = free_port()
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
    noop = running(gunicorn_gthread("benchmarks.noop:app", port), port, plain_environment())
    with noop, running_service() as service:
        addresses = {"no-op": ("127.0.0.1", port), "comment-check": service}
        for keep_alive, concurrency in itertools.product((True, False), (1, 8)):
            runs, bodies = measure_in_turns(
                addresses, concurrency=concurrency, keep_alive=keep_alive, rounds=rounds, seconds=seconds
            )
            if not set(bodies) <= {"true", "false"}:
                raise RuntimeError(f"the service answered {dict(bodies)}")
            variant = {
                "connections": "kept" if keep_alive else "new for each request",
                "concurrency": concurrency,
                "bodies": dict(bodies),
                **{name: summarise(made, runs["no-op"]) for name, made in runs.items()},
            }
            measured["variants"].append(variant)
            rows.append(_row(variant))
    text = _document(measured, rows)
    if not quick:
        results.write("http", measured, text)
    return text


def _row(variant: dict[str, Any]) -> tuple[str, ...]:
    ours, noop = variant["comment-check"], variant["no-op"]
    cells = [variant["connections"], str(variant["concurrency"])]
    for name, digits in (("p50_ms", 2), ("p99_ms", 2), ("per_second", 0)):
        low, high = ours[f"{name}_ratio_range"]
        cells.append(f"{ours[name]:.{digits}f} / {noop[name]:.{digits}f}")
        cells.append(f"{ours[f'{name}_ratio']:.2f} ({low:.2f}-{high:.2f})")
    return tuple(cells)


def _document(measured: dict[str, Any], rows: list[tuple[str, ...]]) -> str:
    header = ("connections", "clients", "p50 ms", "ratio", "p99 ms", "ratio", "requests/s", "ratio")
    return (
        "# comment-check over HTTP against a no-op Flask endpoint\n\n"
        "Each pair is comment-check / no-op. A ratio is the median over the rounds, in brackets the lowest "
        "and the highest. Every check is judged by the model and durable on disk before it is answered.\n\n"
        f"{results.table(header, rows)}\n\n"
        f"{measured['rounds']} rounds of {measured['seconds_per_round']} s for each, in turns; "
        f"{measured['workers']} workers with {measured['threads']} threads; median request "
        f"{measured['median_request_bytes']} bytes; client and servers share the machine.\n"
        f"{results.facts_line(measured['machine'])}\n"
    )
