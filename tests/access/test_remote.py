"""Archives behind a network: few requests, the same studies, and nothing half-believed."""

from __future__ import annotations

import threading

import pytest
from builders import build_study

import neuralgraph as ng
from bench.range_server import RangeServer, range_server
from neuralgraph import ChecksumError, FormatError, StudyNotFoundError
from neuralgraph.access import attempts, remote
from neuralgraph.container import reader

pytest.importorskip("fsspec", reason="the extra remote is not installed")
pytest.importorskip("aiohttp", reason="the extra remote is not installed")

MANY = [build_study(seed=seed, patches=2, dim=3) for seed in range(40)]


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(attempts, "DELAYS", (0.0, 0.0, 0.0))
    with range_server() as state:
        yield state


@pytest.fixture(scope="module")
def large():
    """An archive much larger than what is fetched of its end: random vectors that no codec makes smaller."""
    return ng.to_bytes(
        [build_study(seed=seed, patches=12, dim=3000, form="float32", report="clear") for seed in range(12)]
    )


def asked(server: RangeServer) -> int:
    """Requests of ranges since the last question."""
    count = len(server.ranges)
    server.ranges.clear()
    return count


def test_a_small_file_is_one_request(server):
    server.files["a.ngr"] = ng.to_bytes(MANY)
    with ng.open(server.url("a.ngr")) as archive:
        assert asked(server) == 1
        assert archive.ids == [study.study_id for study in MANY]
        assert [study.digest for study in archive] == [study.digest for study in MANY]
        assert asked(server) == 0


def test_opening_takes_two_requests_and_a_study_one_more(server, large):
    server.files["a.ngr"] = large
    assert len(large) > 4 * remote.SUFFIX
    with ng.open(server.url("a.ngr")) as archive:
        assert asked(server) <= 2
        for position in (5, 0, 11):
            assert archive[position].study_id == f"study-{position}"
            assert asked(server) <= 1
        assert archive["study-7"].study_id == "study-7"
        assert asked(server) == 1
        with pytest.raises(StudyNotFoundError):
            archive["nobody"]
        assert asked(server) == 0


def test_an_index_beyond_the_end_is_fetched_with_the_second_request(server, monkeypatch, large):
    server.files["a.ngr"] = large
    monkeypatch.setattr(remote, "SUFFIX", 600)
    with ng.open(server.url("a.ngr")) as archive:
        assert asked(server) <= 2
        assert archive["study-3"].study_id == "study-3"
        assert asked(server) == 1


def test_an_index_too_large_to_fetch_is_read_in_pages(server, monkeypatch):
    monkeypatch.setattr(remote, "WHOLE", 0)
    monkeypatch.setattr(remote, "SUFFIX", 600)
    monkeypatch.setattr(reader, "MOST_FETCHED", 1)
    monkeypatch.setattr("neuralgraph.container.pages.SMALL_SECTION", 1)
    server.files["a.ngr"] = ng.to_bytes(MANY)
    with ng.open(server.url("a.ngr")) as archive:
        assert asked(server) <= 2
        assert archive["study-3"].digest == MANY[3].digest
        asked(server)
        assert archive[4].digest == MANY[4].digest
        assert asked(server) == 1


def test_the_pages_of_a_batch_are_under_way_together(server, monkeypatch):
    monkeypatch.setattr(remote, "SUFFIX", 600)
    monkeypatch.setattr(remote, "NEAR", 0)
    monkeypatch.setattr(reader, "MOST_FETCHED", 1)
    monkeypatch.setattr("neuralgraph.container.pages.SMALL_SECTION", 1)
    calls = []
    fetch = remote.RemoteSource._fetch
    monkeypatch.setattr(remote.RemoteSource, "_fetch", lambda self, ranges: calls.append(ranges) or fetch(self, ranges))
    from dataclasses import replace

    one = build_study(patches=0, concepts=0)
    server.files["a.ngr"] = ng.to_bytes(replace(one, study_id=f"s{number:05d}") for number in range(2_100))
    with ng.open(server.url("a.ngr")) as archive:
        archive.read_many([0])  # page table
        calls.clear()
        archive.read_many([5, 1_500, 2_099])
        assert len(calls) <= 3  # pages of the index; pages of the keys; records


