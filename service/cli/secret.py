"""``replyguard secret``: put a new secret on top of the present one."""

from __future__ import annotations

import secrets as chance

import click

from service.cli.run import prepared, read_settings
from service.cli.stop import StopCommand
from service.pseudonyms import Pseudonyms, SecretUnusable, write_secret
from service.rotation import rotate as rotate_secret
from service.startup import StartRefused, alone, pending_secret, secret_of
from service.stores.secrets import RotationBroken, SecretStore
from service.worker import open_job_database


@click.group()
def secret() -> None:
    """Look after the secret under which keys, e-mail and IP addresses are hashed."""


@secret.command()
@click.option(
    "--drop-hashes",
    is_flag=True,
    help="Drop the hashes of e-mail, IP and moderators in what is stored, instead of re-keying them.",
)
def rotate(drop_hashes: bool) -> None:
    """Put a new secret on top of the present one, and re-key what is stored; it takes some seconds.

    Meanwhile the service answers `unavailable` and clients hold what comes in. API keys, corrections and lists
    go on working. An old copy of the database or of the secret opens nothing of the new one.
    """
    settings = read_settings()
    is_given = settings.secret is not None
    if not is_given:
        # Also undoes what an interrupted rotation left.
        prepared(settings, first_key=False)
    database = open_job_database(settings)
    store = SecretStore(database)
    try:
        with alone(settings):
            present = secret_of(settings)
            if is_given:
                chain = pending_secret(store, present)
                if chain is None:
                    raise StopCommand(
                        "the secret comes from REPLYGUARD_SECRET or a file of yours: on every machine put that into a"
                        " file that REPLYGUARD_SECRET_FILE names, add a line to its end (openssl rand -hex 32), and run"
                        " this again"
                    )
                old, new = chain
            else:
                old, new = present, (*present, chance.token_bytes(32))
                # First the file: the database says which of its lines hold, so a kill at any moment leaves a state
                # from which the next start goes on.
                write_secret(settings.data_dir, new)
            try:
                n_rows = rotate_secret(store, Pseudonyms(old), Pseudonyms(new), drop_hashes=drop_hashes)
            except BaseException:
                if not is_given and store.read() != Pseudonyms(new).check:
                    write_secret(settings.data_dir, old)
                raise
    except (RotationBroken, StartRefused, SecretUnusable) as error:
        raise StopCommand(str(error)) from error
    finally:
        database.close()
    click.echo(f"Re-keyed {n_rows} rows under secret number {len(new)}.")
    if drop_hashes:
        click.echo("Hashes of e-mail and IP addresses and of moderators in what was stored are dropped.")
    if is_given:
        click.echo("Restart the service on every machine: until then it answers `unavailable`.")
    else:
        click.echo("A running service goes on with it by itself, within a second.")
    click.echo("Back the secret up anew. Old backups still open with the old secret: delete them in time.")
