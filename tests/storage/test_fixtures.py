"""Files written by released versions read for ever, with the same values."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import neuralgraph as ng
from neuralgraph.codecs.registry import BYTE_CODECS, FORMS
from neuralgraph.container.reader import BytesSource, Container
from neuralgraph.container.streams import EMBEDDING_STREAMS
from neuralgraph.storage.decoded import decoded_file

FOLDER = Path(__file__).parents[1] / "fixtures"
FILES = sorted(FOLDER.rglob("*.ngr"))


def test_fixtures_are_present():
    assert len(FILES) >= 11
    assert (FOLDER / "0.1.0").is_dir()


def test_fixtures_have_every_form_encoding_and_section():
    forms, encodings, sections = set(), set(), set()
    for path in FILES:
        container = Container(BytesSource(path.read_bytes()))
        sections |= set(container.contents.sections)
        for position in range(len(container)):
            record = container.record(position)
            encodings |= {entry.encoding for entry in record.streams.values()}
            forms.add(record.form(EMBEDDING_STREAMS).form.name if record.counts.n_patches else "")
    assert encodings == set(BYTE_CODECS)
    assert sections == {"index", "keys"}
    assert forms == set(FORMS) | {""}


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_fixture_reads_with_the_values_it_was_written_with(path):
    assert decoded_file(path) == json.loads(path.with_suffix(".json").read_bytes())
    assert ng.validate(path).ok


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_digest_is_still_the_same(path):
    digests = json.loads((path.parent / "digests.json").read_bytes())
    with ng.open(path) as archive:
        assert [study.digest for study in archive] == digests[path.name]


def test_exact_and_float32_mean_the_same():
    one, other = (decoded_file(FOLDER / "0.1.0" / f"{name}.ngr") for name in ("exact", "float32"))
    assert one == other
