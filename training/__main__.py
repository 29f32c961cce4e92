"""``python -m training``: reads the corpora; fits versions, evaluates, compares and attacks them."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import tomllib
from pathlib import Path
from typing import Any

import click

from model import artifact
from model.comment import LabeledComment
from model.registry import SHIPPED
from model.site_weights import DOUBT_FROM
from training import curve, curve_tables, datasets, peers_mail, peers_text, robustness, run
from training.experiment import ExperimentError, read_variants, run_variants, to_markdown
from training.fit import FitParams
from training.peers import PeerFailedError, compare
from training.peers import to_markdown as peers_to_markdown
from training.sites import read_sites
from training.tables import report_to_markdown
from training.trials import run_trials
from training.trials import to_markdown as trials_to_markdown

_RESULTS = Path("benchmarks/results")
# Of one source and label: with all the rows that our own fit takes, the peers' tables of n-grams are twice as
# large and their fits take twice as long.
_PEER_ROWS = 1_500
_PEERS = {
    "TF-IDF": peers_text.Tfidf,
    "ComplementNB": peers_text.NaiveBayes,
    "fastText": peers_text.FastText,
    "bogofilter": peers_mail.Bogofilter,
    "spamprobe": peers_mail.SpamProbe,
}


def _corpora(folder: Path | None) -> Path:
    """Return the folder of labelled comments, from the option, the environment or the neighbourhood."""
    return folder or Path(os.environ.get("REPLYGUARD_CORPORA") or "../shared/corpora")


def _read(folder: Path) -> list[LabeledComment]:
    try:
        return datasets.read_folder(folder)
    except datasets.CorpusError as error:
        raise click.ClickException(str(error)) from error


@click.group()
def main() -> None:
    """Fit and evaluate models on labelled comments (REPLYGUARD_CORPORA or --corpora)."""


_corpora_option = click.option(
    "--corpora", type=click.Path(path_type=Path), help="Folder of *.jsonl.gz; default: REPLYGUARD_CORPORA."
)


@main.command()
@_corpora_option
@click.option("--only", multiple=True, help="Leave out only the folds with this source; may be repeated.")
@click.option("--json", "json_path", type=click.Path(path_type=Path), default=_RESULTS / "left-out.json")
@click.option("--baseline", is_flag=True, help="Then judge the peers too, as the command peers does.")
@click.pass_context
def evaluate(
    context: click.Context, corpora: Path | None, only: tuple[str, ...], json_path: Path, baseline: bool
) -> None:
    """Leave each source out in turn; print the table and write it, with its JSON, beside each other."""
    comments = _read(_corpora(corpora))
    report = run.evaluate(
        comments, FitParams(), only=only, progress=lambda name: click.echo(f"without {name}", err=True)
    )
    _write(json_path, report.as_dict(), report_to_markdown(report))
    if baseline:
        context.invoke(peers, corpora=corpora, json_path=json_path.with_name("peers.json"))


def _write(json_path: Path, data: dict[str, Any], table: str) -> None:
    """Print a table, and write it beside its data."""
    click.echo(table)
    json_path.parent.mkdir(parents=True, exist_ok=True)
    json_path.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    json_path.with_suffix(".md").write_text(table, encoding="utf-8")


@main.command()
@_corpora_option
@click.option(
    "--per-source",
    type=click.IntRange(min=1),
    default=_PEER_ROWS,
    show_default=True,
    help="Rows of one source and label that any fit sees, ours too.",
)
@click.option(
    "--only", multiple=True, type=click.Choice(sorted(_PEERS)), help="These peers; may be repeated."
)
@click.option("--json", "json_path", type=click.Path(path_type=Path), default=_RESULTS / "peers.json")
def peers(
    corpora: Path | None, json_path: Path, per_source: int = _PEER_ROWS, only: tuple[str, ...] = ()
) -> None:
    """Judge ours and what a user could pick instead on the blogs left out; print and write the tables."""
    limits = dataclasses.replace(FitParams().limits, per_source=per_source)
    params = dataclasses.replace(FitParams(), limits=limits)
    chosen = {name: build for name, build in _PEERS.items() if not only or name in only}
    comments = _read(_corpora(corpora))
    try:
        found = compare(comments, params, chosen, progress=lambda text: click.echo(text, err=True))
    except (PeerFailedError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    _write(json_path, found.as_dict(), peers_to_markdown(found))


@main.command()
@_corpora_option
@click.option("--report", "report_path", type=click.Path(path_type=Path), default=_RESULTS / "left-out.json")
@click.option("--to", "target", type=click.Path(path_type=Path), default=SHIPPED, help="Folder of versions.")
def fit(corpora: Path | None, report_path: Path, target: Path) -> None:
    """Fit the version that ships, on everything, and put it in the place of the last one."""
    folder = _corpora(corpora)
    comments = _read(folder)
    report = json.loads(report_path.read_text(encoding="utf-8")) if report_path.exists() else None
    classifier = run.fit_version(
        comments, FitParams(), report=report, licences=datasets.read_licences(folder)
    )
    old = [path for path in target.iterdir() if path.is_dir()] if target.is_dir() else []
    if not (target / classifier.version).exists():
        artifact.save(classifier, target / classifier.version)
    for path in old:
        if path.name != classifier.version:
            shutil.rmtree(path)
    size = sum(path.stat().st_size for path in (target / classifier.version).iterdir())
    click.echo(f"version {classifier.version}: {size / 1e6:.1f} MB, cut-offs {classifier.policy}")


@main.command()
@_corpora_option
@click.argument("path", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def experiment(corpora: Path | None, path: Path) -> None:
    """Compare the variants of a TOML file on the blogs left out; print the table and write it beside the file."""
    try:
        variants = read_variants(path)
    except (ExperimentError, tomllib.TOMLDecodeError) as error:
        raise click.ClickException(str(error)) from error
    outcomes = list(
        run_variants(_read(_corpora(corpora)), variants, progress=lambda name: click.echo(name, err=True))
    )
    table = to_markdown(outcomes)
    click.echo(table)
    path.with_suffix(".table.md").write_text(table, encoding="utf-8")


@main.command()
@_corpora_option
@click.option("--only", multiple=True, help="Leave out only this blog; may be repeated.")
@click.option("--spam", "n_spam", type=click.IntRange(min=1), default=300, help="Spam of one blog at most.")
@click.option("--seed", type=int, default=0, help="Chooses the spam, its disguise and the words appended.")
@click.option("--json", "json_path", type=click.Path(path_type=Path), default=_RESULTS / "attacks.json")
def attack(corpora: Path | None, only: tuple[str, ...], n_spam: int, seed: int, json_path: Path) -> None:
    """Disguise the spam of each blog left out; print what is still caught, and write it with its JSON."""
    params = FitParams()
    try:
        outcomes = list(
            robustness.attack_all(
                _read(_corpora(corpora)),
                {"Replyguard": robustness.replyguard(params)},
                limits=params.limits,
                n_spam=n_spam,
                only=only,
                seed=seed,
                progress=lambda name: click.echo(f"without {name}", err=True),
            )
        )
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    table = robustness.to_markdown(outcomes)
    click.echo(table)
    json_path.parent.mkdir(parents=True, exist_ok=True)
    json_path.write_text(json.dumps(robustness.as_dict(outcomes), indent=1) + "\n", encoding="utf-8")
    json_path.with_suffix(".md").write_text(table, encoding="utf-8")


@main.command("curve")
@_corpora_option
@click.option("--only", multiple=True, help="Only this site; may be repeated.")
@click.option("--orders", type=click.IntRange(min=1), default=20, show_default=True, help="Random orders.")
@click.option(
    "--corpora-orders",
    type=click.IntRange(min=0),
    default=3,
    show_default=True,
    help="Random orders of the slow peer, which is fitted on corpora and site; 0 leaves it out.",
)
@click.option(
    "--cache", type=click.Path(path_type=Path), help="Keep the fits without each site in this folder."
)
@click.option("--json", "json_path", type=click.Path(path_type=Path), default=_RESULTS / "curve.json")
def learning_curve(
    corpora: Path | None,
    only: tuple[str, ...],
    orders: int,
    corpora_orders: int,
    cache: Path | None,
    json_path: Path,
) -> None:
    """Moderate more and more of each site left out; print what is then caught, beside what peers reach."""

    def progress(text: str) -> None:
        click.echo(text, err=True)

    params = FitParams()
    comments = _read(_corpora(corpora))
    sites = list(read_sites(comments, params, only=only, cache=cache, progress=progress))
    learners: dict[str, tuple[curve.LearnerBuilder, int]] = {
        curve.OURS: (curve.Ours, orders),
        curve.ALONE: (lambda site: curve.Ours(site, with_global=False), orders),
        curve.SITE_TFIDF: (curve.SiteTfidf, orders),
    }
    if corpora_orders:
        peer_limits = dataclasses.replace(params.limits, per_source=_PEER_ROWS)
        peer = curve.CorporaTfidf(comments, dataclasses.replace(params, limits=peer_limits))
        learners[curve.BOTH_TFIDF] = (peer.on, corpora_orders)
    points = curve.measure(sites, learners, progress=progress)
    blogs = [site for site in sites if site.is_blog]
    progress("taught badly")
    trials = run_trials(blogs, doubt_from=DOUBT_FROM)
    data = curve.as_dict(points) | {"taught_badly": [dataclasses.asdict(trial) for trial in trials]}
    tables = curve_tables.to_markdown(
        points, blogs={site.name for site in blogs}, trials=trials_to_markdown(trials) if trials else ""
    )
    _write(json_path, data, tables)


if __name__ == "__main__":
    main(prog_name="python -m training")
