"""``replyguard keys``: make, list and revoke API keys."""

from __future__ import annotations

import sys

import click
from rich.console import Console
from rich.table import Table

from service.cli.run import prepared, read_settings
from service.cli.stop import StopCommand
from service.clock import utc_now
from service.keys import ADMIN_KEY_PATTERN, KEY_PATTERN, Keys
from service.pseudonyms import Pseudonyms
from service.sites import InvalidSite, parse_site
from service.startup import open_database, secret_of
from service.stores.keys import KeyExists, KeyStore, Scope
from service.stores.sites import SiteStore


def _open_keys() -> Keys:
    settings = read_settings()
    prepared(settings, first_key=False)
    store = KeyStore(open_database(settings), SiteStore())
    return Keys(store, Pseudonyms(secret_of(settings)), utc_now)


@click.group()
def keys() -> None:
    """Make, list and revoke API keys."""


@keys.command()
@click.option(
    "--key", "text", metavar="12HEX", help="Use this key, for instance one that a client has already."
)
@click.option(
    "--site", "sites", metavar="URL", multiple=True, help="Tie the key to this site; may be given again."
)
@click.option("--label", default="", help="A name to tell it by.")
@click.option(
    "--admin", is_flag=True, help="A key for administration: for /v1 only, and there for every site."
)
def create(text: str | None, sites: tuple[str, ...], label: str, admin: bool) -> None:
    """Make an API key and show it, this once. Without --site it serves any number of sites."""
    if admin and (text is not None or sites):
        raise StopCommand(
            "--admin: such a key is random and serves every site; leave out --key and --site", exit_code=2
        )
    try:
        tied_to = [parse_site(site) for site in sites]
    except InvalidSite as error:
        raise StopCommand(f"--site: {error}; give the site's full URL", exit_code=2) from error
    try:
        opened = _open_keys()
        new = opened.create_admin(label=label) if admin else opened.create(text, label=label, tied_to=tied_to)
    except ValueError as error:
        raise StopCommand(f"--key: {error}", exit_code=2) from error
    except KeyExists as error:
        raise StopCommand(
            "--key: this key exists already (`replyguard keys list`); choose another"
        ) from error
    click.echo(new.text)
    if sys.stdout.isatty():
        click.echo("Shown this once: the service keeps only a hash of it.", err=True)


@keys.command("list")
def list_keys() -> None:
    """List the keys: number, last four digits, label, sites; never the keys themselves."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("ID", "KEY", "LABEL", "SITES", "CREATED", "REVOKED"):
        table.add_column(heading)
    for key in _open_keys().all():
        table.add_row(
            str(key.id),
            f"........{key.hint}",
            key.label,
            "administration" if key.scope is Scope.ADMIN else ", ".join(sorted(key.sites)) or "any",
            f"{key.created_at:%Y-%m-%d}",
            f"{key.revoked_at:%Y-%m-%d}" if key.revoked_at else "",
        )
    Console(width=None if sys.stdout.isatty() else 240, highlight=False, markup=False).print(table)


@keys.command()
@click.argument("key_or_id")
def revoke(key_or_id: str) -> None:
    """Revoke a key, given itself or its number in the list. It stops working within two seconds."""
    opened = _open_keys()
    text = key_or_id.strip().lower()
    if KEY_PATTERN.fullmatch(text) or ADMIN_KEY_PATTERN.fullmatch(text):
        found = opened.find_any(text)
        key_id = None if found is None else found.id
    elif text.isascii() and text.isdigit() and len(text) < 10:
        key_id = int(text)
    else:
        raise StopCommand("KEY_OR_ID: give a key as it was shown, or a number from the list", exit_code=2)
    if key_id is None or not opened.revoke(key_id):
        raise StopCommand("there is no such live key; see `replyguard keys list`")
    click.echo(f"Key {key_id} is revoked.")
