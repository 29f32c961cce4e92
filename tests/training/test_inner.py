import json

import pytest

from tests.toy import TOY_PARAMS, toy_corpus
from training import inner
from training.fit import FitParams
from training.inner import Setting, as_dict, choose_inside, to_markdown

GRID = (Setting(0.1, 0.0), Setting(1e-9, 0.0))


@pytest.fixture(scope="module")
def choices():
    return choose_inside(toy_corpus(), TOY_PARAMS, grid=GRID)


def test_each_blog_gets_the_setting_that_is_best_on_the_others(choices):
    assert [choice.source for choice in choices] == [f"site-{number}" for number in range(4)]
    for choice in choices:
        assert choice.chosen in GRID
        assert set(choice.outer) == set(GRID)


def test_no_inner_fit_sees_the_outer_blog():
    # Of four blogs, six pairs are left out together, then each alone.
    told = []
    choose_inside(toy_corpus(), TOY_PARAMS, grid=GRID[:1], progress=told.append)
    assert len(told) == 6 + 4
    assert told[0] == "without site-0 and site-1"


def test_rows_of_the_outer_blog_do_not_change_its_choice(choices):
    fewer = [row for row in toy_corpus() if row.source != "site-1" or not row.id.endswith("1")]
    again = choose_inside(fewer, TOY_PARAMS, grid=GRID)
    assert again[1].chosen == choices[1].chosen
    assert again[1].inner == choices[1].inner


def test_the_honest_mean_is_of_the_chosen_settings(choices):
    data = as_dict(choices)
    wanted = sum(choice.outer[choice.chosen].recall_1 for choice in choices) / 4
    assert data["honest"]["recall_1"] == pytest.approx(wanted)
    assert set(data["fixed"]) == {str(setting) for setting in GRID}
    json.dumps(data, allow_nan=False)
    assert "| chosen by inner folds |" in to_markdown(choices)


def test_two_blogs_are_too_few():
    rows = [row for row in toy_corpus() if row.source in {"site-0", "site-1"}]
    with pytest.raises(ValueError, match="three blogs"):
        choose_inside(rows, TOY_PARAMS)


def test_the_grid_holds_what_ships():
    params = FitParams()
    assert Setting(params.inverse_penalty, params.evidence_power) in inner.GRID
