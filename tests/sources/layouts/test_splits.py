from neuralgraph.sources.layouts.splits import SPLIT_NAMES, split_named


def test_parts_by_other_names():
    assert {split_named(word) for word in ("val", " Valid ", "DEV", "validation", "validate")} == {"validate"}
    assert [split_named(word) for word in ("training", "testing", *SPLIT_NAMES)] == ["train", "test", *SPLIT_NAMES]
    assert split_named(" Holdout ") == "Holdout"
