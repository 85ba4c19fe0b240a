"""What the archive manager is told: the summary, metrics and estimates."""

import json

import pytest

from neuralgraph.bulk import ConversionSettings
from neuralgraph.bulk.estimate import estimate
from neuralgraph.bulk.facts import StudyFacts, Totals, facts_of
from neuralgraph.bulk.outcome import Outcome
from neuralgraph.bulk.run import RunOptions
from neuralgraph.bulk.summary import summary_of, summary_text
from neuralgraph.bulk.textfile import METRICS, MetricsFile
from neuralgraph.sources.layouts import Roots, resolve_manifest
from tests.bulk.conftest import FAKE


def summary(bench):
    return json.loads((bench.dest / "summary.json").read_text())


def test_the_summary_counts_what_is_there_whichever_run_made_it(bench):
    bench.fill(5)
    bench.add("bad", "LONG")
    (bench.source / "Doe-Jane-004.txt").unlink()
    bench.run()
    first = summary(bench)
    assert first["studies"] == {
        "planned": 6, "there": 5, "converted": 5, "verified": 0, "failed": 1, "remaining": 0, "stopped": "",
    }  # fmt: skip
    assert first["films"] == {"there": 5, "doubtful": 0, "with_text": 0}
    assert first["reports"] == {"given": 4, "generated": 1, "absent": 0}
    assert first["without_concepts"] == 5
    assert first["refused"] == {"E_LIMIT": 1}
    assert first["bytes"]["out"] == sum(map(len, bench.files().values()))
    assert first["bytes"]["in"] == sum((bench.source / f"Doe-Jane-{n:03d}.png").stat().st_size for n in range(5))
    assert set(first["run"]["stage_seconds"]) == {"read", "model", "encode", "write"}
    assert all(first["run"]["stage_seconds"].values())
    bench.add("bad")
    bench.run()
    second = summary(bench)
    assert second["studies"] | {"there": 6, "converted": 1, "verified": 5, "failed": 0} == second["studies"]
    assert second["reports"] == {"given": 5, "generated": 1, "absent": 0}
    assert "Doe" not in (bench.dest / "summary.txt").read_text()


def test_the_table_says_what_reasons_mean(bench):
    bench.fill(2)
    bench.add("bad", "LONG")
    bench.run()
    lines = (bench.dest / "summary.txt").read_text().splitlines()
    assert any(line.split()[:2] == ["E_LIMIT", "1"] and "larger than the limits" in line for line in lines)
    assert any(line.startswith("studies there") and line.endswith("2  of 3 planned") for line in lines)
    outcome = Outcome(planned=9, dropped={"no_frontal": 4}, stopped="signal")
    text = summary_text(summary_of(outcome))
    assert "none of a wanted view" in text
    assert "ended by signal" in text


def test_shards_and_archives_have_summaries_of_their_own(bench):
    bench.fill(6)
    for number in (1, 2):
        bench.run(shard=(number, 2), pack=2)
    there = [json.loads((bench.dest / f"summary-{n}-of-2.json").read_text())["studies"]["there"] for n in (1, 2)]
    assert sum(there) == 6
    # Studies in archives are counted from their receipts too.
    bench.run(shard=(1, 2), pack=2)
    assert json.loads((bench.dest / "summary-1-of-2.json").read_text())["films"]["there"] == there[0]


def test_totals():
    totals = Totals()
    totals.add(StudyFacts(films=2, doubtful_films=1, report="given", concepts=3, source_bytes=10, file_bytes=1))
    totals.add(StudyFacts(films=1, report="none"))
    totals.add(StudyFacts())
    assert (totals.studies, totals.films, totals.doubtful_films, totals.without_concepts) == (3, 3, 1, 2)
    assert totals.reports == {"given": 1, "generated": 0, "absent": 1}


