"""Nothing enters and nothing is stored that the declaration does not name."""

from __future__ import annotations

import re
from dataclasses import replace
from inspect import getsource
from typing import ClassVar

import pytest
from flask import Request
from flask.testing import FlaskClient
from pydantic import BaseModel
from sqlalchemy import inspect
from werkzeug.datastructures import ImmutableMultiDict

from model.comment import Comment
from model.document import prepare
from service.akismet.form import Form
from service.db import Database
from service.declaration.received import (
    AKISMET_OF_OTHERS,
    APPEAL_OF_OTHERS,
    RECEIVED,
    V1_OF_APPEALS,
    V1_OF_LISTS,
    V1_OF_OTHERS,
)
from service.declaration.stored import OF_OTHERS, STORED
from service.declaration.terms import Form as KeptForm
from service.schema import metadata
from service.stores.comments import COMMENT_COLUMNS
from service.v1.operations import OPERATIONS, PARAMETERS
from tests.builders import ALICE_SITE, a_form

AKISMET = {name for each in RECEIVED for name in each.akismet} | AKISMET_OF_OTHERS
V1 = {name for each in RECEIVED for name in each.v1} | V1_OF_OTHERS | V1_OF_LISTS | V1_OF_APPEALS
APPEAL = {name for each in RECEIVED for name in each.appeal} | APPEAL_OF_OTHERS


def test_every_column_of_the_migrated_database_is_declared_once(database: Database):
    with database.read() as connection:
        look = inspect(connection)
        found = {
            f"{table}.{column['name']}"
            for table in look.get_table_names()
            for column in look.get_columns(table)
        }
    about_commenters = {f"{table}.{name}" for table, items in STORED.items() for name in items}
    of_others = {f"{table}.{name}" for table, names in OF_OTHERS.items() for name in names}
    assert found - about_commenters - of_others == set(), "declare these in service/declaration/stored.py"
    assert (about_commenters | of_others) - found == set(), "declared, but not in the database"
    assert about_commenters & of_others == set()


def test_the_schema_carries_what_is_declared():
    for table, items in STORED.items():
        for name, item in items.items():
            assert metadata.tables[table].c[name].info == {
                "notice": item.words,
                "retention": item.retention.value,
            }
    for table, names in OF_OTHERS.items():
        if table in metadata.tables:
            assert not any(metadata.tables[table].c[name].info for name in names)


def test_the_akismet_wire_reads_only_what_is_declared(client: FlaskClient, monkeypatch: pytest.MonkeyPatch):
    read: set[str] = set()

    def recording(method):
        def wrapper(self, name):
            read.add(name)
            return method(self, name)

        return wrapper

    for name in ("text", "texts", "__contains__"):
        monkeypatch.setattr(Form, name, recording(getattr(Form, name)))
    rules = [
        rule
        for rule in client.application.url_map.iter_rules()
        if rule.endpoint.startswith(("akismet_", "comments."))
    ]
    assert len(rules) > 10
    for rule in rules:
        for method in rule.methods & {"GET", "POST"}:
            form = a_form(key=a_form()["api_key"], extended="1")
            client.open(rule.rule, method=method, data=form)
            client.open(rule.rule, method=method, data=form | {"honeypot_field_name": "comment_author"})
    assert {"comment_content", "reporter", "order", "extended", "POST_ak_hp_textarea"} <= read
    assert read - AKISMET == set(), "declare these in service/declaration/received.py"


def test_the_form_looks_at_no_field_by_itself_but_declared_ones():
    # The constructor reads the character set before any field is asked for.
    source = getsource(Form.__init__)
    assert set(re.findall(r'_values\.get\("(\w+)"\)', source)) <= AKISMET


def fields_of(model: type[BaseModel]) -> set[str]:
    """Return the fields of a model and of those in it, each under the class that first names it."""
    names = set()
    for name, field in model.model_fields.items():
        owner = next(
            each
            for each in reversed(model.__mro__)
            if issubclass(each, BaseModel) and name in each.model_fields
        )
        names.add(f"{owner.__name__}.{name}")
        for inner in (field.annotation, *getattr(field.annotation, "__args__", ())):
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                names |= fields_of(inner)
    return names


