from __future__ import annotations

import pytest

from neuralgraph import StudyError
from neuralgraph.batches.targets import check_targets, target_row

LABELS = {"present": 1.0, "absent": 0.0, "uncertain": -1.0, "share": 0.25}


@pytest.mark.parametrize(
    ("uncertain", "value", "known"), [("mask", 0, False), ("zeros", 0, True), ("ones", 1, True), ("keep", -1, True)]
)
def test_only_uncertain_labels_follow_the_policy(uncertain: str, value: float, known: bool) -> None:
    values, mask = target_row(LABELS, ["share", "uncertain", "other", "present", "absent"], uncertain=uncertain)
    assert values.tolist() == [0.25, value, 0, 1, 0]
    assert mask.tolist() == [True, known, False, True, True]
    assert (values.dtype, mask.dtype) == ("float32", "bool")


def test_no_labels_give_empty_rows() -> None:
    values, mask = target_row(LABELS, [], uncertain="mask")
    assert values.shape == mask.shape == (0,)


@pytest.mark.parametrize(
    ("names", "uncertain", "code"), [(["a"], "drop", "E_IDX"), (["a", "a"], "mask", "E_DUP"), ("a", "mask", "E_STUDY")]
)
def test_requests_that_cannot_be_meant(names: list[str], uncertain: str, code: str) -> None:
    with pytest.raises(StudyError) as caught:
        check_targets(names, uncertain)
    assert caught.value.code == code