def test_a_batch_is_few_requests(server, large, monkeypatch):
    monkeypatch.setattr(remote, "WHOLE", 0)
    server.files["a.ngr"] = large
    with ng.open(server.url("a.ngr")) as archive:
        asked(server)
        read = archive.read_many([9, 2, 3, 4, 9, -8])
        assert asked(server) == 2  # 2 to 4 lie together, and 9
    expected = [ng.load_bytes(ng.to_bytes(archive_study(large, n))).digest for n in (9, 2, 3, 4, 9, 4)]
    assert [study.digest for study in read] == expected


def archive_study(data, position):
    from neuralgraph.container.reader import BytesSource, Container
    from neuralgraph.storage.gate import prove

    return ng.Study.from_columns(prove(Container(BytesSource(data)), position))


def test_what_fails_for_the_moment_is_tried_again(server):
    server.files["a.ngr"] = ng.to_bytes(MANY)
    server.fail = [503, 429, 500]
    with ng.open(server.url("a.ngr")) as archive:
        assert len(archive) == 40
    server.short = 2
    with ng.open(server.url("a.ngr")) as archive:
        assert len(archive) == 40


@pytest.mark.parametrize("statuses", [[503] * 9, [403], [401]])
def test_what_goes_on_failing_is_an_error(server, statuses):
    server.files["a.ngr"] = ng.to_bytes(MANY)
    server.fail = list(statuses)
    with pytest.raises(FormatError) as caught:
        ng.open(server.url("a.ngr") + "?signature=secret")
    assert caught.value.code == "E_OPEN"
    assert "secret" not in str(caught.value)
    assert len(server.ranges) == (4 if statuses[0] == 503 else 1)


def test_missing_files_and_foreign_schemes_are_errors(server):
    for url in (server.url("missing.ngr"), "http://127.0.0.1:9/a.ngr"):
        with pytest.raises(FormatError) as caught:
            ng.open(url)
        assert caught.value.code == "E_OPEN"
    with pytest.raises(FormatError, match="file system") as caught:
        ng.open("gopher://127.0.0.1/a.ngr")
    assert caught.value.code == "E_OPEN"


@pytest.mark.parametrize(
    ("content", "code"), [(b"", "E_TRUNCATED"), (b"abc", "E_TRUNCATED"), (b"\x89PNG\r\n\x1a\n" + bytes(50), "E_MAGIC")]
)
def test_an_object_smaller_than_any_file_is_refused_as_on_the_disk(server, content, code):
    server.files["a.ngr"] = content
    with pytest.raises(FormatError) as caught:
        ng.open(server.url("a.ngr"))
    assert caught.value.code == code


def test_a_folder_of_a_remote_file_system_is_named_as_one():
    import fsspec

    fsspec.filesystem("memory").pipe("/folder-of-it/a.ngr", b"a")
    with pytest.raises(FormatError, match="folder") as caught:
        ng.open("memory://folder-of-it")
    assert caught.value.code == "E_OPEN"


def test_a_server_without_ranges_is_refused(server, large):
    server.files["a.ngr"] = large
    server.without_ranges = True
    with pytest.raises(FormatError, match="ranges"):
        ng.open(server.url("a.ngr"))


