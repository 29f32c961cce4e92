import itertools

import numpy as np
import pytest

from model import hashing, text


def polynomial(word: str) -> int:
    base = 0x9E3779B97F4A7C15 | 1
    return sum(ord(char) * pow(base, place, 1 << 64) for place, char in enumerate(word)) % (1 << 64)


def test_a_span_hashes_alike_wherever_it_stands():
    source = "abc xabc"
    sums = hashing.prefix_sums(text.code_points(source))
    hashes = hashing.spans(sums, np.array([0, 5]), np.array([3, 8]))
    assert hashes[0] == hashes[1] == polynomial("abc")


def test_windows_are_spans_of_one_length():
    source = "hashing"
    sums = hashing.prefix_sums(text.code_points(source))
    assert hashing.windows(sums, 3).tolist() == [polynomial(source[i : i + 3]) for i in range(5)]
    assert hashing.windows(sums, 8).size == 0


def test_the_order_of_a_pair_counts():
    first, second = np.array([1], np.uint64), np.array([2], np.uint64)
    assert hashing.pairs(first, second) != hashing.pairs(second, first)


def test_mixed_hashes_fill_a_table_evenly():
    hashes = hashing.mix(np.arange(1 << 14, dtype=np.uint64)) >> np.uint64(64 - 8)
    counts = np.bincount(hashes.astype(int), minlength=256)
    assert counts.min() > 30
    assert counts.max() < 110


def test_too_long_a_text_is_refused():
    with pytest.raises(ValueError, match="at most"):
        hashing.prefix_sums(np.zeros(hashing.MAX_CODES + 1, np.uint32))


@pytest.mark.parametrize("values", [[], [7], [3, 1, 3, 3, 2, 1]])
def test_equal_values_come_together_in_their_order(values):
    groups = hashing.group(np.array(values, dtype=np.uint32))
    assert groups.values.tolist() == sorted(set(values))
    assert groups.values[groups.of].tolist() == values
    members = [groups.order[begin:end].tolist() for begin, end in itertools.pairwise(groups.begins.tolist())]
    assert members == [
        [at for at, other in enumerate(values) if other == value] for value in sorted(set(values))
    ]
