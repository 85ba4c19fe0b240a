"""The one gate: every rule in its order, to the level asked for, at every access, and nothing remembered."""

from __future__ import annotations

from io import BytesIO

import pytest
from builders import build_study

import neuralgraph as ng
from neuralgraph import ChecksumError, FormatError, StudyError
from neuralgraph.codecs.floating import FLOAT32
from neuralgraph.container.encode import encode_record
from neuralgraph.container.reader import BytesSource, Container
from neuralgraph.container.streams import ENTRY, HEADER
from neuralgraph.container.writer import ContainerWriter
from neuralgraph.storage.gate import Level, examine, examine_file, first_error, prove
from neuralgraph.wire.checksums import crc32

STUDIES = [build_study(seed=seed, patches=3, form="float32", report="clear") for seed in range(3)]


def container_of(data: bytes) -> Container:
    return Container(BytesSource(data))


def changed_record(position: int, change) -> Container:
    """An archive with ``change(record)`` made to the bytes of a record, and nothing made good around it."""
    data = bytearray(ng.to_bytes(STUDIES))
    offset, length = container_of(bytes(data)).index.place(position)
    record = data[offset : offset + length]
    change(record)
    data[offset : offset + length] = record
    return container_of(bytes(data))


def stream_at(record: bytearray, number: int) -> int:
    """First byte of a stream of a record."""
    rows = [
        record[HEADER.size + ENTRY.size * n :][: ENTRY.size] for n in range(int.from_bytes(record[12:14], "little"))
    ]
    sizes = [int.from_bytes(row[4:8], "little") for row in rows]
    return HEADER.size + ENTRY.size * len(rows) + 8 + sum(size + -size % 8 for size in sizes[:number])


def reseal(record: bytearray) -> None:
    """Make the checksum of the header right again."""
    table = HEADER.size + ENTRY.size * int.from_bytes(record[12:14], "little")
    record[table : table + 4] = crc32(bytes(record[:table])).to_bytes(4, "little")


def flip_header(record):
    record[16] ^= 1


def flip_streams(record):
    record[stream_at(record, 0)] ^= 1
    record[stream_at(record, 1)] ^= 1


def flip_digest(record):
    record[72] ^= 1
    reseal(record)


def codes(container: Container, position: int, level: Level) -> list[str]:
    try:
        record = container.record(position)
    except FormatError as error:
        return [error.code]
    return [error.code for error in examine(container, position, record, level=level, with_keys=True)]


@pytest.mark.parametrize("level", Level)
def test_a_sound_record_has_no_error_at_any_level(level):
    container = container_of(ng.to_bytes(STUDIES))
    for position, study in enumerate(STUDIES):
        assert codes(container, position, level) == []
        if level >= Level.STREAMS:
            assert prove(container, position, level=level).digest().hex() == study.digest


def test_each_level_sees_what_it_should():
    for change, by_level in (
        (flip_header, [["E_RECORD"]] * 4),
        (flip_streams, [[], ["E_CRC"] * 2, ["E_CRC"] * 2 + ["E_DIGEST"], ["E_CRC"] * 2 + ["E_DIGEST"]]),
        # The content digest and the leaf.
        (flip_digest, [[], [], ["E_DIGEST"] * 2, ["E_DIGEST"] * 2]),
    ):
        container = changed_record(1, change)
        assert [codes(container, 1, level) for level in Level] == by_level
        assert [codes(container, 0, level) for level in Level] == [[]] * 4


def test_the_first_error_is_raised_as_it_is_and_every_time():
    container = changed_record(1, flip_streams)
    for _ in range(3):
        with pytest.raises(ChecksumError) as caught:
            prove(container, 1)
        assert (caught.value.code, caught.value.where) == ("E_CRC", "record[1].stream[0x01]")


def test_bytes_at_hand_are_not_read_again():
    container = container_of(ng.to_bytes(STUDIES))
    data = container.record_bytes(2)
    assert container.keys is not None
    container.source = None  # type: ignore[assignment]  # nothing can be read any more
    assert prove(container, 2, data=data).study_id == b"study-2"


def test_a_whole_file_is_examined_record_by_record_and_then_together():
    taken: list[bytes] = []
    container = changed_record(1, flip_digest)
    found = list(examine_file(container, level=Level.MEANING, take=lambda columns: taken.append(columns.study_id)))
    # The root is that of the index, whose leaves nobody touched.
    assert [(error.code, error.where) for error in found] == [("E_DIGEST", "record[1]")] * 2
    assert taken == [b"study-0", b"study-1", b"study-2"]
    assert list(examine_file(container, level=Level.STREAMS)) == []
    with pytest.raises(ChecksumError):
        first_error(examine_file(container, level=Level.MEANING))


def test_a_study_alone_proves_its_root():
    data = bytearray(ng.to_bytes(STUDIES[0]))
    trailer = len(data) - 96
    data[trailer + 48] ^= 1
    data[trailer + 84 : trailer + 88] = crc32(bytes(data[trailer : trailer + 84])).to_bytes(4, "little")
    assert codes(container_of(bytes(data)), 0, Level.STREAMS) == []
    assert codes(container_of(bytes(data)), 0, Level.DIGEST) == ["E_DIGEST"]
    with pytest.raises(FormatError) as caught:
        ng.load_bytes(bytes(data))
    assert (caught.value.code, caught.value.where) == ("E_DIGEST", "trailer")


def test_broken_rules_of_the_graph_name_their_record():
    study = STUDIES[0]
    lies = study.columns()
    lies.graph["label_value"] = lies.graph["label_value"] * float("nan")
    stream = BytesIO()
    writer = ContainerWriter(stream)
    record = encode_record(lies, embedding=FLOAT32, concept_vectors=FLOAT32)
    writer.add(record, study_id=study.study_id, method=lies.method)
    writer.finish()
    container = container_of(stream.getvalue())
    assert codes(container, 0, Level.DIGEST) == []
    with pytest.raises(StudyError) as caught:
        prove(container, 0)
    assert (caught.value.code, caught.value.where) == ("E_NUM", "record[0].labels")