def test_facts_of_a_study():
    from builders import build_study

    study = build_study(provenance={"report": "given", "films": [{"quality": "rescued", "text_marks": 2}]})
    facts = facts_of(study, source_bytes=7, file_bytes=3)
    assert (facts.doubtful_films, facts.films_with_text, facts.report) == (1, 1, "given")
    good = build_study(provenance={"report": "given", "films": [{"quality": "good"}]})
    assert facts_of(good, source_bytes=7, file_bytes=3).doubtful_films == 0
    assert (facts.films, facts.concepts) == (len(study.views), len(study.concepts))


def test_metrics_are_written_aside_every_few_seconds(tmp_path):
    outcome = Outcome(planned=3)
    watched = MetricsFile(tmp_path / "ngr.prom", every=1000.0)
    watched(outcome)
    first = (tmp_path / "ngr.prom").read_text()
    outcome.converted = 2
    watched(outcome)
    assert (tmp_path / "ngr.prom").read_text() == first
    watched(outcome, running=False)
    text = (tmp_path / "ngr.prom").read_text()
    assert "ngr_convert_converted_studies_total 2\n" in text
    assert "ngr_convert_running 0\n" in text
    assert len({metric.name for metric in METRICS}) == len(METRICS)
    assert all(f"# HELP {metric.name} {metric.meaning}\n" in text for metric in METRICS)
    assert [path.name for path in tmp_path.iterdir()] == ["ngr.prom"]
    # A folder that has gone does not end a run.
    watched._path = tmp_path / "gone" / "ngr.prom"
    watched(outcome, running=False)


def test_a_run_shows_itself_while_it_goes_on(bench):
    from neuralgraph.bulk import convert
    from neuralgraph.bulk.destination import Destination

    bench.fill(5, "SLOW")
    seen = []

    def observe(outcome, *, running):
        seen.append((running, outcome.converted, outcome.here.studies))

    convert(bench.plan(), Destination(bench.dest), ConversionSettings(), RunOptions(command=FAKE), observe=observe)
    assert seen[-1] == (False, 5, 5)
    assert all(running for running, _, _ in seen[:-1])
    assert len(seen) > 3


@pytest.mark.parametrize("count", [0, 3, 25])
def test_estimates(bench, count):
    bench.fill(count)
    rows = resolve_manifest(Roots(bench.source), "folder").rows
    told = []
    found = estimate(
        rows, ConversionSettings(), RunOptions(workers=2, command=FAKE), told=lambda done, all: told.append((done, all))
    )
    assert (found.studies, found.sampled) == (count, min(count, 10))
    assert told == [(n + 1, min(count, 10)) for n in range(min(count, 10))]
    if count:
        assert found.bytes_in == sum(path.stat().st_size for path in bench.source.glob("*.png"))
        assert found.seconds > 0
        bench.run()
        really = sum(map(len, bench.files().values()))
        assert really / 2 < found.bytes_out < really * 2
    assert not bench.dest.exists() or count


def test_a_sample_that_brings_down_its_workers_is_still_an_estimate(bench):
    bench.fill(2)
    bench.add("a-crash", "CRASH")
    rows = resolve_manifest(Roots(bench.source), "folder").rows
    found = estimate(rows, ConversionSettings(), RunOptions(command=FAKE))
    assert (found.sampled, found.failed) == (3, 1)
    found = estimate(rows, ConversionSettings(model="absent"), RunOptions(command=FAKE))
    assert "no such model" in found.reason


def test_a_part_that_is_damaged_while_it_waits_costs_its_own_archive_only(bench, monkeypatch):
    from neuralgraph.bulk import ledger
    from neuralgraph.errors import FormatError

    bench.fill(4)
    real = ledger.build

    def build(path, members, **options):
        if path.name == "studies-00000.ngr":
            raise FormatError("damaged", code="E_CRC")
        real(path, members, **options)

    monkeypatch.setattr(ledger, "build", build)
    outcome = bench.run(pack=2)
    assert outcome.stopped == ""
    assert outcome.reasons["E_CRC"] >= 1
    assert sorted(bench.files()) == ["studies-00001.ngr"]
    monkeypatch.undo()
    assert bench.run(pack=2).complete
    assert len(bench.files()) == 2
