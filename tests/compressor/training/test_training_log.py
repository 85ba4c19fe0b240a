from __future__ import annotations

import csv
from types import SimpleNamespace

import pytest

from neuralgraph.compressor.training.training_log import TrainingLog
from neuralgraph.errors import OutputError


def test_a_continued_run_appends(tmp_path):
    path = tmp_path / "log.csv"
    for step in (1, 2):
        TrainingLog(path).on_log(None, SimpleNamespace(global_step=step), None, logs={"loss": step / 2, "what": "text"})
    with path.open(newline="") as stream:
        assert list(csv.reader(stream)) == [["step", "name", "value"], ["1", "loss", "0.5"], ["2", "loss", "1.0"]]


@pytest.mark.parametrize("name", ["runs", "absent/log.csv"])
def test_where_no_table_can_be_is_said(tmp_path, name):
    with pytest.raises(OutputError) as caught:
        TrainingLog(tmp_path / name)
    assert caught.value.code == "E_OUTPUT"
