"""``ngr info`` says what a film is worth and what was done to it."""

import pytest

from neuralgraph.cli.film_words import film_words


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({}, ""),
        ({"format": "png"}, ""),
        ({"quality": "good", "grey_span": 0.9}, "good, 90% of the grey scale"),
        (
            {"quality": "rescued", "grey_span": 0.4, "rescue": "another window", "position": "supine"},
            "rescued, 40% of the grey scale; not shown as its header first asks: another window; patient supine",
        ),
        (
            {"turned": "mirrored", "turned_by": "patient orientation", "stored_size": [128.0, 96.0], "squared": True},
            "mirrored (by its patient orientation); made of square pixels; stored as 96 x 128",
        ),
        (
            {"orientation": "unclear", "text_marks": 1},
            "patient orientation unclear, left as stored; 1 line of what looks like letters",
        ),
        # Facts are free: files of others may hold anything.
        ({"turned": True, "stored_size": 7, "grey_span": "much", "quality": 3}, "3; True (by its source)"),
    ],
)
def test_words(facts, said):
    assert film_words(facts) == said
