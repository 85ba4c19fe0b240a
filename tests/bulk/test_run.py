import csv
import json
import os
import subprocess
import sys
import threading
import time

import pytest

from neuralgraph.bulk import ConversionSettings
from neuralgraph.bulk.destination import STATE, Destination
from neuralgraph.errors import ModelError, OutputError, StudyError
from neuralgraph.storage.archive import load
from neuralgraph.storage.opening import open_archive
from neuralgraph.storage.pack import pack
from neuralgraph.storage.validate import validate


def failures(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_every_study_becomes_a_file_under_its_pseudonym(bench):
    bench.fill(5)
    outcome = bench.run(workers=3)
    assert (outcome.converted, outcome.verified, outcome.failed, outcome.remaining) == (5, 0, 0, 0)
    assert outcome.complete
    assert set(bench.files()) == {f"{bench.study_id(f'Doe-Jane-{number:03d}')}.ngr" for number in range(5)}
    assert outcome.file_bytes == sum(map(len, bench.files().values()))
    assert outcome.source_bytes == sum(path.stat().st_size for path in bench.source.glob("*.png"))
    for path in bench.dest.glob("*.ngr"):
        assert validate(path).ok
        assert load(path).study_id == path.stem
    lists = ["studies.csv", "summary.json", "summary.txt"]
    assert sorted(os.listdir(bench.dest)) == sorted([STATE, *lists, *bench.files()])
    assert os.listdir(bench.dest / STATE / "parts") == []


def test_nothing_of_the_source_is_in_the_destination(bench):
    bench.add("Doe^Jane", "INDICATION: Mrs Doe, MRN 4711.\n\nIMPRESSION:\nClear, ___ discussed with Dr. XXXX.")
    (bench.source / "Roe-Richard.png").write_bytes(b"MRN 4711")
    bench.run(settings=ConversionSettings(store_report=True))
    written = b"".join(path.read_bytes() for path in bench.dest.rglob("*") if path.is_file())
    names = " ".join(path.name for path in bench.dest.rglob("*"))
    for secret in ("Doe", "Jane", "Roe", "4711", "XXXX", "___", str(bench.source), ".png", "INDICATION"):
        assert secret.encode() not in written
        assert secret not in names
    assert b"discussed with Dr." in written


def test_a_second_run_converts_exactly_what_is_missing(bench):
    bench.fill(8)
    bench.run()
    before = bench.files()
    assert bench.run().verified == 8
    names = sorted(before)
    (bench.dest / names[0]).unlink()
    (bench.dest / names[1]).write_bytes(before[names[1]][:-1])
    flipped = bytearray(before[names[2]])
    flipped[len(flipped) // 2] ^= 1
    (bench.dest / names[2]).write_bytes(flipped)
    kept = (bench.dest / names[3]).stat().st_mtime_ns
    outcome = bench.run()
    assert (outcome.converted, outcome.verified) == (3, 5)
    assert bench.files() == before
    assert (bench.dest / names[3]).stat().st_mtime_ns == kept
    bench.add("later")
    assert bench.run().converted == 1


def test_a_file_without_its_receipt_is_made_again(bench):
    bench.fill(3)
    bench.run()
    before = bench.files()
    receipts = bench.dest / STATE / "receipts-1-of-1.jsonl"
    lines = receipts.read_bytes().splitlines(keepends=True)
    receipts.write_bytes(lines[0] + b"not json\n" + lines[1][:20])
    assert bench.run().converted == 2
    assert bench.files() == before
    assert bench.run().verified == 3


def test_a_changed_row_is_converted_again(bench):
    bench.fill(2)
    table = bench.source / "manifest.csv"
    table.write_text(
        "study_id,image,report,label.pneumonia\na,Doe-Jane-000.png,Clear.,1\nb,Doe-Jane-001.png,Clear.,0\n"
    )
    bench.run()
    before = bench.files()
    table.write_text(
        "study_id,image,report,label.pneumonia\na,Doe-Jane-000.png,Clear.,1\nb,Doe-Jane-001.png,Clear.,-1\n"
    )
    outcome = bench.run()
    assert (outcome.converted, outcome.verified) == (1, 1)
    assert sum(bench.files()[name] != data for name, data in before.items()) == 1


@pytest.mark.parametrize("pack", [0, 2])
def test_a_corrected_report_or_film_under_the_same_name_is_converted_again(bench, pack):
    bench.fill(4)
    bench.run(pack=pack)
    with open_archive(bench.dest) as archive:
        before = list(archive.ids)
    report, film = bench.source / "Doe-Jane-001.txt", bench.source / "Doe-Jane-002.png"
    report.write_text("There is a right pleural effusion.")
    film.write_bytes((bench.source / "Doe-Jane-003.png").read_bytes() + bytes(1))
    os.utime(bench.source / "Doe-Jane-003.png")
    outcome = bench.run(pack=pack)
    assert (outcome.converted, outcome.verified, outcome.changed, outcome.restored) == (2, 2, 2, 0)
    with open_archive(bench.dest) as archive:
        assert list(archive.ids) == before
    outcome = bench.run(pack=pack)
    assert (outcome.converted, outcome.verified, outcome.changed) == (0, 4, 0)


def test_a_film_of_the_same_size_and_another_time_is_read(bench):
    bench.fill(2)
    film = bench.source / "Doe-Jane-000.png"
    data = film.read_bytes()
    film.write_bytes(data + b"\0")
    bench.run()
    film.write_bytes(data + b"\1")
    os.utime(film, ns=(1, 1))
    assert bench.run().changed == 1
    # What a copy of the source changes is the times.
    os.utime(film, ns=(2, 2))
    assert bench.run().verified == 2


def test_other_settings_need_another_folder(bench):
    bench.fill(2)
    bench.run()
    bench.add("more")
    before = bench.files()
    for word, settings in (
        ("embedding", ConversionSettings(embedding="float32")),
        ("amount", ConversionSettings(amount=0.5)),
        ("method", ConversionSettings(model="other")),
    ):
        with pytest.raises(OutputError, match=f"made with another {word}"):
            bench.run(settings=settings)
    assert bench.files() == before


def test_shards_share_a_folder(bench, tmp_path):
    bench.fill(12)
    bench.run(tmp_path / "whole")
    for number in (1, 2, 3):
        bench.run(shard=(number, 3))
    assert bench.files() == bench.files(tmp_path / "whole")
    rows = []
    for number in (1, 2, 3):
        with open(bench.dest / f"studies-{number}-of-3.csv", newline="") as stream:
            rows += list(csv.DictReader(stream))
    assert sorted(row["file"] for row in rows) == sorted(bench.files())
    assert len({len(bench.plan(shard=(number, 3)).studies) for number in (1, 2, 3)} | {0}) > 1
    # What other shards did counts: the whole is there already.
    assert bench.run().verified == 12


def test_failures_are_listed_and_the_rest_goes_on(bench):
    bench.fill(6)
    bench.add("a-crash", "CRASH")
    bench.add("a-hang", "HANG")
    bench.add("a-long", "LONG")
    bench.add("a-damaged")
    (bench.source / "a-damaged.png").write_bytes(b"\x89PNG\r\n\x1a\nJane Doe")
    bench.add("no-text", "INDICATION: rule out pneumonia.")
    bench.add("binary")
    (bench.source / "binary.txt").write_bytes(b"\xff\xfe\x00")
    outcome = bench.run(time_limit=4.0)
    assert (outcome.converted, outcome.failed, outcome.remaining) == (6, 6, 0)
    assert not outcome.complete
    listed = {line["study"]: line["reason"] for line in failures(bench.dest / "failures.jsonl")}
    assert listed == {
        bench.study_id("a-crash"): "worker_died",
        bench.study_id("a-hang"): "time_limit",
        bench.study_id("a-long"): "E_LIMIT",
        bench.study_id("a-damaged"): "E_SOURCE_DAMAGED",
        bench.study_id("no-text"): "E_SOURCE_EMPTY",
        bench.study_id("binary"): "E_SOURCE_TEXT",
    }
    assert "Doe" not in (bench.dest / "failures.jsonl").read_text()
    assert dict(outcome.reasons) == dict.fromkeys(listed.values(), 1)
    for name in ("a-crash", "a-hang", "a-long", "a-damaged", "no-text", "binary"):
        bench.add(name)
    again = bench.run()
    assert (again.converted, again.verified, again.complete) == (6, 6, True)
    assert not (bench.dest / "failures.jsonl").exists()


def test_faults_of_the_table_are_failures_too(bench, tmp_path):
    bench.fill(1)
    (bench.source / "manifest.csv").write_text("study_id,image\ngood,Doe-Jane-000.png\nbad,gone.png\n")
    outcome = bench.run(failures=tmp_path / "list.jsonl")
    assert (outcome.converted, outcome.failed) == (1, 1)
    (line,) = failures(tmp_path / "list.jsonl")
    assert line["reason"] == "image_missing"
    assert "gone" not in json.dumps(line)
    assert not (bench.dest / "failures.jsonl").exists()


def test_giving_up(bench):
    bench.fill(20, "LONG")
    outcome = bench.run(max_errors=3, workers=1)
    assert outcome.stopped == "max_errors"
    # What the worker had in hand is finished.
    assert 4 <= outcome.failed <= 5
    assert outcome.remaining == 20 - outcome.failed


def test_a_full_disk_ends_the_run_and_the_next_one_continues(bench):
    bench.fill(10)
    outcome = bench.run(settings=ConversionSettings(model="full"), workers=1)
    assert (outcome.stopped, outcome.converted) == ("destination", 0)
    assert 3 <= outcome.failed <= 4
    assert set(outcome.reasons) == {"E_WRITE"}
    assert bench.files() == {}
    assert not list(bench.dest.rglob("*.partial"))
    settings = bench.dest / STATE / "settings.json"
    settings.write_text(json.dumps({**json.loads(settings.read_text()), "method": {"model": "fake demo"}}))
    assert bench.run().converted == 10


def test_a_receipt_that_cannot_be_written_ends_the_run(bench, monkeypatch):
    from neuralgraph.bulk import receipts

    bench.fill(6)
    calls = []

    class Full:
        def __getattr__(self, name):
            return getattr(os, name)

        def fsync(self, descriptor):
            calls.append(descriptor)
            if len(calls) == 3:
                raise OSError(28, "No space left on device")

    monkeypatch.setattr(receipts, "os", Full())
    outcome = bench.run()
    assert (outcome.stopped, outcome.failed) == ("destination", 1)
    assert 2 <= outcome.converted <= 3
    lines = (bench.dest / STATE / "receipts-1-of-1.jsonl").read_bytes()
    assert lines.count(b"\n") == outcome.converted
    assert lines.endswith(b"\n")
    monkeypatch.undo()
    again = bench.run()
    assert (again.converted, again.verified) == (6 - outcome.converted, outcome.converted)


def test_stopping_finishes_what_is_in_hand(bench):
    bench.fill(30, "SLOW")
    done = []
    outcome = bench.run(progress=lambda **numbers: done.append(numbers), stop=lambda: len(done) >= 5, workers=2)
    assert outcome.stopped == "signal"
    assert 5 <= outcome.converted <= 9
    assert len(bench.files()) == outcome.converted
    assert not list(bench.dest.rglob("*.partial"))
    assert bench.run().converted == 30 - outcome.converted


@pytest.mark.parametrize(("model", "message"), [("absent", "no such model"), ("broken", "before it was ready")])
def test_workers_that_cannot_start(bench, model, message):
    bench.fill(1)
    with pytest.raises(ModelError, match=message):
        bench.run(settings=ConversionSettings(model=model))


def test_one_run_at_a_time(bench):
    bench.fill(1)
    holder = Destination(bench.dest)
    holder.lock()
    with pytest.raises(OutputError, match="another run"):
        Destination(bench.dest).lock(patience=0.0)
    timer = threading.Timer(0.3, holder.unlock)
    timer.start()
    began = time.monotonic()
    assert bench.run().converted == 1
    assert time.monotonic() - began >= 0.25
    timer.join()
    assert Destination(bench.dest, (1, 2)).lock(patience=0.0)


def test_leftovers_of_a_killed_worker_are_swept(bench):
    bench.fill(2)
    bench.run()
    name = next(iter(bench.files()))
    mine = [left_half_written(bench.dest / name), left_half_written(bench.dest / "studies.csv")]
    mine.append(left_half_written(bench.dest / STATE / "settings.json"))
    foreign = left_half_written(bench.dest / f"{'0' * 32}.ngr")
    bench.run()
    assert not any(path.exists() for path in mine)
    assert foreign.exists()


def left_half_written(target):
    """What a process leaves that dies while it writes ``target``."""
    before = set(target.parent.iterdir())
    die = "import os, sys; from neuralgraph.storage.atomic import atomic_file"
    subprocess.run(
        [sys.executable, "-c", f"{die}\nwith atomic_file(sys.argv[1]):\n    os._exit(9)", target], check=False
    )
    (left,) = set(target.parent.iterdir()) - before
    return left


def test_archives(bench, tmp_path):
    bench.fill(10)
    bench.add("bad", "LONG")
    outcome = bench.run(pack=4)
    assert (outcome.converted, outcome.failed) == (10, 1)
    assert sorted(bench.files()) == ["studies-00000.ngr", "studies-00001.ngr", "studies-00002.ngr"]
    with open_archive(bench.dest) as archive:
        assert len(archive) == 10
        assert bench.study_id("bad") not in archive.ids
        assert archive.ids == sorted(archive.ids)
    assert all(validate(path).ok for path in bench.dest.glob("*.ngr"))
    assert not list((bench.dest / STATE / "parts").iterdir())
    before = bench.files()
    again = bench.run(pack=4)
    assert (again.converted, again.verified, again.failed) == (0, 10, 1)
    assert bench.files() == before
    # The same archives from a source that was good from the start.
    bench.add("bad")
    assert bench.run(pack=4).converted == 1
    bench.run(tmp_path / "fresh", pack=4)
    assert bench.files() == bench.files(tmp_path / "fresh")
    # A damaged archive costs its own studies only.
    (bench.dest / "studies-00001.ngr").write_bytes(b"x")
    assert bench.run(pack=4).converted == 4
    assert bench.files() == bench.files(tmp_path / "fresh")
    # What is added later goes into a further archive.
    before = bench.files()
    bench.add("later")
    assert bench.run(pack=4).converted == 1
    assert {name: data for name, data in bench.files().items() if name in before} == before
    assert sorted(set(bench.files()) - set(before)) == ["studies-00003.ngr"]
    with pytest.raises(OutputError, match="pack"):
        bench.run(pack=5)


def test_archives_of_a_profile(bench, tmp_path):
    profile = "train"
    bench.fill(9)
    bench.add("bad", "LONG")
    bench.run(pack=6, profile=profile)
    assert all(validate(path).ok for path in bench.dest.glob("*.ngr"))
    # One more of an archive that is there already, which is read again for the others.
    bench.add("bad")
    assert bench.run(pack=6, profile=profile).converted == 1
    bench.run(tmp_path / "fresh", pack=6, profile=profile)
    assert bench.files() == bench.files(tmp_path / "fresh")
    # The same as what packing afterwards makes of the same studies.
    bench.run(tmp_path / "compact", pack=6)
    for name, data in bench.files().items():
        pack([tmp_path / "compact" / name], tmp_path / name, profile=profile)
        assert (tmp_path / name).read_bytes() == data
    with pytest.raises(OutputError, match="profile"):
        bench.run(pack=6)


def test_a_profile_is_for_archives(bench):
    bench.fill(1)
    with pytest.raises(StudyError, match="say how many studies"):
        bench.run(profile="train")
    with pytest.raises(StudyError, match="not a profile"):
        bench.run(pack=2, profile="tiny")


def test_archives_of_shards(bench):
    bench.fill(9)
    for number in (1, 2):
        bench.run(shard=(number, 2), pack=3)
    with open_archive(bench.dest) as archive:
        assert len(archive.ids) == 9
    assert all(name.startswith(("studies-1-of-2-", "studies-2-of-2-")) for name in bench.files())


def listed(folder):
    """The rows of studies.csv: id -> (split, file)."""
    lines = (folder / "studies.csv").read_text().splitlines()[1:]
    return {line.split(",")[0]: tuple(line.split(",")[1:]) for line in lines}


@pytest.mark.parametrize("pack", [0, 4])
def test_a_study_that_the_source_has_no_longer_stays_in_the_list_and_is_counted(bench, pack):
    bench.fill(6)
    bench.run(pack=pack)
    before = listed(bench.dest)
    for path in bench.source.glob("Doe-Jane-003.*"):
        path.unlink()
    outcome = bench.run(pack=pack)
    assert (outcome.verified, outcome.converted, outcome.orphans) == (5, 0, 1)
    assert listed(bench.dest) == before, "the list agrees with the files"
    with open_archive(bench.dest) as archive:
        assert sorted(archive.ids) == sorted(before)


@pytest.mark.parametrize("pack", [0, 4])
def test_what_was_deleted_by_hand_is_made_again_and_counted(bench, pack):
    bench.fill(6)
    assert bench.run(pack=pack).restored == 0
    name = next(iter(bench.files()))
    (bench.dest / name).unlink()
    outcome = bench.run(pack=pack)
    assert outcome.restored == outcome.converted == (4 if pack else 1)
    assert bench.run(pack=pack).restored == 0
