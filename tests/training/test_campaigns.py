import numpy as np

from model.comment import Comment, Label, LabeledComment
from tests.toy import toy_corpus
from training.campaigns import campaigns


def row(body, source="a"):
    return LabeledComment(Comment(body=body), Label.SPAM, source=source)


LONG = "we sell the finest garden gnomes in the whole county and ship them to your door by the next friday"


def test_near_copies_are_one_campaign():
    found = campaigns(
        [row(LONG), row(LONG + " Call 17!"), row("my gnome fell over in the storm, any advice?")]
    )
    assert found[0] == found[1] != found[2]


def test_styled_letters_and_case_do_not_hide_a_copy():
    styled = "".join(chr(0x1D5EE + ord(letter) - 97) if letter.isalpha() else letter for letter in LONG)
    found = campaigns([row(LONG), row(styled), row(LONG.upper())])
    assert len(set(found.tolist())) == 1


def test_a_campaign_ends_at_its_source():
    found = campaigns([row(LONG, "a"), row(LONG, "b")])
    assert found[0] != found[1]


def test_texts_without_words_stand_alone():
    found = campaigns([row(""), row("!!!"), row(""), row("gnomes"), row("gnomes")])
    assert len(set(found.tolist())) == 4
    assert found[3] == found[4]


def test_nothing_but_empty_texts_is_no_error():
    assert len(set(campaigns([row(""), row("")]).tolist())) == 2


def test_the_last_words_of_one_text_do_not_join_the_first_of_the_next():
    alone = campaigns([row("red gnome"), row("blue gnome")])
    assert alone[0] != alone[1]
    assert campaigns([row("gnome red"), row("red gnome")]).tolist() == [0, 1]


def test_scripts_without_spaces_are_compared_letter_by_letter():
    text = "花园里的小矮人现在打折出售欢迎大家来看看"
    found = campaigns([row(text), row(text + "吧"), row("昨天的暴风雨把我的栅栏吹倒了怎么办才好")])
    assert found[0] == found[1] != found[2]


def test_the_grouping_does_not_depend_on_the_order():
    rows = toy_corpus()[:200]
    order = np.random.default_rng(3).permutation(len(rows))
    straight = campaigns(rows)
    shuffled = campaigns([rows[place] for place in order.tolist()])
    same = straight[order][:, None] == straight[order][None, :]
    assert np.mean(same == (shuffled[:, None] == shuffled[None, :])) > 0.99
