import pytest

from model.comment import Comment


def test_a_record_becomes_a_comment():
    comment = Comment.from_record(
        {"content": "hi", "author": None, "author_url": "http://a.example", "tags": ["x"], "unknown": 1}
    )
    assert comment == Comment(body="hi", url="http://a.example", tags=("x",))


@pytest.mark.parametrize(
    ("record", "field"),
    [
        ({}, "content"),
        ({"content": 5}, "content"),
        ({"content": "", "author": []}, "author"),
        ({"content": "", "tags": "x"}, "tags"),
    ],
)
def test_a_bad_record_names_its_field(record, field):
    with pytest.raises(ValueError, match=f"'{field}'"):
        Comment.from_record(record)
