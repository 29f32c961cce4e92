import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.markup import to_plain


def words(source: str) -> list[str]:
    return to_plain(source).text.split()


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("plain text", ["plain", "text"]),
        (
            'see <a href="http://a.example/x">my page</a> now',
            ["see", "my", "page", "http://a.example/x", "now"],
        ),
        ("cheap v<b></b>iag<i>r</i>a", ["cheap", "viagra"]),
        ("one<br>two<p>three", ["one", "two", "three"]),
        ("a &lt; b &amp;&#32;c", ["a", "<", "b", "&", "c"]),
        ("if a < b and c > d", ["if", "a", "<", "b", "and", "c", ">", "d"]),
        ("seen<!-- unseen --> <script>evil()</script>here", ["seen", "here"]),
        ("[url=http://a.example]click[/url] [b]bold[/b]", ["http://a.example", "click", "bold"]),
        ("[url]http://a.example[/url]", ["http://a.example"]),
        ("[label](http://a.example/x)", ["label", "http://a.example/x"]),
        ("array[0] and [sic] stay", ["array[0]", "and", "[sic]", "stay"]),
        ("<img src='http://a.example/i.png'>", ["http://a.example/i.png"]),
    ],
)
def test_markup_becomes_what_a_reader_sees(source, expected):
    assert words(source) == expected


def test_text_hidden_from_readers_is_read_and_counted():
    plain = to_plain('hi <span style="display: none">casino</span>')
    assert "casino" in plain.text
    assert plain.n_hidden == 1


def test_every_copied_character_knows_its_place():
    source = 'one <a href="http://a.example">t&amp;wo</a> &lt;three'
    plain = to_plain(source)
    for word in ("one", "wo", "three"):
        at = plain.text.index(word)
        places = plain.origin[at : at + len(word)]
        assert source[places[0] : places[-1] + 1] == word


@given(st.text("<>/&;ab =\"'!-[]()#xurl:.\n", max_size=200))
@settings(max_examples=400, deadline=None)
def test_any_markup_is_taken_and_places_lie_in_the_source(source):
    plain = to_plain(source)
    if plain.origin is not None:
        assert plain.origin.size == len(plain.text)
        assert plain.origin.size == 0 or (
            plain.origin.min() >= 0 and plain.origin.max() < max(len(source), 1)
        )
        assert plain.origin.dtype == np.int32
