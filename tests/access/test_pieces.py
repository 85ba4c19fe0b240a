"""Parts of a file: found as they were put, whatever the order, and the oldest let go."""

from __future__ import annotations

import random

from neuralgraph.access.pieces import NEAR, Pieces, merged

WHOLE = bytes(random.Random(1).randbytes(500))


def test_close_ranges_are_one():
    assert merged([(10, 20), (0, 5)]) == [(0, 20)]
    assert merged([(0, 5), (5 + NEAR + 1, 10 + NEAR)]) == [(0, 5), (5 + NEAR + 1, 10 + NEAR)]
    assert merged([(0, 50), (10, 20)]) == [(0, 50)]
    assert merged([]) == []


def test_any_pieces_in_any_order():
    for seed in range(200):
        draws = random.Random(seed)
        pieces, present = Pieces(), set()
        for _ in range(draws.randrange(1, 12)):
            start, stop = sorted(draws.sample(range(501), 2))
            pieces.add(start, memoryview(WHOLE)[start:stop])
            present |= set(range(start, stop))
        assert pieces.bytes == len(present)
        for _ in range(40):
            start, stop = sorted(draws.sample(range(501), 2))
            wanted = set(range(start, stop))
            found = pieces.find(start, stop)
            assert (found is not None) == (wanted <= present)
            assert found is None or bytes(found) == WHOLE[start:stop]
            missing = {place for gap in pieces.gaps(start, stop) for place in range(*gap)}
            assert missing == wanted - present
            reached = pieces.reach(start)
            assert set(range(start, reached)) <= present
            assert reached not in present
        most = draws.randrange(500)
        pieces.drop(most)
        assert pieces.bytes <= most


def test_the_oldest_goes_first_and_what_is_to_stay_stays():
    pieces = Pieces()
    pieces.add(0, memoryview(WHOLE)[:10], to_stay=True)
    pieces.add(100, memoryview(WHOLE)[100:110])
    pieces.add(50, memoryview(WHOLE)[50:60])
    pieces.drop(10)
    assert pieces.find(100, 105) is None
    assert pieces.find(50, 60) is not None
    pieces.drop(0)
    assert pieces.find(50, 60) is None
    assert pieces.find(0, 10) is not None
    pieces.clear()
    assert pieces.find(0, 10) is None
    assert pieces.bytes == 0
