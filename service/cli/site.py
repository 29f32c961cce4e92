"""``replyguard site``: what a site's moderators have taught."""

from __future__ import annotations

import click

from model.errors import ModelError
from service.champion import Champion
from service.cli.run import prepared, read_settings
from service.cli.stop import StopCommand
from service.learning import SiteLearning
from service.sites import InvalidSite, parse_site
from service.startup import open_database, open_registry
from service.stores.site_weights import SiteWeightsStore


@click.group()
def site() -> None:
    """Look after what a site has been taught."""


@site.command()
@click.option(
    "--site", "url", metavar="URL", required=True, help="The site's address, as its client sends it."
)
def rebuild(url: str) -> None:
    """Work out a site's weights anew from its stored corrections, and compare them with those in use."""
    settings = read_settings()
    try:
        address = parse_site(url)
    except InvalidSite as error:
        raise StopCommand(f"--site: {error}; give the site's full URL", exit_code=2) from error
    prepared(settings, first_key=False)
    try:
        scorer = Champion(open_registry(settings)).current()
    except ModelError as error:
        raise StopCommand(f"no model is loaded: {error}; run `replyguard doctor`") from error
    rebuilt = SiteLearning(SiteWeightsStore(open_database(settings))).rebuild(address, scorer)
    if rebuilt is None:
        raise StopCommand(f"{address.address} has been taught nothing yet")
    compared = (
        "the same as in use" if rebuilt.is_same else "they replace others" if rebuilt.was_kept else "new"
    )
    click.echo(
        f"{address.address}: {rebuilt.n_tokens} weights from {rebuilt.n_labels} corrections, version"
        f" {rebuilt.version} on model {scorer.version}; {compared}."
    )
