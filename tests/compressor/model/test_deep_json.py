"""JSON of a model's folder that is nested deeper than the interpreter follows: an error with a code."""

from __future__ import annotations

import pytest

from neuralgraph import ModelError
from neuralgraph.compressor.model.configuration import NeuralGraphConfig
from neuralgraph.compressor.model.preprocess import Preprocessor
from neuralgraph.compressor.model.tokenizer import ReportTokenizer
from neuralgraph.compressor.training.verdict import read_verdict

DEEP = "[" * 100_000, '{"a":' * 100_000, '{"a":' * 100_000 + "1" + "}" * 100_000


@pytest.mark.parametrize("text", DEEP, ids=["lists", "maps", "closed maps"])
@pytest.mark.parametrize(
    ("name", "reader"),
    [
        ("config.json", NeuralGraphConfig),
        ("preprocessor_config.json", Preprocessor),
        ("tokenizer.json", ReportTokenizer),
    ],
)
def test_deep_json_is_an_error_with_a_code(tmp_path, name, reader, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(ModelError) as caught:
        reader.read(tmp_path)
    assert caught.value.code == "E_MODEL"


@pytest.mark.parametrize("text", DEEP, ids=["lists", "maps", "closed maps"])
def test_a_deep_record_of_training_is_no_verdict(tmp_path, text):
    (tmp_path / "training.json").write_text(text)
    assert read_verdict(tmp_path) == {}
