import gzip
import json

import pytest

from training import datasets


def write(path, *lines):
    path.write_bytes(gzip.compress("\n".join(lines).encode()))


def test_a_folder_of_sources_is_read_in_order_of_name(tmp_path):
    write(
        tmp_path / "b.jsonl.gz",
        json.dumps({"label": "ham", "content": "two", "source": "b", "campaign": "c1"}),
    )
    (tmp_path / "a.jsonl").write_text(json.dumps({"label": "spam", "content": "one", "author": "x"}) + "\n\n")
    first, second = datasets.read_folder(tmp_path)
    assert (first.source, first.comment.author, first.is_spam, first.group) == ("a", "x", True, "")
    assert (second.source, second.comment.body, second.is_spam, second.group) == ("b", "two", False, "b/c1")


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{", "line 2"),
        ("[]", "JSON object"),
        ('{"content": "x"}', "'label' is None"),
        ('{"label": "spam"}', "'content' is missing"),
        ('{"label": "spam", "content": "x", "author": 3}', "'author' is int"),
    ],
)
def test_a_bad_line_is_named(tmp_path, line, problem):
    write(tmp_path / "a.jsonl.gz", '{"label": "ham", "content": ""}', line)
    with pytest.raises(datasets.CorpusError, match=problem):
        datasets.read_folder(tmp_path)


def test_an_empty_folder_says_what_to_set(tmp_path):
    with pytest.raises(datasets.CorpusError, match="REPLYGUARD_CORPORA"):
        datasets.read_folder(tmp_path)


def test_licences_come_from_the_table(tmp_path):
    (tmp_path / "README.md").write_text(
        "| source | kind | licence |\n|---|---|---|\n| a | blog | MIT |\n\n| b | x | y |\n"
    )
    assert datasets.read_licences(tmp_path).get("a") == "MIT"
    assert "b" not in datasets.read_licences(tmp_path)


def test_labels_that_reading_proved_wrong_are_corrected(tmp_path):
    write(tmp_path / "a.jsonl.gz", '{"id": "blog-mythz/40", "label": "ham", "content": "x"}')
    assert datasets.read_folder(tmp_path)[0].is_spam
