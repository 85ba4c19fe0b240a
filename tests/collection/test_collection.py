"""Collections: what adding, removing, merging and vacuuming do, and what readers see."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from builders import build_study

import neuralgraph as ng
from neuralgraph.collection import Collection, StudyReceipt, add, compact, find_ids, remove, vacuum, verify
from neuralgraph.collection.checking import stray_files
from neuralgraph.collection.receipts import read_receipts
from neuralgraph.errors import CollectionError, FormatError, OutputError, StudyNotFoundError
from neuralgraph.storage.manifest import manifest_name


def ids_of(collection):
    head = collection.head()
    return [study_id for _, _, ids in collection.ids(head) for study_id in ids]


def sound(collection):
    assert list(verify(collection)) == []
    return True


def test_studies_are_added_once(collection, archive):
    first = archive("a.ngr", range(6))
    assert add(collection, [first]).added == 6
    again = add(collection, [first])
    assert (again.added, again.equal, again.snapshot) == (0, 6, 2)
    more = add(collection, [first, archive("b.ngr", [7, 8])])
    assert (more.added, more.equal) == (2, 6)
    assert ids_of(collection) == [f"study-{n}" for n in (0, 1, 2, 3, 4, 5, 7, 8)]
    assert [member.studies for member in collection.head().archives] == [4, 2, 2]
    assert sound(collection)


def test_comparing_with_what_is_there_is_told(collection, archive):
    first, told = archive("a.ngr", range(6)), []

    def tell(done, total):
        told.append((done, total))

    add(collection, [first], progress=tell)
    assert told == [(n, 6) for n in range(1, 7)]
    told.clear()
    add(collection, [first], progress=tell)
    assert told == [(n, 6) for n in range(1, 7)]
    told.clear()
    add(collection, [archive("b.ngr", [7])], progress=tell)
    assert told == [(4, 6), (6, 6), (1, 1)]


def test_records_are_the_bytes_they_were(collection, archive):
    path = archive("a.ngr", range(3))
    add(collection, [path])
    with ng.open(path) as before, ng.open(collection.room.where) as after:
        for position in range(3):
            old, new = (a.files[0][2].record_bytes(position) for a in (before, after))
            assert bytes(old) == bytes(new)


def test_other_content_is_refused_by_name_or_replaces(collection, archive):
    add(collection, [archive("a.ngr", range(6))])
    changed = archive("b.ngr", [2, 6], labels={"pneumonia": 0.0})
    with pytest.raises(FormatError, match=r"E_DUP.*'study-2'.*b\.ngr.*archives/.*--replace"):
        add(collection, [changed])
    done = add(collection, [changed], replace=True)
    assert (done.added, done.replaced) == (1, 1)
    with ng.open(collection.room.where) as found:
        assert found["study-2"].labels == {"pneumonia": 0.0}
        assert len(found) == 7
    assert sound(collection)


def test_two_inputs_of_one_id_are_named(collection, archive):
    first, second = archive("a.ngr", [1, 2]), archive("b.ngr", [2, 3])
    with pytest.raises(FormatError, match=r"E_DUP.*study-2.*a\.ngr.*b\.ngr.*--skip-equal"):
        add(collection, [first, second])
    with pytest.raises(FormatError, match=r"E_DUP.*studies 'study-1', 'study-2' are given twice.*a\.ngr.*a\.ngr"):
        add(collection, [first, first])
    ng.pack([first, second], first.with_name("both.ngr"), skip_equal=True)
    assert add(collection, [first.with_name("both.ngr")]).added == 3


def test_a_removed_study_stays_removed(collection, archive):
    path = archive("a.ngr", range(6))
    add(collection, [path])
    done = remove(collection, ["study-1"])
    assert (done.studies, done.archives, done.remembered) == (1, 1, 1)
    assert ids_of(collection) == [f"study-{n}" for n in (0, 2, 3, 4, 5)], "the others keep their order"
    with pytest.raises(CollectionError, match=r"E_REMOVED.*study-1"):
        add(collection, [path])
    assert add(collection, [path], skip_removed=True).removed == ("study-1",)
    assert add(collection, [path], again=True).added == 1
    assert add(collection, [path]).equal == 6
    assert collection.head().removed == ()
    remove(collection, ["study-1"], remember=False)
    assert add(collection, [path]).added == 1
    assert sound(collection)


def test_what_is_not_there_cannot_be_removed(collection, archive):
    add(collection, [archive("a.ngr", range(3))])
    with pytest.raises(StudyNotFoundError):
        remove(collection, ["study-0", "nobody"])
    assert len(ids_of(collection)) == 3
    assert remove(collection, ["study-0", "nobody"], missing_ok=True).studies == 1
    with pytest.raises(CollectionError, match="E_REMOVED"):
        add(collection, [archive("b.ngr", [9], study_id="nobody")])


def test_a_patient_is_removed_with_all_studies(collection, archive):
    patients = {f"study-{n}": StudyReceipt(patient=f"p{n % 2}", split="train") for n in range(6)}
    add(collection, [archive("a.ngr", range(6))], receipts=patients)
    assert find_ids(collection, "finding", generated=True)
    done = remove(collection, patients=["p1"])
    assert done.studies == 3
    assert ids_of(collection) == ["study-0", "study-2", "study-4"]
    left = {key for member in collection.head().archives for key in read_receipts(collection.room, member)}
    assert left == {"study-0", "study-2", "study-4"}


def test_studies_are_removed_by_what_the_catalogue_says(collection, archive):
    add(collection, [archive("a.ngr", range(3)), archive("b.ngr", [3, 4], provenance={"report": "generated"})])
    assert remove(collection, where="report = 'generated'").studies == 2
    assert len(ids_of(collection)) == 3


def test_an_empty_collection_grows_again(collection, archive):
    path = archive("a.ngr", [1])
    add(collection, [path])
    remove(collection, ["study-1"], remember=False)
    assert collection.head().archives == ()
    add(collection, [path])
    assert len(ids_of(collection)) == 1


def test_readers_keep_their_snapshot(collection, archive):
    add(collection, [archive("a.ngr", range(6))])
    with ng.open(collection.room.where) as before:
        remove(collection, ["study-1"])
        add(collection, [archive("b.ngr", [10])])
        compact(collection)
        vacuum(collection, older_than=0)
        assert len(before) == 6
        assert before["study-1"].study_id == "study-1"
    with ng.open(collection.room.where) as after:
        assert len(after) == 6
        assert "study-1" not in after


def test_small_archives_become_large_ones(collection, archive):
    for seed in range(6):
        add(collection, [archive(f"{seed}.ngr", [seed])])
    before = ids_of(collection)
    assert compact(collection) == (6, 2)
    assert ids_of(collection) == before
    assert [member.studies for member in collection.head().archives] == [4, 2]
    assert compact(collection) == (0, 0)
    assert sound(collection)


def test_vacuum_deletes_what_no_longer_counts_and_nothing_else(collection, archive):
    add(collection, [archive("a.ngr", range(6))])
    remove(collection, ["study-1"])
    assert stray_files(collection, collection.head())
    assert vacuum(collection).files == 0, "everything counted within the last day"
    counted = vacuum(collection, older_than=0, dry_run=True)
    assert counted == vacuum(collection, older_than=0)
    assert counted.manifests == 2
    assert stray_files(collection, collection.head()) == []
    assert collection.room.names("manifests") == [Path(manifest_name(3)).name]
    assert len(ids_of(collection)) == 5
    assert len(collection.head().history) == 3, "the log outlives the states"


def forms(study):
    """What may not be found of a study anywhere: its id, its texts, its numbers, its digest."""
    embedding = study.patches.embedding
    yield study.study_id.encode()
    yield study.digest.encode()
    yield bytes.fromhex(study.digest)
    yield study.report.encode()
    yield np.ascontiguousarray(embedding, "<f4").tobytes()
    yield np.ascontiguousarray(embedding).view(np.uint16)[:, 1::2].tobytes()
    yield study.concepts[0].text.encode()


def test_no_byte_of_a_removed_study_is_left(collection, tmp_path):
    secret = build_study(
        seed=99,
        patches=6,
        dim=16,
        study_id="zz-secret-study",
        labels={"zebulon label": 1.0},
        report="The patient Zebulon has a very particular shadow.",
        concepts=0,
    )
    secret = type(secret)(
        **{
            **{name: getattr(secret, name) for name in secret.__dataclass_fields__},
            "concepts": (ng.Concept("zebulonoma", "Observation::definitely present", 0, 5, "findings"),),
        }
    )
    others = [build_study(seed=seed, patches=6, dim=16, report="plain") for seed in range(6)]
    # Embeddings and texts stand in the file as they are, so that looking for them means something.
    ng.save([*others[:3], secret, *others[3:]], tmp_path / "a.ngr", profile="train")
    add(collection, [tmp_path / "a.ngr"], receipts={secret.study_id: StudyReceipt("g" * 8, "zz-patient", "train")})
    intake = collection.room.path / ".intake" / ".ngr-convert"
    intake.mkdir(parents=True)
    (intake / "receipts-1-of-1.jsonl").write_text('{"study": "zz-secret-study"}\n{"study": "study-1"}\n')
    (intake.parent / "zz-secret-study.ngr").write_bytes(ng.to_bytes(secret))

    def found():
        files = [path for path in collection.room.path.rglob("*") if path.is_file()]
        text = {path: path.name.encode() + path.read_bytes() for path in files}
        wanted = [*forms(secret), b"zz-patient", b"zebulonoma", b"zebulon label"]
        return {form[:20] for form in wanted for data in text.values() if form in data}

    assert {b"zz-secret-study", b"zz-patient", b"zebulonoma", b"zebulon label"} <= found()
    assert len(found()) >= 6
    remove(collection, ["zz-secret-study"])
    vacuum(collection, older_than=0)
    assert found() == set()
    assert (intake / "receipts-1-of-1.jsonl").read_text() == '{"study": "study-1"}\n'
    assert sound(collection)


def test_two_writers_do_not_lose_each_others_commit(tmp_path, archive):
    place = tmp_path / "c"
    Collection.create(place, archive_studies=4)
    paths = [archive(f"{n}.ngr", range(10 * n, 10 * n + 5)) for n in range(6)]
    failed = []

    def work(path):
        try:
            add(Collection(place), [path])
        except CollectionError as error:
            failed.append(error.code)

    threads = [threading.Thread(target=work, args=(path,)) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    collection = Collection(place)
    assert failed == []
    assert sorted(ids_of(collection)) == sorted(f"study-{10 * n + k}" for n in range(6) for k in range(5))
    assert collection.head().snapshot == 7
    assert sound(collection)


def racing(monkeypatch, collection, rival):
    """Let ``rival`` commit in the moment before the next commit of ``collection``."""
    create = type(collection.room).create
    raced = []

    def first(self, name, data):
        if self is collection.room and not raced:
            raced.append(name)
            rival()
        return create(self, name, data)

    monkeypatch.setattr(type(collection.room), "create", first)


def test_a_lost_race_is_repeated_when_both_add_the_same_study(monkeypatch, collection, archive):
    path = archive("a.ngr", range(3))
    other = Collection(collection.room.where)
    racing(monkeypatch, collection, lambda: add(other, [path]))
    done = add(collection, [path])
    assert (done.added, done.equal) == (0, 3)
    assert ids_of(collection) == ["study-0", "study-1", "study-2"]


def test_a_removal_wins_against_an_add_of_the_same_study(monkeypatch, collection, archive):
    path = archive("a.ngr", [5])
    other = Collection(collection.room.where)
    racing(monkeypatch, collection, lambda: remove(other, ["study-5"], missing_ok=True))
    with pytest.raises(CollectionError, match="E_REMOVED"):
        add(collection, [path])
    assert ids_of(collection) == []
    assert stray_files(collection, collection.head()) == []


def test_removing_goes_on_top_of_another_archive_and_anew_on_the_same(monkeypatch, collection, archive):
    add(collection, [archive("a.ngr", range(4))])
    other = Collection(collection.room.where)
    racing(monkeypatch, collection, lambda: remove(other, ["study-2"]))
    remove(collection, ["study-1"])
    assert ids_of(collection) == ["study-0", "study-3"]
    assert sound(collection)


def test_losing_always_ends_with_a_code(monkeypatch, collection, archive):
    path = archive("a.ngr", [5])
    monkeypatch.setattr(type(collection.room), "create", lambda *_: False)
    monkeypatch.setattr(Collection, "_fits", lambda self, change, base, latest: latest is base)
    with pytest.raises(CollectionError, match="E_CONFLICT"):
        add(collection, [path])
    assert stray_files(collection, collection.head()) == []


def test_a_damaged_input_adds_nothing(collection, archive):
    path = archive("a.ngr", range(6))
    data = bytearray(path.read_bytes())
    with ng.open(path) as found:
        offset, length = found.files[0][2].index.place(5)
    data[offset + length // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(ng.NeuralGraphError):
        add(collection, [path])
    assert collection.head().snapshot == 1
    assert stray_files(collection, collection.head()) == []


def test_a_place_that_is_taken_is_no_new_collection(collection, tmp_path):
    with pytest.raises(OutputError):
        Collection.create(collection.room.where)
    with pytest.raises(FormatError, match="ngr collection create"):
        Collection(tmp_path)


def test_verify_finds_a_replaced_archive(collection, archive):
    add(collection, [archive("a.ngr", range(3))])
    member = collection.head().archives[0]
    (collection.room.path / member.path).write_bytes(archive("b.ngr", range(4, 7)).read_bytes())
    assert "E_MANIFEST" in {problem.code for problem in verify(collection)}
    with pytest.raises(FormatError, match="replaced or damaged"):
        ids_of(collection)


def test_verify_finds_a_table_of_something_else(collection, archive):
    add(collection, [archive("a.ngr", range(6))])
    first, second = collection.head().archives
    table = collection.room.path / first.table_path("studies")
    table.write_bytes((collection.room.path / second.table_path("studies")).read_bytes())
    assert [problem.where for problem in verify(collection)] == [first.table_path("studies")]


def test_a_collection_below_a_folder_counts_once(collection, archive, tmp_path):
    add(collection, [archive("a.ngr", range(6))])
    remove(collection, ["study-1"])
    (tmp_path / "a.ngr").unlink()
    with ng.open(tmp_path) as found:
        assert len(found) == 5


def test_a_server_that_fails_is_not_one_without_a_collection():
    pytest.importorskip("aiohttp", reason="the extra remote is not installed")
    from bench.range_server import range_server

    with range_server() as server:
        with pytest.raises(FormatError, match="there is no collection here"):
            Collection(server.url("nothing"))
        server.files["kept/collection.json"] = b"{}"
        server.fail = [503]
        with pytest.raises(FormatError, match="HTTP status 503") as caught:
            Collection(server.url("kept"))
    assert caught.value.code == "E_OPEN"
