"""A new secret goes on top of the old one; keys, corrections and lists stay, whatever is killed when."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from pydantic import SecretStr
from sqlalchemy import func, select

from service.components import EXTENSION
from service.db import Database
from service.declaration.stored import STORED
from service.declaration.terms import Form
from service.doctor import examine
from service.lists import Kind, Side
from service.pseudonyms import Pseudonyms, load_or_create_secret, write_secret
from service.rotation import rotate
from service.schema import checks, company_marks, feedback, meta, site_policies
from service.settings import Settings
from service.sites import parse_site
from service.startup import StartRefused, mend_rotation, prepare, secret_of
from service.stores.company import content_number
from service.stores.policies import PolicyStore, WebhookMode
from service.stores.secrets import HASHED, RotationBroken, SecretStore
from service.stores.sites import SiteStore
from service.webhooks import KeyVault
from tests.builders import ALICE_KEY, ALICE_SITE, a_form
from tests.conftest import TEST_DATABASE_URL

ALICE = parse_site(ALICE_SITE)


def turned(settings: Settings, database: Database, *, drop_hashes: bool = False) -> tuple[bytes, ...]:
    """Rotate as the command does, but without its wait."""
    old = load_or_create_secret(settings.data_dir)
    new = (*old, os.urandom(32))
    write_secret(settings.data_dir, new)
    rotate(
        SecretStore(database), Pseudonyms(old), Pseudonyms(new), drop_hashes=drop_hashes, settle=lambda: None
    )
    return new


def test_every_column_of_hashes_is_re_keyed():
    declared = {
        (table, name)
        for table, items in STORED.items()
        for name, item in items.items()
        if item.form is Form.HASHED
    }
    known = {(table.name, name) for table, name, _ in HASHED}
    # `company_marks.content` is a part of its check's hash and follows it; lists and keys are not declared as hashes.
    assert declared - {("company_marks", "content")} == known - {
        ("api_keys", "digest"),
        ("list_entries", "value"),
    }


def test_a_hash_can_be_re_keyed_without_the_value():
    old = Pseudonyms(b"a" * 32)
    new = Pseudonyms([b"a" * 32, b"b" * 32])
    assert new.of_email("maud@example.org") == new.wrap("email", old.of_email("maud@example.org"))
    assert new.of_email("maud@example.org") not in (
        old.of_email("maud@example.org"),
        Pseudonyms(b"b" * 32).of_email("maud@example.org"),
    )
    with pytest.raises(ValueError, match="32 bytes"):
        Pseudonyms([b"a" * 32, b"short"])


@pytest.mark.parametrize("drop_hashes", [False, True])
def test_keys_corrections_lists_and_sealed_keys_outlive_a_rotation(
    make_app: Callable[..., Flask], prepared: Settings, database: Database, clock, drop_hashes: bool
):
    app = make_app()
    client, parts = app.test_client(), app.extensions[EXTENSION]
    parts.administration.add(ALICE, Side.DENY, Kind.EMAIL, "denied@example.org")
    vault = KeyVault(parts.pseudonyms)
    PolicyStore(database, SiteStore()).put_webhook(ALICE, WebhookMode.PUBLIC, vault.seal(ALICE_KEY), clock())
    assert client.post("/1.1/comment-check", data=a_form()).get_data() == b"false"
    client.post("/1.1/submit-spam", data=a_form(reporter="moderator"))
    for _ in range(2):
        new = turned(prepared, database, drop_hashes=drop_hashes)
    # A rotation takes longer than keys and policies are remembered for.
    time.sleep(1.1)
    # The application that ran all the time goes on by itself, and so does a new one.
    for each in (client, make_app().test_client()):
        assert (
            each.post("/1.1/verify-key", data={"key": ALICE_KEY, "blog": ALICE_SITE}).get_data() == b"valid"
        )
        denied = a_form(comment_author_email="Denied@example.org")
        assert each.post("/1.1/comment-check", data=denied).get_data() == b"true"
    client.post("/1.1/submit-ham", data=a_form(reporter="moderator"))
    with database.read() as connection:
        effective = connection.execute(
            select(feedback.c.label).where(feedback.c.superseded_by.is_(None))
        ).scalars()
        assert list(effective) == ["ham"], "the same comment is still known"
        first = connection.execute(select(checks).order_by(checks.c.id).limit(1)).one()
        marks = connection.execute(
            select(company_marks.c.content).where(company_marks.c.check_id == first.id).distinct()
        ).scalars()
        assert list(marks) == [content_number(first.content_hash)]
        [label, *_] = connection.execute(select(feedback).order_by(feedback.c.id)).all()
        sealed = connection.execute(select(site_policies.c.webhook_key)).scalar_one()
    names = Pseudonyms(new)
    assert KeyVault(names).open(sealed) == ALICE_KEY
    expected = None if drop_hashes else names.of_email(a_form()["comment_author_email"])
    assert (first.email_hash, label.email_hash) == (expected, expected)
    assert first.ip_hash == (None if drop_hashes else names.of_ip(a_form()["user_ip"]))
    assert label.reporter_hash == ("" if drop_hashes else names.of_reporter("moderator"))


def test_while_it_runs_nothing_is_judged_and_nothing_recorded(
    make_app: Callable[..., Flask], prepared: Settings, database: Database
):
    app = make_app()
    client, parts = app.test_client(), app.extensions[EXTENSION]
    old = load_or_create_secret(prepared.data_dir)
    SecretStore(database).mark(Pseudonyms(old).check)
    parts.keys._cache.clear()
    answer = client.post("/1.1/comment-check", data=a_form())
    assert (answer.status_code, answer.get_data(as_text=True)) == (503, "unavailable")
    assert answer.headers["X-akismet-guid"]
    with database.read() as connection:
        assert connection.execute(select(func.count()).select_from(checks)).scalar_one() == 0
    # Its process was killed: the worker's next look puts things right, without a start.
    write_secret(prepared.data_dir, (*old, os.urandom(32)))
    mend_rotation(prepared, database)
    assert load_or_create_secret(prepared.data_dir) == old
    assert client.post("/1.1/comment-check", data=a_form()).get_data() == b"false"


def test_a_process_with_an_old_secret_is_unavailable_rather_than_wrong(
    make_app: Callable[..., Flask], prepared: Settings, database: Database
):
    [text] = [secret.hex() for secret in load_or_create_secret(prepared.data_dir)]
    given = prepared.model_copy(update={"secret": SecretStr(text)})
    with pytest.raises(StartRefused, match="not the one"):
        prepare(given, first_key=False)
    app = make_app()
    client, parts = app.test_client(), app.extensions[EXTENSION]
    new = turned(prepared, database)
    parts.keys._cache.clear()
    write_secret(prepared.data_dir, new[:1])
    assert client.post("/1.1/comment-check", data=a_form()).status_code == 503
    write_secret(prepared.data_dir, new)
    assert client.post("/1.1/comment-check", data=a_form()).status_code == 200


def test_a_given_secret_is_rotated_by_one_more_line(settings: Settings):
    first, second = "a" * 40, "b" * 40
    one = settings.model_copy(update={"secret": SecretStr(first)})
    two = settings.model_copy(update={"secret": SecretStr(f"{first}\n{second}\n")})
    made = prepare(one, first_key=True).first_key
    with pytest.raises(StartRefused, match="replyguard secret rotate"):
        prepare(two, first_key=False)
    prepare(one, first_key=False)
    database = Database(settings.sqlalchemy_url, timeout_s=5.0)
    old, new = Pseudonyms(secret_of(one)), Pseudonyms(secret_of(two))
    rotate(SecretStore(database), old, new, drop_hashes=False, settle=lambda: None)
    assert prepare(two, first_key=True).first_key is None
    with pytest.raises(StartRefused, match="not the one"):
        prepare(one, first_key=False)
    with pytest.raises(RotationBroken):
        rotate(SecretStore(database), old, new, drop_hashes=False, settle=lambda: None)
    assert made is not None
    database.close()


_KILLED = """
import os, signal, sys
from pathlib import Path
from service.db import Database
from service.doctor import examine
from service.pseudonyms import Pseudonyms, load_or_create_secret, write_secret
from service.rotation import rotate
from service.stores import secrets
from sqlalchemy import make_url
folder, url, moment = Path(sys.argv[1]), make_url(sys.argv[2]), sys.argv[3]
def die(*_, **__): os.kill(os.getpid(), signal.SIGKILL)
old = load_or_create_secret(folder)
new = (*old, os.urandom(32))
write_secret(folder, new)
if moment == "file": die()
if moment == "middle":
    real = secrets._rekey_table
    def torn(connection, table, *rest):
        if table is secrets.feedback: die()
        return real(connection, table, *rest)
    secrets._rekey_table = torn
