"""Near-copies share marks, strangers do not, and nobody is company to themselves."""

from __future__ import annotations

from model import company
from model.comment import Comment
from model.company import Meeting, Sort
from model.document import prepare
from model.wording import wording

TEXT = (
    "I have been looking for a page like this one for months and am glad that somebody took the time to write "
    "down how the old lighthouse was built and who paid for it in the end"
)


def marks(comment):
    document = prepare(comment)
    return company.marks(document, wording(document))


def count(comment, *earlier):
    meetings = [
        Meeting(place, company.author_of(other), mark)
        for place, other in enumerate(earlier)
        for mark in marks(other)
        if mark in marks(comment)
    ]
    return company.count(company.author_of(comment), meetings)


def test_a_near_copy_under_another_name_is_company():
    met = count(
        Comment(body=f"{TEXT}. Bye!", author="Ann"), Comment(body=f"<b>{TEXT.upper()}</b>", author="Bob")
    )
    assert (met.near, met.opening) == (1, 1)


def test_nobody_is_company_to_themselves():
    assert count(Comment(body=TEXT, author="ann "), Comment(body=TEXT, author="Ann")) == company.Company()


def test_different_texts_share_nothing():
    other = "The ferry to the island leaves at nine, and whoever misses it has to wait until the afternoon."
    assert count(Comment(body=TEXT, author="Ann"), Comment(body=other, author="Bob")) == company.Company()


def test_a_domain_is_counted_by_the_names_that_bring_it():
    earlier = [
        Comment(body="see http://shop.example.com/a", author="Bob"),
        Comment(body="nice", url="https://www.shop.example.com/", author="Cy"),
        Comment(body="nice", url="https://github.com/", author="Di"),
    ]
    assert count(Comment(body="hello", url="http://example.com", author="Ann"), *earlier).domain == 2
    assert count(Comment(body="hello", url="https://github.com/ann", author="Ann"), *earlier).domain == 0


def test_short_texts_have_no_wording():
    assert marks(Comment(body="Thanks a lot, great!", author="Ann")) == ()
    assert {mark.sort for mark in marks(Comment(body=TEXT))} == set(Sort) - {Sort.DOMAIN}


def test_marks_fit_a_signed_column():
    assert all(0 <= mark.value < 2**63 for mark in marks(Comment(body=TEXT, url="http://a.example.com")))
    assert 0 <= company.author_of(Comment(author="Ann")) < 2**63
