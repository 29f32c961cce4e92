"""What a version says of itself: what it was fitted on, how it did, where it fails."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class ModelCard:
    """Facts about one version; plain data, so that it reads the same everywhere.

    Attributes
    ----------
    version : str
    fingerprint : str
        SHA-256 of the corpus it was fitted on (ids, labels and texts).
    n_spam, n_ham : int
        Comments it was fitted on.
    sources : tuple of mapping
        Per source: name, kind, n_spam, n_ham, licence.
    metrics : mapping
        What ``python -m training evaluate`` measured on sources left out.
    policy : mapping
        The cut-offs, and the budgets and the number of ham they were found with.
    limits : tuple of str
        Where it is known to fail, a sentence each.
    libraries : mapping of str to str
        Versions that it was fitted with.
    """

    version: str
    fingerprint: str
    n_spam: int
    n_ham: int
    sources: tuple[dict[str, Any], ...] = ()
    metrics: dict[str, Any] = field(default_factory=dict)
    policy: dict[str, Any] = field(default_factory=dict)
    limits: tuple[str, ...] = ()
    libraries: dict[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return the card as JSON-ready data."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> ModelCard:
        """Return the card that ``as_dict`` gave."""
        return cls(
            **{**data, "sources": tuple(data.get("sources", ())), "limits": tuple(data.get("limits", ()))}
        )

    def to_markdown(self) -> str:
        """Return the card as a page to read."""
        lines = [
            f"# Model {self.version}",
            "",
            f"Fitted on {self.n_spam + self.n_ham:,} comments ({self.n_spam:,} spam, {self.n_ham:,} ham); "
            f"corpus fingerprint `{self.fingerprint[:16]}`.",
            "",
            "## Sources",
            "| source | kind | spam | ham | licence |",
            "|---|---|---:|---:|---|",
            *(
                f"| {s['name']} | {s['kind']} | {s['n_spam']} | {s['n_ham']} | {s.get('licence', '')} |"
                for s in self.sources
            ),
        ]
        left_out = self.metrics.get("left_out", ())
        if left_out:
            lines += [
                "",
                "## On sources it never saw",
                "Each row: fitted and calibrated on all other sources. Recall at 1 % and 0.1 % of that source's ham "
                "called spam (95 % bootstrap interval), and what the shipped cut-off would have held of its ham.",
                "",
                "| source | spam | ham | AUC | recall at 1 % | recall at 0.1 % | ham held | spam caught |",
                "|---|---:|---:|---:|---:|---:|---:|---:|",
                *(_metric_row(row) for row in left_out),
            ]
        lines += [
            "",
            "## Cut-offs",
            *(f"- {name}: {value}" for name, value in self.policy.items()),
            "",
            "## Limits",
            *(f"- {limit}" for limit in self.limits),
            "",
            "## Libraries",
            ", ".join(f"{name} {version}" for name, version in self.libraries.items()),
            "",
        ]
        return "\n".join(lines)


def _metric_row(row: dict[str, Any]) -> str:
    low, high = row["recall_1_interval"]
    interval = "" if low is None else f" ({low:.2f}-{high:.2f})"
    return (
        f"| {row['source']} | {row['n_spam']} | {row['n_ham']} | {_number(row['auc'])} "
        f"| {_number(row['recall_1'])}{interval} | {_number(row['recall_01'])} "
        f"| {_number(row['ham_held'], 4)} | {_number(row['spam_caught'])} |"
    )


def _number(value: float | None, digits: int = 3) -> str:
    return "" if value is None else f"{value:.{digits}f}"
