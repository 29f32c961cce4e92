import json

import pytest
from click.testing import CliRunner

from model import artifact
from tests.toy import TOY_PARAMS, toy_classifier, toy_corpus
from training import run
from training.__main__ import main
from training.fit import fit_linear
from training.matrix import make_matrix
from training.tables import report_to_markdown


def test_the_same_corpus_gives_the_same_bytes(tmp_path):
    again = run.fit_version(toy_corpus(), TOY_PARAMS)
    assert again.version == toy_classifier().version
    artifact.save(toy_classifier(), tmp_path / "one" / again.version)
    artifact.save(again, tmp_path / "two" / again.version)
    for path in (tmp_path / "one" / again.version).iterdir():
        assert path.read_bytes() == (tmp_path / "two" / again.version / path.name).read_bytes()


def test_the_card_tells_what_it_was_fitted_on():
    page = toy_classifier().card.to_markdown()
    assert "512 comments (256 spam, 256 ham)" in page
    assert "site-0" in page
    assert toy_classifier().version in page


def test_sources_left_out_are_judged_by_fits_on_the_others():
    report = run.evaluate(toy_corpus(), TOY_PARAMS)
    assert [row.source for row in report.sources] == ["site-0", "site-1", "site-2", "site-3"]
    assert all(row.n_spam == row.n_ham == 64 for row in report.sources)
    assert report.means["blog_auc"] > 0.6
    table = report_to_markdown(report)
    assert "| site-2 | 64 | 64 |" in table
    assert "casino" not in table
    json.dumps(report.as_dict(), allow_nan=False)


def test_a_report_can_be_of_some_sources_only():
    report = run.evaluate(toy_corpus(), TOY_PARAMS, only=["site-1"])
    assert [row.source for row in report.sources] == ["site-1"]


def test_one_label_cannot_be_fitted():
    ham = [row for row in toy_corpus() if not row.is_spam]
    with pytest.raises(ValueError, match="class"):
        fit_linear(make_matrix(ham, TOY_PARAMS.features), TOY_PARAMS)


def test_a_missing_corpus_is_named(tmp_path):
    result = CliRunner().invoke(main, ["evaluate", "--corpora", str(tmp_path)])
    assert result.exit_code == 1
    assert "REPLYGUARD_CORPORA" in result.output


def test_without_a_folder_nothing_is_guessed(monkeypatch):
    monkeypatch.delenv("REPLYGUARD_CORPORA", raising=False)
    result = CliRunner().invoke(main, ["evaluate"])
    assert result.exit_code == 2
    assert "--corpora or set REPLYGUARD_CORPORA" in " ".join(result.output.split())
