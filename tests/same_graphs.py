"""Graphs and batches compared attribute by attribute, to the last bit."""

from __future__ import annotations

from typing import Any

import torch

__all__ = ["assert_same", "assert_same_batch"]


def assert_same(given: Any, expected: Any, where: str = "") -> None:
    """Equal to the last bit, with equal dtypes, shapes and names."""
    if isinstance(expected, torch.Tensor):
        assert (given.dtype, given.shape) == (expected.dtype, expected.shape), where
        assert torch.equal(given, expected), where
        assert given.is_contiguous() == expected.is_contiguous(), where
    elif isinstance(expected, dict):
        assert list(given) == list(expected), where
        for name, value in expected.items():
            assert_same(given[name], value, f"{where}/{name}")
    else:
        assert given == expected, where


def assert_same_batch(batch: Any, expected: Any) -> None:
    assert type(batch) is type(expected)
    assert_same(batch.to_dict(), expected.to_dict())
    for given, wanted in ((batch._slice_dict, expected._slice_dict), (batch._inc_dict, expected._inc_dict)):
        assert given.keys() == wanted.keys()
        assert_same({name: given[name] for name in wanted}, wanted)
    assert (batch.num_graphs, len(batch)) == (expected.num_graphs, len(expected))
    for store, reference in zip(batch.stores, expected.stores, strict=True):
        assert store.__dict__.keys() == reference.__dict__.keys()
        assert store.__dict__.get("_num_nodes") == reference.__dict__.get("_num_nodes")
    for one, reference in zip(batch.to_data_list(), expected.to_data_list(), strict=True):
        assert_same(one.to_dict(), reference.to_dict())
