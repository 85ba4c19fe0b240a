import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuralgraph.errors import StudyError
from neuralgraph.tasks.binary_scores import auc, calibration, compare_auc


def test_area_by_hand():
    # Pairs (positive, negative): 0.9 beats all three, 0.4 beats 0.1 and ties with 0.4: 4.5 of 6.
    result = auc([1, 1, 0, 0, 0], [0.9, 0.4, 0.4, 0.1, 0.8], resamples=0)
    assert result.value == pytest.approx(4.5 / 6)
    assert (result.positives, result.negatives) == (2, 3)
    # Placements 1 and 0.5 of the positives; 0.75, 1 and 0.5 of the negatives: variances 0.125 and 0.0625.
    assert result.standard_error == pytest.approx((0.125 / 2 + 0.0625 / 3) ** 0.5)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=4, max_size=60))
def test_area_is_the_share_of_pairs_in_order(rows):
    positive = [score for outcome, score in rows if outcome]
    negative = [score for outcome, score in rows if not outcome]
    if min(len(positive), len(negative)) < 2:
        with pytest.raises(StudyError, match="two studies of either outcome"):
            auc(*zip(*rows, strict=True), resamples=0)
        return
    pairs = [(p > n) + 0.5 * (p == n) for p in positive for n in negative]
    assert auc(*zip(*rows, strict=True), resamples=0).value == pytest.approx(np.mean(pairs))


def test_interval_covers_the_truth_about_as_often_as_it_says():
    random = np.random.default_rng(5)
    truth, inside = 0.7602, 0  # of two normal distributions one standard deviation apart
    for number in range(200):
        outcome = np.repeat([True, False], [60, 120])
        result = auc(outcome, random.normal(outcome.astype(float)), resamples=200, seed=number)
        inside += result.low <= truth <= result.high
        assert result.low <= result.value <= result.high
    assert 0.89 <= inside / 200 <= 0.99


def test_standard_error_is_the_spread_of_repeated_samples():
    random = np.random.default_rng(6)
    outcome = np.repeat([True, False], [40, 80])
    results = [auc(outcome, random.normal(outcome.astype(float)), resamples=0) for _ in range(400)]
    assert np.mean([r.standard_error for r in results]) == pytest.approx(np.std([r.value for r in results]), rel=0.12)


def test_equal_systems_do_not_differ():
    score = np.array([0.1, 0.7, 0.3, 0.9, 0.5])
    result = compare_auc([0, 1, 0, 1, 0], score, score * 2)
    assert (result.difference, result.p_value) == (0.0, 1.0)


def test_paired_test_holds_its_level_and_finds_a_difference():
    random = np.random.default_rng(7)
    outcome = np.repeat([True, False], [50, 100])
    equal, better = [], []
    for _ in range(300):
        shared = random.normal(outcome.astype(float))
        noisy = [shared + random.normal(size=150) for _ in range(2)]
        equal.append(compare_auc(outcome, *noisy).p_value < 0.05)
        better.append(compare_auc(outcome, shared + 2 * outcome, noisy[0]).p_value < 0.05)
    assert 0.02 <= np.mean(equal) <= 0.09
    assert np.mean(better) > 0.95


def test_calibration_by_hand():
    # Two bins: chances 0.1 and 0.3 with no positive (gap 0.2), 0.6 and 0.8 with one of two (gap 0.2).
    result = calibration([0, 0, 1, 0], [0.1, 0.3, 0.6, 0.8], bins=2)
    assert result.expected_error == pytest.approx(0.2)
    assert result.brier == pytest.approx((0.01 + 0.09 + 0.16 + 0.64) / 4)


@pytest.mark.parametrize("chance", [[], [1.2, 0.1], [np.nan, 0.5]])
def test_calibration_refuses_what_is_no_chance(chance):
    with pytest.raises(StudyError):
        calibration([1] * len(chance), chance)


def test_lengths_must_match():
    with pytest.raises(StudyError, match="do not match"):
        auc([1, 0, 1], [0.5, 0.5])
