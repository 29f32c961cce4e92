import stat

import pytest

from tests.toy import toy_corpus
from training.evaluate import Mistake
from training.mistakes import MistakesPathError, write_mistakes


def some_mistakes():
    return [Mistake(row.id, row.source, row.is_spam, 0.5) for row in toy_corpus()[:3]]


def test_the_file_quotes_and_is_its_owners_alone(tmp_path):
    target = tmp_path / "mistakes.txt"
    target.write_text("older", encoding="utf-8")
    target.chmod(0o644)
    write_mistakes(target, some_mistakes(), toy_corpus())
    text = target.read_text(encoding="utf-8")
    assert toy_corpus()[0].comment.body in text
    assert "== ham/0: ham, score 0.5000" in text
    assert "older" not in text
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_a_place_in_a_repository_is_refused(tmp_path):
    (tmp_path / ".git").mkdir()
    (tmp_path / "deep").mkdir()
    with pytest.raises(MistakesPathError, match="choose a place outside"):
        write_mistakes(tmp_path / "deep" / "mistakes.txt", some_mistakes(), toy_corpus())
    assert not (tmp_path / "deep" / "mistakes.txt").exists()


def test_a_link_into_a_repository_is_refused(tmp_path):
    (tmp_path / "repository" / ".git").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "repository")
    with pytest.raises(MistakesPathError, match="repository"):
        write_mistakes(tmp_path / "link" / "mistakes.txt", some_mistakes(), toy_corpus())


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(MistakesPathError, match="make it first"):
        write_mistakes(tmp_path / "none" / "mistakes.txt", some_mistakes(), toy_corpus())