def test_a_replaced_object_is_found(server, large):
    other = bytearray(large)
    server.files["a.ngr"] = large
    with ng.open(server.url("a.ngr")) as archive:
        assert archive[3].study_id == "study-3"
        # Another sound archive with the same places and counts: only the leaves tell them apart.
        replaced = ng.to_bytes(
            [build_study(seed=seed + 90, patches=12, dim=3000, form="float32", report="clear") for seed in range(12)]
        )
        server.files["a.ngr"] = replaced
        with pytest.raises(FormatError):
            archive[5]
        server.files["a.ngr"] = bytes(other[: len(other) // 3])
        with pytest.raises(FormatError) as caught:
            archive[9]
        assert caught.value.code in ("E_OPEN", "E_TRUNCATED")


def test_an_object_replaced_by_one_of_the_same_form_is_found_by_its_leaf(server, monkeypatch):
    # What came when it was opened is that of the file that was opened; the id, at byte 408, is to come later.
    monkeypatch.setattr(remote, "SUFFIX", 350)
    server.files["a.ngr"] = ng.to_bytes([build_study(seed=1, patches=12, dim=2000, form="float32")] * 1)
    first = server.files["a.ngr"]
    position = first.index(b"study-1")
    with ng.open(server.url("a.ngr")) as archive:
        asked = [range(int(low), int(high) + 1) for _, each in server.ranges for low, high in [each[6:].split("-")]]
        assert not any(position in each for each in asked)
        server.files["a.ngr"] = first[:position] + b"study-2" + first[position + 7 :]
        with pytest.raises(ChecksumError, match="replaced") as caught:
            archive[0]
    assert caught.value.code == "E_DIGEST"


@pytest.mark.parametrize("kept", [300, 600, 4096, 2**16, 2**20])
@pytest.mark.parametrize("whole", [0, 2**26])
def test_parts_of_two_objects_are_never_taken_for_one(server, monkeypatch, kept, whole):
    monkeypatch.setattr(remote, "SUFFIX", kept)
    monkeypatch.setattr(remote, "WHOLE", whole)
    made = [build_study(seed=seed, patches=12, dim=2000, form="float32", report="clear") for seed in range(4)]
    other = [build_study(seed=seed, patches=12, dim=2000, form="float32", report="clear") for seed in range(50, 54)]
    first, second = ng.to_bytes(made), ng.to_bytes(other)
    refused: list[tuple[str, bool]] = []
    for cut in (0, 200, 500, 4000, 90_000, len(first)):
        server.files["a.ngr"] = first
        with ng.open(server.url("a.ngr")) as archive:
            archive[1]
            # Its end is the new object's, so that parts of both come.
            server.files["a.ngr"] = first[:cut] + second[cut : len(first)].ljust(len(first) - cut, b"\0")
            for position in (0, 1, 2, 3):
                try:
                    found = archive[position]
                except FormatError as error:
                    refused.append((error.code, "replaced" in str(error)))
                else:
                    assert found.digest == made[position].digest
    assert set(refused) <= {("E_DIGEST", True)}
    if not whole and kept < 2**16:
        assert refused, "what came later was the other's"


def test_urls_stand_in_lists_beside_files(server, tmp_path):
    server.files["a.ngr"] = ng.to_bytes(MANY[:3])
    ng.save(MANY[3], tmp_path / "b.ngr")
    with ng.open([server.url("a.ngr"), tmp_path]) as archive:
        assert archive.ids == [study.study_id for study in MANY[:4]]
        assert archive["study-3"].digest == MANY[3].digest


def test_threads_may_share_an_archive(server, large):
    server.files["a.ngr"] = large
    failures: list[object] = []
    with ng.open(server.url("a.ngr")) as archive:

        def work(first: int) -> None:
            for position in [*range(first, 12), *range(first)]:
                if archive[position].study_id != f"study-{position}":
                    failures.append(position)

        threads = [threading.Thread(target=work, args=(first,)) for first in range(0, 12, 4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert failures == []


# fsspec leaves the file of a blockcache to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
@pytest.mark.parametrize("kind", ["filecache", "blockcache"])
def test_a_local_cache_is_put_before_a_url(server, tmp_path, large, kind):
    server.files["a.ngr"] = large
    options = {kind: {"cache_storage": str(tmp_path)}}
    counts = []
    for _ in range(2):
        with ng.open(f"{kind}::{server.url('a.ngr')}", storage_options=options) as archive:
            assert archive[6].study_id == "study-6"
        counts.append(asked(server))
    assert counts[0] > 0
    assert counts[1] == 0


def test_verbs_that_read_take_urls(server, tmp_path, capsys):
    from neuralgraph.cli.export import Format, export
    from neuralgraph.cli.info import info
    from neuralgraph.cli.pack import pack
    from neuralgraph.cli.unpack import unpack
    from neuralgraph.cli.validate import validate

    server.files |= {"a.ngr": ng.to_bytes(MANY), "b.ngr": ng.to_bytes(build_study(seed=77))}
    many, one = server.url("a.ngr"), server.url("b.ngr") + "?signature=secret"
    info(one)
    validate([many, one])
    pack([many, one], tmp_path / "c.ngr")
    unpack(many, tmp_path / "all")
    export(one, Format.npz, tmp_path / "b.npz")
    with ng.open(tmp_path / "c.ngr") as archive:
        assert [study.digest for study in archive] == [*(study.digest for study in MANY), build_study(seed=77).digest]
    assert len(list((tmp_path / "all").iterdir())) == 40
    assert ng.load(one).study_id == "study-77"
    out = capsys.readouterr().out
    assert "study-77" in out
    assert "secret" not in out
