import pytest
from click.testing import CliRunner

from model.comment import LabeledComment
from tests.toy import toy_corpus
from training.__main__ import main
from training.experiment import ExperimentError, read_variants, run_variants, to_markdown

TOML = """
[base]
features = {bits = 14}
[[variant]]
name = "as it is"
[[variant]]
name = "longer"
features = {grams = [3, 4]}
inverse_penalty = 1.0
balance = {other_ham = 0.5}
kinds = ["blog"]
"""


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "x.toml"
    path.write_text(TOML)
    return path


def test_variants_change_what_they_name(path):
    first, second = read_variants(path)
    assert (first.params.features.bits, second.params.features.bits) == (14, 14)
    assert second.params.features.grams == (3, 4)
    assert (second.params.inverse_penalty, second.params.balance.other_ham) == (1.0, 0.5)
    assert first.params.inverse_penalty != 1.0
    assert second.kinds == ("blog",)


@pytest.mark.parametrize("line", ["features = {bit = 3}", "nothing = 1", "features = {bits = 99}"])
def test_an_unusable_setting_is_named(path, line):
    path.write_text(f'[[variant]]\nname = "odd"\n{line}\n')
    with pytest.raises(ExperimentError, match=r"'odd'.*(bit|nothing|bits)"):
        read_variants(path)


def test_every_variant_is_judged_on_every_blog(path):
    rows: list[LabeledComment] = toy_corpus()
    outcomes = list(run_variants(rows, read_variants(path)))
    assert [(outcome.variant, outcome.source) for outcome in outcomes] == [
        (variant, f"site-{number}") for variant in ("as it is", "longer") for number in range(4)
    ]
    assert to_markdown(outcomes).splitlines()[3].startswith("| longer |")


def test_a_broken_file_is_refused(tmp_path):
    path = tmp_path / "x.toml"
    path.write_text("[[variant")
    result = CliRunner().invoke(main, ["experiment", str(path)])
    assert result.exit_code == 1
