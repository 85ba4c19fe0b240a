"""A night's studies into a collection: repeated, corrected, killed, and after a removal."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from neuralgraph.bulk import ConversionSettings, convert, make_plan
from neuralgraph.bulk.destination import STATE, Destination
from neuralgraph.bulk.intake import convert_into, intake_folder, intake_key
from neuralgraph.bulk.pseudonyms import Pseudonyms
from neuralgraph.bulk.run import RunOptions
from neuralgraph.collection import Collection, remove, vacuum, verify
from neuralgraph.sources.layouts import Roots, resolve_manifest
from neuralgraph.storage.opening import open_archive

KEY = b"0123456789abcdef"
FAKE = (sys.executable, str(Path(__file__).with_name("fake_worker.py")))


@pytest.fixture
def night(bench, tmp_path):
    """Runs the spool of ``bench`` into a collection."""
    place = tmp_path / "collection"
    Collection.create(place, catalogue=False, archive_studies=4)

    def run(*, commit=True):
        destination = Destination(intake_folder(place))

        def convert_plan(plan):
            options = RunOptions(workers=1, command=FAKE)
            outcome = convert(plan, destination, ConversionSettings(), options)
            if not commit:
                raise KeyboardInterrupt
            return outcome

        return convert_into(place, destination, bench.plan(), Pseudonyms(KEY), convert_plan)

    run.place = place
    run.collection = Collection(place)
    return run


def ids_of(night):
    with open_archive(night.place) as archive:
        return sorted(archive.ids)


def left(night):
    """Files of the intake that are about studies."""
    folder = night.place / ".intake"
    return [path.name for path in folder.rglob("*") if path.suffix in (".ngr", ".jsonl", ".csv", ".part")]


def test_a_repeated_night_converts_nothing(bench, night):
    bench.fill(6)
    first = night()
    assert (first.converted, first.verified, first.complete) == (6, 0, True)
    assert left(night) == []
    again = night()
    assert (again.converted, again.verified, again.complete) == (0, 6, True)
    assert night.collection.head().snapshot == 2
    bench.add("Doe-Jane-100")
    assert (night().converted, len(ids_of(night))) == (1, 7)
    assert list(verify(night.collection)) == []


def test_a_corrected_report_replaces_its_study(bench, night):
    bench.fill(3)
    table = bench.source / "night.csv"

    def write(report):
        rows = [f"Doe-Jane-{n:03d}.png,s{n},{report if n == 1 else 'Clear.'}" for n in range(3)]
        table.write_text("\n".join(["image,study_id,report", *rows]) + "\n")
        return make_plan(resolve_manifest(Roots(table), "manifest"), Pseudonyms(KEY))

    bench.plan = lambda: write("Clear.")
    night()
    before = ids_of(night)
    bench.plan = lambda: write("Effusion on the right.")
    outcome = night()
    assert (outcome.converted, outcome.verified) == (1, 2)
    assert ids_of(night) == before
    # The worker of these tests writes the same study for any report: only the receipt is another.
    assert night.collection.head().snapshot == 3
    assert night().converted == 0
    assert night.collection.head().snapshot == 3


def test_a_corrected_report_file_or_film_of_the_same_name_replaces_its_study(bench, night):
    bench.fill(3)
    night()
    before = ids_of(night)
    (bench.source / "Doe-Jane-001.txt").write_text("Effusion on the right.")
    film = bench.source / "Doe-Jane-002.png"
    film.write_bytes(film.read_bytes() + b"\0")
    outcome = night()
    assert (outcome.converted, outcome.verified) == (2, 1)
    assert ids_of(night) == before
    assert night().converted == 0


def test_a_run_that_ended_before_the_commit_is_continued(bench, night):
    bench.fill(5)
    with pytest.raises(KeyboardInterrupt):
        night(commit=False)
    assert night.collection.head().studies == 0
    assert len([name for name in left(night) if name.endswith(".ngr")]) == 5
    outcome = night()
    assert (outcome.converted, outcome.verified, len(ids_of(night))) == (0, 5, 5)
    assert left(night) == []


def test_a_removed_study_does_not_come_back_with_the_next_night(bench, night):
    bench.fill(5)
    night()
    gone = bench.study_id("Doe-Jane-003")
    remove(night.collection, [gone])
    outcome = night()
    assert (outcome.converted, outcome.verified, outcome.complete) == (0, 4, True)
    assert outcome.dropped == {"removed_from_collection": 1}
    assert gone not in ids_of(night)
    vacuum(night.collection, older_than=0)
    assert not [path for path in night.place.rglob("*") if path.is_file() and gone.encode() in path.read_bytes()]


def test_receipts_hold_pseudonyms_of_patients_and_the_key_stays_with_the_intake(bench, night):
    bench.fill(2)
    night()
    assert intake_key(night.place) is None, "the tests bring their own key"
    (night.place / ".intake" / STATE / "key").write_text("ab" * 32)
    assert intake_key(night.place) == b"ab" * 32
    for path in night.place.rglob("*"):
        if path.is_file():
            assert b"Doe" not in path.read_bytes()
