"""Where measurements go: JSON and Markdown for each benchmark, with the machine they were taken on."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
import tempfile
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).parent / "results"


def machine_facts(*packages: str) -> dict[str, Any]:
    """Return what a reader needs to judge the numbers, and nothing that names the machine."""
    versions = {}
    for name in packages:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "not installed"
    return {
        "cores": os.cpu_count(),
        "processor": platform.machine(),
        "system": platform.system(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "packages": versions,
        "fsync_4k_p50_ms": round(fsync_ms(), 3),
    }


def fsync_ms(n_writes: int = 200) -> float:
    """Return the median time to make 4 KiB durable, in ms: the floor under every recorded check."""
    block = os.urandom(4096)
    times = []
    with tempfile.NamedTemporaryFile() as file:
        for _ in range(n_writes):
            begin = time.perf_counter()
            file.write(block)
            file.flush()
            os.fsync(file.fileno())
            times.append(time.perf_counter() - begin)
    return float(np.median(times) * 1000)


def write(name: str, measured: dict[str, Any], markdown: str) -> None:
    """Save both forms as ``results/NAME.json`` and ``results/NAME.md``."""
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{name}.json").write_text(json.dumps(measured, indent=2, sort_keys=True) + "\n")
    (FOLDER / f"{name}.md").write_text(markdown)


def facts_line(facts: dict[str, Any]) -> str:
    """Return the machine in one line, for the foot of a table."""
    packages = ", ".join(f"{name} {number}" for name, number in sorted(facts["packages"].items()))
    return (
        f"{facts['cores']} cores ({facts['processor']}, {facts['system']}), Python {facts['python']}, "
        f"SQLite {facts['sqlite']}, 4 KiB made durable in {facts['fsync_4k_p50_ms']} ms; {packages}."
    )


def table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Return a Markdown table with aligned columns."""
    widths = [max(len(row[i]) for row in (header, *rows)) for i in range(len(header))]
    lines = [header, tuple("-" * width for width in widths), *rows]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |"
        for line in lines
    )
