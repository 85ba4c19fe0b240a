"""Weights that torch.save wrote, in both forms, read without unpickling; what is no weights is refused."""

from __future__ import annotations

import numpy as np
import pytest

from neuralgraph.errors import SourceError
from neuralgraph.migration.weights import read_weights

torch = pytest.importorskip("torch")


@pytest.fixture
def weights():
    torch.manual_seed(0)
    layers = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.Linear(4, 2))
    return layers.half().state_dict()


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("wrapped", [True, False])
def test_both_forms_are_read(weights, tmp_path, zipped, wrapped):
    path = tmp_path / "a.pth"
    saved = {"state_dict": weights, "epoch": 3} if wrapped else weights
    torch.save(saved, path, _use_new_zipfile_serialization=zipped)
    read = read_weights(path)
    assert list(read) == list(weights)
    for name, tensor in weights.items():
        assert np.array_equal(read[name], tensor.numpy())


@pytest.mark.parametrize("zipped", [True, False])
def test_what_names_code_is_refused(tmp_path, zipped):
    path = tmp_path / "a.pth"
    torch.save(torch.nn.Linear(2, 2), path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(SourceError) as caught:
        read_weights(path)
    assert caught.value.code == "E_SOURCE_CONTENT"


def test_what_is_no_map_of_tensors_is_refused(tmp_path):
    torch.save([torch.zeros(2)], tmp_path / "a.pth")
    with pytest.raises(SourceError) as caught:
        read_weights(tmp_path / "a.pth")
    assert caught.value.code == "E_SOURCE_CONTENT"


def test_a_damaged_file_of_the_old_form_is_refused(weights, tmp_path):
    path = tmp_path / "a.pth"
    torch.save(weights, path, _use_new_zipfile_serialization=False)
    whole = path.read_bytes()
    for cut in range(16, len(whole), max(1, len(whole) // 40)):
        path.write_bytes(whole[:cut])
        with pytest.raises(SourceError) as caught:
            read_weights(path)
        assert caught.value.code in ("E_SOURCE_DAMAGED", "E_SOURCE_CONTENT")
    path.write_bytes(whole + b"\0")
    with pytest.raises(SourceError):
        read_weights(path)
