"""``python -m training``: reads the corpora; fits versions, evaluates, compares and attacks them."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import tempfile
import tomllib
from pathlib import Path
from typing import Any

import click

from model import artifact
from model.comment import LabeledComment
from model.registry import SHIPPED
from model.site_weights import DOUBT_FROM
from training import (
    corpus,
    curve,
    curve_tables,
    datasets,
    inside,
    peers_mail,
    peers_rspamd,
    peers_text,
    robustness,
    run,
    warm_trial,
)
from training.experiment import ExperimentError, read_variants, run_variants, to_markdown
from training.fit import FitParams
from training.inner import as_dict as choices_as_dict
from training.inner import choose_inside
from training.inner import to_markdown as choices_to_markdown
from training.mistakes import MistakesPathError, check_path, write_mistakes
from training.peers import PeerFailedError, compare
from training.peers import to_markdown as peers_to_markdown
from training.sites import read_sites
from training.tables import report_to_markdown
from training.trials import run_trials
from training.trials import to_markdown as trials_to_markdown
from training.warm import WarmParams

_RESULTS = Path("benchmarks/results")
_PARTS = ("left-out", "inside", "inner")
_PEERS = {
    "TF-IDF": peers_text.Tfidf,
    "ComplementNB": peers_text.NaiveBayes,
    "fastText": peers_text.FastText,
    "bogofilter": peers_mail.Bogofilter,
    "spamprobe": peers_mail.SpamProbe,
    "rspamd": peers_rspamd.Rspamd,
}


def _corpora(folder: Path | None) -> Path:
    """Return the folder of labelled comments, from the option or the environment."""
    named = folder or os.environ.get("REPLYGUARD_CORPORA")
    if not named:
        raise click.UsageError(
            "no folder of labelled comments: give --corpora or set REPLYGUARD_CORPORA "
            "(`replyguard corpora fetch` brings those of public sources that may be had)"
        )
    return Path(named)


def _read(folder: Path) -> list[LabeledComment]:
    try:
        return datasets.read_corpora(folder)
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
@click.option(
    "--part",
    "parts",
    multiple=True,
    type=click.Choice(_PARTS),
    help="Sources left out, groups left out inside large sources, or settings chosen by inner folds; may be "
    "repeated. Default: the first two.",
)
@click.option("--inner", is_flag=True, help="Also choose settings by inner folds, as --part inner does.")
@click.option("--json", "json_path", type=click.Path(path_type=Path), default=_RESULTS / "left-out.json")
@click.option("--baseline", is_flag=True, help="Judge the peers too, as the command peers does, and inside.")
@click.option(
    "--mistakes",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File outside any repository for the texts of the worst mistakes.",
)
@click.pass_context
def evaluate(
    context: click.Context,
    corpora: Path | None,
    only: tuple[str, ...],
    parts: tuple[str, ...],
    inner: bool,
    json_path: Path,
    baseline: bool,
    mistakes: Path | None,
) -> None:
    """Leave sources out in turn, and groups inside large ones; print the tables and write them with their JSON."""
    chosen = set(parts or _PARTS[: 1 if only else 2]) | ({"inner"} if inner else set())
    if mistakes is not None and _PARTS[0] not in chosen:
        raise click.UsageError("--mistakes needs the part left-out")
    params = FitParams()
    try:
        if mistakes is not None:
            check_path(mistakes)
        comments = _read(_corpora(corpora))
        if "left-out" in chosen:
            report = run.evaluate(comments, params, only=only, progress=_tell_left_out)
            _write(json_path, report.as_dict(), report_to_markdown(report))
            if mistakes is not None:
                write_mistakes(mistakes, report.mistakes, comments)
        if "inside" in chosen:
            found = inside.judge_inside(
                comments, params, peers=_PEERS if baseline else {}, only=only, progress=_tell
            )
            _write(json_path.with_name("inside.json"), found.as_dict(), inside.to_markdown(found))
        if "inner" in chosen:
            choices = choose_inside(comments, params, progress=_tell)
            _write(json_path.with_name("inner.json"), choices_as_dict(choices), choices_to_markdown(choices))
    except (MistakesPathError, PeerFailedError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    if baseline and "left-out" in chosen:
        context.invoke(peers, corpora=corpora, json_path=json_path.with_name("peers.json"))


def _tell(text: str) -> None:
    click.echo(text, err=True)


def _tell_left_out(name: str) -> None:
    _tell(f"without {name}")


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
    default=robustness.PEER_ROWS,
    show_default=True,
    help="Rows of one source and label that any fit sees, ours too.",
)
@click.option(
    "--only", multiple=True, type=click.Choice(sorted(_PEERS)), help="These peers; may be repeated."
)
@click.option("--json", "json_path", type=click.Path(path_type=Path), default=_RESULTS / "peers.json")
def peers(
    corpora: Path | None, json_path: Path, per_source: int = robustness.PEER_ROWS, only: tuple[str, ...] = ()
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
    try:
        classifier = run.fit_version(
            comments, FitParams(), report=report, licences=datasets.read_licences(folder)
        )
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    old = [path for path in target.iterdir() if path.is_dir()] if target.is_dir() else []
    if not (target / classifier.version).exists():
        artifact.save(classifier, target / classifier.version, precision=run.sum_up(comments, FitParams()))
    for path in old:
        if path.name != classifier.version:
            shutil.rmtree(path)
    size = sum(path.stat().st_size for path in (target / classifier.version).iterdir())
    click.echo(f"version {classifier.version}: {size / 1e6:.1f} MB, cut-offs {classifier.policy}")


@main.command()
@_corpora_option
@click.option("--of", "folder", type=click.Path(path_type=Path, exists=True), help="A version's folder.")
def summary(corpora: Path | None, folder: Path | None) -> None:
    """Put the training summary beside the weights of a version that was fitted on these corpora without one."""
    version = folder or next(path for path in sorted(SHIPPED.iterdir()) if path.is_dir())
    classifier = artifact.load(version)
    params = dataclasses.replace(FitParams(), features=classifier.params)
    comments = _read(_corpora(corpora))
    kept = corpus.limit(corpus.deduplicate(comments), params.limits, seed=params.seed)
    if corpus.fingerprint(kept) != classifier.card.fingerprint:
        raise click.ClickException(f"{version.name} was fitted on other comments than these; fit again")
    with tempfile.TemporaryDirectory(dir=version.parent, prefix=".new-") as temporary:
        artifact.save(classifier, Path(temporary) / version.name, precision=run.sum_up(comments, params))
        shutil.rmtree(version)
        (Path(temporary) / version.name).rename(version)
    size = sum(path.stat().st_size for path in version.iterdir())
    click.echo(f"version {version.name}: {size / 1e6:.1f} MB with its training summary")


@main.command()
@_corpora_option
@click.option("--json", "json_path", type=click.Path(path_type=Path), default=_RESULTS / "retraining.json")
def warm(corpora: Path | None, json_path: Path) -> None:
    """Retrain on the first labels of blogs left out; print what is caught on the rest, and elsewhere."""
    outcomes = warm_trial.run_trial(
        _read(_corpora(corpora)), FitParams(), WarmParams(), progress=lambda text: click.echo(text, err=True)
    )
    _write(
        json_path, {"rows": [dataclasses.asdict(row) for row in outcomes]}, warm_trial.to_markdown(outcomes)
    )


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
@click.option("--baseline", is_flag=True, help="Attack the peers too.")
def attack(
    corpora: Path | None, only: tuple[str, ...], n_spam: int, seed: int, json_path: Path, baseline: bool
) -> None:
    """Disguise the spam of each blog left out; print what is still caught, and write it with its JSON."""
    params = FitParams()
    try:
        outcomes = list(
            robustness.attack_all(
                _read(_corpora(corpora)),
                {"Replyguard": robustness.replyguard(params)},
                limits=params.limits,
                peers=_PEERS if baseline else {},
                n_spam=n_spam,
                only=only,
                seed=seed,
                progress=lambda name: click.echo(f"without {name}", err=True),
            )
        )
    except (PeerFailedError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    _write(json_path, robustness.as_dict(outcomes), robustness.to_markdown(outcomes))


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
        peer_limits = dataclasses.replace(params.limits, per_source=robustness.PEER_ROWS)
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
