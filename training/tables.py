"""Renders reports as tables to read, for a terminal and for Markdown alike."""

from __future__ import annotations

from training.evaluate import Report
from training.slices import Row


def report_to_markdown(report: Report) -> str:
    """Return a report as Markdown tables; ids stand for comments, no text is quoted."""
    lines = ["## Sources left out", *_table(report.sources), ""]
    if report.means:
        lines += ["Means: " + ", ".join(f"{name} {value:.4g}" for name, value in report.means.items()), ""]
    for title, rows in (
        ("Kinds", report.kinds),
        ("Languages", report.languages),
        ("Sources left out, judged without author, e-mail, address and page", report.without_metadata),
    ):
        if rows:
            lines += [f"## {title}", *_table(rows), ""]
    if report.mistakes:
        lines += ["## Worst mistakes", "| comment | label | score |", "|---|---|---:|"]
        lines += [
            f"| {mistake.id} | {'spam' if mistake.is_spam else 'ham'} | {mistake.score:.4f} |"
            for mistake in report.mistakes
        ]
        lines.append("")
    return "\n".join(lines)


def _table(rows: list[Row]) -> list[str]:
    head = "| left out | spam | ham | AUC | at 1 % | interval | at 0.1 % | interval | ham held | spam caught | ECE |"
    return [head, "|---|---:|---:|---:|---:|---|---:|---|---:|---:|---:|", *map(_line, rows)]


def _line(row: Row) -> str:
    return (
        f"| {row.source} | {row.n_spam} | {row.n_ham} | {_number(row.auc)} | {_number(row.recall_1)} "
        f"| {_span(row.recall_1_interval)} | {_number(row.recall_01)} | {_span(row.recall_01_interval)} "
        f"| {_number(row.ham_held, 4)} | {_number(row.spam_caught)} | {_number(row.calibration_error)} |"
    )


def _span(bounds: tuple[float, float]) -> str:
    low, high = bounds
    return "" if low != low else f"{low:.3f}-{high:.3f}"


def _number(value: float, digits: int = 3) -> str:
    return "" if value != value else f"{value:.{digits}f}"
