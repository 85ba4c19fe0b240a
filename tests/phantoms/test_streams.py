"""A stream is its own, and stays what it is: phantoms of every version come from the same numbers."""

from __future__ import annotations

from neuralgraph.phantoms.streams import Purpose, Streams


def test_a_stream_does_not_depend_on_the_use_of_another():
    streams = Streams(1, 0, 2)
    alone = streams.get(3, Purpose.POSE).random()
    streams.get(3, Purpose.BODY).random(100)
    assert streams.get(3, Purpose.POSE).random() == alone


def test_every_part_of_the_key_counts():
    keys = [(1, 0, 2, 3, 0), (2, 0, 2, 3, 0), (1, 1, 2, 3, 0), (1, 0, 3, 3, 0), (1, 0, 2, 4, 0), (1, 0, 2, 3, 1)]
    drawn = {Streams(*key[:3]).get(key[3], Purpose.POSE, key[4]).random() for key in keys}
    assert len(drawn | {Streams(1, 0, 2).get(3, Purpose.BODY).random()}) == 7


def test_the_numbers_are_part_of_every_phantom():
    assert [purpose.value for purpose in Purpose] == list(range(9))
    assert Streams(1, 0, 2).seed_of(3, Purpose.BODY) == 468821520
