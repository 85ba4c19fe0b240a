"""Archives of one file, of a folder and of a list: alike, lazily read, proven at every access."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from builders import build_study

import neuralgraph as ng
from neuralgraph import ChecksumError, FormatError, StudyNotFoundError
from neuralgraph.container import pages
from neuralgraph.container.reader import BytesSource, Container
from neuralgraph.storage import opening
from neuralgraph.wire.checksums import PAGE_BYTES

MADE = [build_study(seed=seed, patches=3, dim=8, vectors=2, report="clear", form="float32") for seed in range(12)]
IDS = [study.study_id for study in MADE]
DIGESTS = [study.digest for study in MADE]


@pytest.fixture
def paged(monkeypatch):
    """Sections are read page by page whatever their size, and pages are small."""
    monkeypatch.setattr(pages, "SMALL_SECTION", 0)


@pytest.fixture
def places(tmp_path):
    """The same studies as one archive, as a folder of files, and as two archives and a file."""
    ng.save(MADE, tmp_path / "all.ngr")
    (tmp_path / "folder").mkdir()
    for number, study in enumerate(MADE):
        ng.save(study, tmp_path / "folder" / f"{number:02d}.ngr")
    ng.save(MADE[:5], tmp_path / "first.ngr")
    ng.save(MADE[5:11], tmp_path / "second.ngr")
    ng.save(MADE[11], tmp_path / "third.ngr")
    return {
        "file": tmp_path / "all.ngr",
        "folder": tmp_path / "folder",
        "list": [str(tmp_path / "first.ngr"), tmp_path / "second.ngr", tmp_path / "third.ngr"],
    }


@pytest.mark.parametrize("kind", ["file", "folder", "list"])
def test_file_folder_and_list_are_alike(places, paged, kind):
    with ng.open(places[kind]) as archive:
        assert len(archive) == 12
        for _ in range(2):
            assert [study.digest for study in archive] == DIGESTS
        assert archive.ids == IDS
        assert list(archive.ids) == IDS
        assert archive.ids[-1] == "study-11"
        assert archive.ids[3:5] == IDS[3:5]
        assert archive.ids.index("study-6") == archive.position("study-6") == 6
        assert [archive[study_id].digest for study_id in reversed(IDS)] == DIGESTS[::-1]
        assert "study-3" in archive
        assert "study-3" in archive.ids
        for absent in ("", "study", "study-99", "zzz", "\udc80"):
            assert absent not in archive
            with pytest.raises(StudyNotFoundError):
                archive[absent]
        for position in (12, -13):
            with pytest.raises(StudyNotFoundError):
                archive[position]
        assert len(archive.methods) == 1


def test_a_folder_may_hold_more_files_than_a_process_may_open(places, monkeypatch):
    monkeypatch.setattr(opening, "MOST_HELD_OPEN", 3)
    before = len(os.listdir("/proc/self/fd"))
    with ng.open(places["folder"]) as archive:
        assert len(os.listdir("/proc/self/fd")) == before
        assert archive["study-7"].digest == DIGESTS[7]
        ng.save(replace(MADE[3], study_id="study-3"), places["folder"] / "03.ngr")
        with pytest.raises(FormatError, match="replaced") as caught:
            archive[3]
        assert caught.value.code == "E_OPEN"
    with pytest.raises(FormatError, match="closed"):
        archive[0]


def test_nothing_is_refused():
    with pytest.raises(FormatError) as caught:
        ng.open([])
    assert caught.value.code == "E_OPEN"


def test_an_id_in_two_files_is_an_error(tmp_path, places):
    for listed in ([places["file"], places["list"][1]], [places["list"][2]] * 2):
        with ng.open(listed) as archive:
            with pytest.raises(FormatError) as caught:
                list(archive.ids)
            assert caught.value.code == "E_DUP"
            with pytest.raises(FormatError) as caught:
                archive["study-11" if listed[0] == listed[-1] else "study-8"]
            assert caught.value.code == "E_DUP"


def damage(path, position):
    """Change a byte of the embedding of a study, behind its header."""
    data = bytearray(path.read_bytes())
    container = Container(BytesSource(bytes(data)))
    offset, length = container.index.place(position)
    entry = max(container.record(position).streams.values(), key=lambda stream: stream.offset)
    assert entry.offset < length
    with path.open("r+b") as file:
        file.seek(offset + entry.offset)
        file.write(bytes([data[offset + entry.offset] ^ 1]))


READS = {
    "item": lambda archive: archive[4],
    "many": lambda archive: archive.read_many([3, 4])[1],
    "read": lambda archive: archive.read("study-4", max_patches=2),
}


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize("held_open", [True, False])
def test_a_file_changed_in_place_is_an_error_at_the_next_access(places, monkeypatch, read, held_open):
    monkeypatch.setattr(opening, "MOST_HELD_OPEN", 9 if held_open else 0)
    path = places["file"]
    with ng.open(path) as archive:
        READS[read](archive)
        damage(path, 4)
        for _ in range(2):
            with pytest.raises(FormatError) as caught:
                READS[read](archive)
            assert caught.value.code == "E_OPEN"
    with ng.open(path) as archive:
        for _ in range(2):
            with pytest.raises(FormatError) as caught:
                READS[read](archive)
            assert caught.value.code == "E_CRC"


def test_another_sound_record_in_its_place_is_found_even_when_the_time_of_the_file_stays(tmp_path):
    # Two archives of the same sizes: every checksum of the second holds, only the leaf of the first does not.
    first, second = tmp_path / "a.ngr", tmp_path / "b.ngr"
    ng.save(MADE[:3], first)
    ng.save(
        [replace(made, patches=replace(made.patches, embedding=-made.patches.embedding)) for made in MADE[:3]], second
    )
    assert first.stat().st_size == second.stat().st_size
    with ng.open(first) as archive:
        assert archive[1].digest == DIGESTS[1]
        status = first.stat()
        first.write_bytes(second.read_bytes())
        os.utime(first, ns=(status.st_atime_ns, status.st_mtime_ns))
        with pytest.raises(ChecksumError) as caught:
            archive[1]
        assert caught.value.code == "E_DIGEST"


def test_rules_and_ids_are_checked_too(tmp_path):
    # An archive whose keys name another study than its record: each part is sound.
    data = bytearray(ng.to_bytes(MADE[:2]))
    container = Container(BytesSource(bytes(data)))
    keys = container.contents.sections["keys"]
    pool = data.index(b"study-0study-1", keys.offset)
    data[pool : pool + 14] = b"study-0study-2"
    from zlib import crc32

    table = keys.offset + keys.length
    data[table : table + 4] = crc32(data[keys.offset : table]).to_bytes(4, "little")
    stale = keys.table_crc32.to_bytes(4, "big")
    data[data.index(stale, table) :][:4]
    at = data.index(stale, table)
    data[at : at + 4] = crc32(data[table : table + 4]).to_bytes(4, "big")
    toc_at, toc_bytes = container.trailer["toc_offset"], container.trailer["toc_bytes"]
    trailer = len(data) - 96
    data[trailer + 12 : trailer + 16] = crc32(data[toc_at : toc_at + toc_bytes]).to_bytes(4, "little")
    data[trailer + 84 : trailer + 88] = crc32(data[trailer : trailer + 84]).to_bytes(4, "little")
    (tmp_path / "a.ngr").write_bytes(data)
    with ng.open(tmp_path / "a.ngr") as archive:
        assert archive[0].study_id == "study-0"
        for read in (lambda: archive[1], lambda: archive.read_many([1])):
            with pytest.raises(FormatError) as caught:
                read()
            assert caught.value.code == "E_INDEX"


def test_many_are_read_in_the_order_asked(places):
    with ng.open(places["list"]) as archive:
        for positions in ([], [9, 2, 3, -8, 9], list(range(12))):
            assert [study.digest for study in archive.read_many(positions)] == [DIGESTS[n] for n in positions]
        with pytest.raises(StudyNotFoundError):
            archive.read_many([0, 12])


@pytest.mark.parametrize("options", [{"retain": 0.05}, {"max_patches": 1}, {"max_patches": 99}])
def test_studies_are_pruned_as_they_are_read(places, options):
    prune = {"top_k" if name == "max_patches" else name: value for name, value in options.items()}
    with ng.open(places["file"]) as archive:
        expected = MADE[2].prune(**prune).digest
        assert archive.read(2, **options).digest == archive.read("study-2", **options).digest == expected


def test_pages_of_a_large_index_are_verified_when_they_are_used(tmp_path, monkeypatch):
    # Some 2,100 studies: three pages of index and more than one of keys, damaged one at a time.
    monkeypatch.setattr(pages, "SMALL_SECTION", 0)
    path = tmp_path / "a.ngr"
    one = build_study(patches=0, concepts=0)
    ng.save((replace(one, study_id=f"s{number:05d}") for number in range(2_100)), path)
    data = path.read_bytes()
    section = Container(BytesSource(data)).contents.sections["index"]
    assert section.length > 2 * PAGE_BYTES
    for at, good, bad in ((100, None, 5), (section.length - 10, 5, 2_099)):
        path.write_bytes(
            data[: section.offset + at] + bytes([data[section.offset + at] ^ 1]) + data[section.offset + at + 1 :]
        )
        with ng.open(path) as archive:
            if good is not None:
                assert archive[good].study_id == f"s{good:05d}"
            with pytest.raises(FormatError) as caught:
                archive[bad]
            assert caught.value.code == "E_CRC"
        assert not ng.validate(path).ok


def test_a_large_archive_that_shrinks_is_refused_not_fatal(tmp_path, monkeypatch):
    monkeypatch.setattr(pages, "SMALL_SECTION", 0)
    path = tmp_path / "a.ngr"
    ng.save(MADE, path)
    with ng.open(path) as archive:
        assert archive[1].study_id == "study-1"
        os.truncate(path, 1_000)
        for read in (lambda: archive[1], lambda: archive["study-3"], lambda: archive.read_many([0, 5])):
            with pytest.raises(FormatError) as caught:
                read()
            assert caught.value.code == "E_TRUNCATED"
