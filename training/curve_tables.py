"""Renders learning curves as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from training.curve import OURS, Point

_COLUMNS = (
    ("recall_1", "Spam caught at 1 % of ham blocked"),
    ("recall_01", "Spam caught at 0.1 % of ham blocked"),
    ("fresh_recall_1", "At 1 %, near-copies of moderated comments left out of what is judged"),
)


def to_markdown(points: Sequence[Point], *, blogs: set[str], trials: str = "") -> str:
    """Return the curves as tables: means over blogs and over the others first, then site by site.

    Parameters
    ----------
    points : sequence of Point
    blogs : set of str
        Which sites are blogs.
    trials : str
        A further section, as it stands.
    """
    sites = list(dict.fromkeys(point.site for point in points))
    parts = [
        "# Learning curves",
        "",
        "Each site was left out of the fit. Its comments come in random order; the first n are moderated and "
        "learnt, and all learners are judged on the same rest. Intervals: 95 % of the mean over orders. How it "
        "is measured: `training/curve.py`; rebuild with `python -m training curve`.",
    ]
    for field, title in _COLUMNS:
        for group, chosen in (("blogs", blogs), ("other sites", set(sites) - blogs)):
            if chosen & set(sites):
                parts += ["", f"## {title}: mean of the {group}", *_means(points, chosen, field)]
    for site in sites:
        parts += ["", f"## {site}", *_site(points, site)]
    parts += ["", "## At the shipped cut-off (ours)", *_cut_off(points, sites)]
    return "\n".join(parts) + "\n" + trials


def _head(first: str, ns: Sequence[int]) -> list[str]:
    return [f"| {first} | " + " | ".join(map(str, ns)) + " |", "|---|" + "---:|" * len(ns)]


def _ns(points: Sequence[Point]) -> list[int]:
    return sorted({point.n_moderated for point in points})


def _learners(points: Sequence[Point]) -> list[str]:
    return list(dict.fromkeys(point.learner for point in points))


def _means(points: Sequence[Point], sites: set[str], field: str) -> list[str]:
    lines = _head("learner", _ns(points))
    for learner in _learners(points):
        cells = []
        for n in _ns(points):
            values = [
                getattr(p, field)
                for p in points
                if p.learner == learner and p.n_moderated == n and p.site in sites
            ]
            # On a site where all spam is of known campaigns there is nothing fresh to catch.
            known = [value for value in values if np.isfinite(value)]
            cells.append(f"{np.mean(known):.3f}" if known else "")
        lines.append(f"| {learner} | " + " | ".join(cells) + " |")
    return lines


def _site(points: Sequence[Point], site: str) -> list[str]:
    lines = _head("at 1 % (interval)", _ns(points))
    for learner in _learners(points):
        found = {p.n_moderated: p for p in points if p.learner == learner and p.site == site}
        cells = [
            f"{found[n].recall_1:.3f} ({found[n].recall_1_interval[0]:.2f}-{found[n].recall_1_interval[1]:.2f})"
            for n in _ns(points)
        ]
        lines.append(f"| {learner} | " + " | ".join(cells) + " |")
    return lines


def _cut_off(points: Sequence[Point], sites: Sequence[str]) -> list[str]:
    lines = _head("ham held / spam caught", _ns(points))
    for site in sites:
        found = {p.n_moderated: p for p in points if p.learner == OURS and p.site == site}
        cells = [f"{found[n].ham_held:.3f} / {found[n].spam_caught:.3f}" for n in _ns(points)]
        lines.append(f"| {site} | " + " | ".join(cells) + " |")
    return lines