settle = die if moment == "marked" else lambda: None
rotate(secrets.SecretStore(Database(url, timeout_s=5.0)), Pseudonyms(old), Pseudonyms(new), drop_hashes=True,
       settle=settle)
die()
"""


@pytest.mark.parametrize("moment", ["file", "marked", "middle", "done"])
def test_a_kill_at_any_moment_leaves_the_old_state_or_the_new_one(
    make_app: Callable[..., Flask], prepared: Settings, database: Database, moment: str
):
    client = make_app().test_client()
    assert client.post("/1.1/comment-check", data=a_form()).get_data() == b"false"
    before = load_or_create_secret(prepared.data_dir)
    url = prepared.sqlalchemy_url.render_as_string(hide_password=False)
    died = subprocess.run(
        [sys.executable, "-c", _KILLED, str(prepared.data_dir), url, moment], timeout=60, check=False
    )
    assert died.returncode == -signal.SIGKILL
    prepare(prepared, first_key=False)
    after = load_or_create_secret(prepared.data_dir)
    assert (after == before) == (moment != "done")
    with database.read() as connection:
        assert (
            connection.execute(select(meta.c.value).where(meta.c.name == "secret-check")).scalar_one()
            == Pseudonyms(after).check
        )
        kept = connection.execute(select(checks.c.email_hash)).scalar_one()
    assert kept == (None if moment == "done" else Pseudonyms(after).of_email("maud@mail.example.org"))
    fresh = make_app().test_client()
    assert fresh.post("/1.1/comment-check", data=a_form()).get_data() == b"false"


@pytest.mark.skipif(os.geteuid() != 0 and bool(TEST_DATABASE_URL), reason="needs a data folder")
def test_a_secret_that_everybody_can_read_is_refused_at_start(prepared: Settings):
    path = prepared.data_dir / "secret"
    path.chmod(0o644)
    with pytest.raises(StartRefused, match=f"chmod 600 {path}"):
        prepare(prepared, first_key=False)
    path.chmod(0o600)
    prepare(prepared, first_key=False)


@pytest.mark.parametrize(("mode", "is_told"), [(0o644, True), (0o640, False), (0o600, False)])
def test_the_doctor_sees_a_secret_file_that_everybody_can_read(
    prepared: Settings, tmp_path: Path, mode: int, is_told: bool
) -> None:
    path = tmp_path / "mounted"
    path.write_text("s" * 64)
    path.chmod(mode)
    found = examine({"REPLYGUARD_DATA_DIR": str(prepared.data_dir), "REPLYGUARD_SECRET_FILE": str(path)})
    told = [finding for finding in found if "REPLYGUARD_SECRET_FILE" in finding.what]
    assert [finding.remedy for finding in told] == ([f"chmod 640 {path}, or 600"] if is_told else [])
