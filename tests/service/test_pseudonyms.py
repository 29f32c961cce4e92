from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest

from service.pseudonyms import Pseudonyms, SecretUnusable, load_or_create_secret, secret_is_private

NAMES = Pseudonyms(b"k" * 32)


def test_one_value_has_one_hash_per_purpose_and_secret() -> None:
    assert NAMES.digest("email", "x") == Pseudonyms(b"k" * 32).digest("email", "x")
    assert NAMES.digest("email", "x") != NAMES.digest("ip", "x")
    assert NAMES.digest("email", "x") != Pseudonyms(b"j" * 32).digest("email", "x")
    assert len(NAMES.digest("email", "\ud800")) == 64


def test_spellings_of_one_identity_have_one_hash() -> None:
    assert NAMES.of_email(" Maud@Example.org ") == NAMES.of_email("maud@example.org")
    assert NAMES.of_ip("2001:DB8:0::7") == NAMES.of_ip("2001:db8::7")
    assert NAMES.of_ip("::ffff:198.51.100.7") == NAMES.of_ip("198.51.100.7")
    assert NAMES.of_ip("not an address") is not None


def test_nothing_has_no_hash() -> None:
    assert (NAMES.of_email(" "), NAMES.of_ip(""), NAMES.of_reporter("")) == (None, None, None)


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Pseudonyms(b"short")


def test_the_secret_is_made_once_and_for_the_owner_only(tmp_path: Path) -> None:
    made = load_or_create_secret(tmp_path)
    assert load_or_create_secret(tmp_path) == made
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600
    assert secret_is_private(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]


def test_many_first_starts_get_one_secret(tmp_path: Path) -> None:
    found: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: found.append(load_or_create_secret(tmp_path))) for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 20
    assert len(set(found)) == 1


@pytest.mark.parametrize("content", ["", "not hex", "abcd", "é"])
def test_a_damaged_secret_is_refused_and_not_replaced(tmp_path: Path, content: str) -> None:
    (tmp_path / "secret").write_text(content)
    with pytest.raises(SecretUnusable, match="backup"):
        load_or_create_secret(tmp_path)
    assert (tmp_path / "secret").read_text() == content


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(SecretUnusable, match="writable"):
        load_or_create_secret(tmp_path / "none")