def test_our_own_api_takes_only_what_is_declared():
    taken = set(PARAMETERS)
    for operation in OPERATIONS:
        if operation.body is not None:
            taken |= fields_of(operation.body)
    assert "CommentIn.author_email" in taken
    assert taken - V1 == set(), "declare these in service/declaration/received.py"
    assert V1 - taken == {"Authorization", "Idempotency-Key"}


class Recording(ImmutableMultiDict):
    """Fields of a request that remember which of them were asked for."""

    read: ClassVar[set[str]] = set()

    def get(self, key, *arguments, **named):
        self.read.add(key)
        return super().get(key, *arguments, **named)

    def __getitem__(self, key):
        self.read.add(key)
        return super().__getitem__(key)


class RecordingRequest(Request):
    parameter_storage_class = Recording


def test_an_appeal_takes_only_what_is_declared(client: FlaskClient):
    client.application.request_class = RecordingRequest
    Recording.read.clear()
    fields = {
        "site": ALICE_SITE,
        "email": "maud@mail.example.org",
        "reference": "f" * 32,
        "message": "Please.",
    }
    shown = client.get("/privacy/appeal", query_string={"site": ALICE_SITE, "lang": "de"})
    sent = client.post("/privacy/appeal", data=fields)
    client.get(sent.location)
    offered = set(re.findall(r'<(?:input|textarea)[^>]* name="(\w+)"', shown.get_data(as_text=True)))
    assert sent.status_code == 303
    assert {"email", "message", "homepage", "lang"} <= Recording.read
    assert (Recording.read | offered) - APPEAL == set(), "declare these in service/declaration/received.py"
    # Not a field: where the request comes from.
    assert APPEAL - Recording.read == {"address"}


def test_what_is_received_names_columns_that_exist():
    columns = STORED["checks"] | STORED["feedback"]
    columns |= {f"appeals.{name}": item for name, item in STORED["appeals"].items()}
    assert {name for each in RECEIVED for name in each.columns} <= set(columns)
    assert {name for each in RECEIVED for name in each.columns} >= set(COMMENT_COLUMNS)


#: What the model may read, by its name in ``Comment``, and a value that differs from none.
READABLE = {
    "body": ("body", "cheap"),
    "author": ("author", "Maud"),
    "url": ("url", "https://maud.example/"),
    "email": ("email", "maud@mail.example"),
    "permalink": ("permalink", "https://alice.example.com/cheap-tyres"),
    "post_title": ("post_title", "cheap tyres"),
    "post_text": ("post_text", "cheap tyres"),
    "tags": ("tags", ("cheap",)),
    "kind": ("kind", "trackback"),
    "site_lang": ("site_lang", "ru"),
    "referrer": ("referrer", "https://cheap.example/"),
    "honeypot": ("honeypot", "cheap"),
    "nonce": ("nonce", "failed"),
    "user_agent": ("user_agent", "cheap"),
}


@pytest.mark.parametrize("name", READABLE)
def test_what_the_model_is_declared_to_read_is_what_it_reads(name: str):
    plain = Comment(body="cheap tyres for sale and more words here", author="Anna")
    field, value = READABLE[name]
    reads = _seen(plain) != _seen(replace(plain, **{field: value}))
    [received] = [each for each in RECEIVED if each.name == name]
    learnt = any(STORED["feedback"][column].learnt for column in received.columns)
    assert reads == (learnt or (received.used and not received.columns))


def _seen(comment: Comment) -> tuple[object, ...]:
    document = prepare(comment)
    return sorted(document.facts), [bytes(segment.codes) for segment in document.segments]


def test_what_identifies_a_person_is_never_declared_clear():
    columns = STORED["checks"] | STORED["feedback"]
    for name in ("email_hash", "ip_hash", "reporter_hash"):
        assert columns[name].form is KeptForm.HASHED
        assert not columns[name].learnt
    assert {STORED["appeals"][name].form for name in ("email_hash", "ip_hash")} == {KeptForm.HASHED}
