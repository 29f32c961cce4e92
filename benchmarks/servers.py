"""The WSGI servers that could serve us: how fast each is, and how it behaves when it matters."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks import load, results
from benchmarks.processes import THREADS, WORKERS, free_port, plain_environment, prepared_service, running
from benchmarks.wordpress_requests import payloads
from benchmarks.wsgi_probes import behaviour
from benchmarks.wsgi_servers import BASELINE, SERVERS

PACKAGES = ("bjoern-binary", "flask", "gevent", "granian", "gunicorn", "pyuwsgi", "waitress")
SERVICE_APP = "service.wsgi:application"


def _load(port: int, *, keep_alive: bool, seconds: float) -> load.Run:
    return load.run(
        ("127.0.0.1", port),
        payloads(400, keep_alive=keep_alive),
        concurrency=8,
        keep_alive=keep_alive,
        seconds=seconds,
    )


def _speeds(app: str, *, rounds: int, seconds: float, environment: dict[str, str]) -> dict[str, Any]:
    """Load all servers in turns; return the medians per server and variant."""
    variants = {"kept": True, "new": False}
    runs: dict[tuple[str, str], list[load.Run]] = {}
    for _ in range(rounds):
        for name, command in SERVERS.items():
            port = free_port()
            with running(command(app, port), port, environment):
                # New connections reach every worker, so that each has loaded its model when it counts.
                _load(port, keep_alive=False, seconds=1.5)
                for label, keep_alive in variants.items():
                    made = _load(port, keep_alive=keep_alive, seconds=seconds)
                    runs.setdefault((name, label), []).append(made)
    speeds: dict[str, Any] = {}
    for (name, label), ours in runs.items():
        base = runs[(BASELINE, label)]
        speeds.setdefault(name, {})[label] = {
            "per_second": round(float(np.median([run.per_second for run in ours]))),
            "per_second_ratio": round(
                float(np.median([a.per_second / b.per_second for a, b in zip(ours, base, strict=True)])), 2
            ),
            "p50_ms": round(float(np.median([run.percentile_ms(50) for run in ours])), 2),
            "unavailable": sum(run.bodies["unavailable"] for run in ours),
            "p99_ms": round(float(np.median([run.percentile_ms(99) for run in ours])), 2),
        }
    return speeds


def main(*, quick: bool) -> str:
    """Measure, write the results, return the tables."""
    rounds, seconds = (1, 0.5) if quick else (5, 2.0)
    measured: dict[str, Any] = {
        "machine": results.machine_facts(*PACKAGES),
        "workers": WORKERS,
        "threads": THREADS,
        "rounds": rounds,
        "seconds_per_round": seconds,
        "no-op": _speeds(
            "benchmarks.noop:app", rounds=rounds, seconds=seconds, environment=plain_environment()
        ),
    }
    with prepared_service(free_port()) as environment:
        measured["comment-check"] = _speeds(
            SERVICE_APP, rounds=rounds, seconds=seconds, environment=environment
        )
    measured["behaviour"] = {name: behaviour(name) for name in SERVERS}
    text = _document(measured)
    if not quick:
        results.write("servers", measured, text)
    return text


def _speed_table(speeds: dict[str, Any]) -> str:
    rows = []
    for name in SERVERS:
        row = [name]
        for label in ("kept", "new"):
            speed = speeds[name][label]
            row.append(f"{speed['per_second']:.0f} ({speed['per_second_ratio']:.2f})")
            row.append(f"{speed['p50_ms']:.2f} / {speed['p99_ms']:.2f}")
        rows.append(tuple(row))
    header = ("server", "requests/s, kept", "p50 / p99 ms", "requests/s, new", "p50 / p99 ms")
    return results.table(header, rows)


def _document(measured: dict[str, Any]) -> str:
    probes = list(measured["behaviour"][BASELINE])
    behaviours = results.table(
        ("server", *probes),
        [
            (name, *("yes" if found[probe] else "**no**" for probe in probes))
            for name, found in measured["behaviour"].items()
        ],
    )
    return (
        "# WSGI servers\n\n"
        f"8 clients; connections kept, or new for each request; in brackets the ratio to {BASELINE}, "
        "as the median over the rounds.\n\n"
        f"## The no-op Flask endpoint\n\n{_speed_table(measured['no-op'])}\n\n"
        "## comment-check: judged by the model, durable before it is answered\n\n"
        f"{_speed_table(measured['comment-check'])}\n\n"
        f"## Behaviour\n\n{behaviours}\n\n"
        f"{measured['rounds']} rounds of {measured['seconds_per_round']} s for each, in turns; "
        f"{measured['workers']} workers with {measured['threads']} threads where the server has both "
        f"(waitress: one process, {WORKERS * THREADS} threads; bjoern: no threads).\n"
        f"{results.facts_line(measured['machine'])}\n"
    )
