from __future__ import annotations

from model.comment import Comment, Label, LabeledComment
from training.company import accompany

TEXT = "I was looking for exactly this and will tell all of my friends at work about it tomorrow morning"


def row(author, date, source="a", kind="blog"):
    return LabeledComment(Comment(body=TEXT, author=author), Label.SPAM, source=source, date=date, kind=kind)


def test_only_earlier_comments_of_the_same_source_are_company():
    late, early, elsewhere = row("Ann", "2020-02-01"), row("Bob", "2020-01-01"), row("Cy", "2019-01-01", "b")
    found = accompany([late, early, elsewhere])
    assert [one.comment.author for one in found] == ["Ann", "Bob", "Cy"]
    assert [one.comment.company.near for one in found] == [1, 0, 0]


def test_what_was_generated_stays_alone():
    rows = [row("Ann", "", kind="generated"), row("Bob", "", kind="generated")]
    assert [one.comment.company for one in accompany(rows)] == [None, None]
