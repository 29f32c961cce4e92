"""The notice speaks every language whole."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

import service
from service.privacy.languages import LANGUAGES

ROOT = Path(service.__file__).parent
OTHERS = [language for language in LANGUAGES if language != "en"]
PAGES = ("/privacy", "/privacy/snippet", "/privacy/appeal", "/privacy/appeal/received/3f0c-9a1b-77e2")
WRONG = {"site": "http://", "email": "nobody", "reference": "none", "message": "x" * 2001}
METHODS = [("declaration/**.py", "python"), ("privacy/**.py", "python"), ("templates/**.html", "jinja2")]


@pytest.fixture(scope="module")
def wanted() -> set:
    keywords = {"_": None, "gettext": None, "mark": None, "ngettext": (1, 2)}
    catalog = Catalog()
    for _, _, message, _, _ in extract_from_dir(ROOT, METHODS, keywords=keywords):
        catalog.add(message)
    return {message.id for message in catalog if message.id}


def catalog_of(language: str) -> Catalog:
    with (ROOT / "translations" / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file, locale=language)


def placeholders(text: str) -> list[str]:
    return sorted(re.findall(r"%\(\w+\)[sd]", text))


@pytest.mark.parametrize("language", OTHERS)
def test_every_message_is_translated(language, wanted):
    catalog = catalog_of(language)
    found = {message.id for message in catalog if message.id}
    assert found == wanted, "run `make translations`, then translate what is new"
    for message in catalog:
        if not message.id:
            continue
        assert not message.fuzzy, message.id
        texts = message.string if isinstance(message.string, tuple) else (message.string,)
        ids = message.id if isinstance(message.id, tuple) else (message.id,)
        assert len(texts) == (catalog.num_plurals if isinstance(message.id, tuple) else 1)
        for text in texts:
            assert text.strip(), message.id
            assert placeholders(text) == placeholders(ids[-1]), message.id


@pytest.mark.parametrize("language", OTHERS)
def test_the_compiled_catalogue_is_that_of_the_words(language):
    fresh = io.BytesIO()
    write_mo(fresh, catalog_of(language))
    compiled = ROOT / "translations" / language / "LC_MESSAGES" / "messages.mo"
    assert compiled.read_bytes() == fresh.getvalue(), "run `make translations`"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pages_are_in_the_language_that_is_asked_for(client, language, wanted):
    for path in PAGES:
        by_link = client.get(path, query_string={"lang": language})
        by_header = client.get(path, headers={"Accept-Language": f"{language}-XX, tlh;q=0.9"})
        assert by_link.headers["Content-Language"] == by_header.headers["Content-Language"] == language
        assert f'<html lang="{language}">' in by_link.get_data(as_text=True)
    if language != "en":
        sentences = [text for text in wanted if isinstance(text, str) and len(text) > 25 and "'" not in text]
        pages = [client.get(path, query_string={"lang": language}) for path in PAGES if "snippet" not in path]
        pages.append(client.post("/privacy/appeal", query_string={"lang": language}, data=WRONG))
        for page in pages:
            assert [text for text in sentences if text in page.get_data(as_text=True)] == []
