"""What a living archive costs, and what breaks first when it grows."""

from __future__ import annotations

from typing import Any

from docs.tools.tables import table

TITLE = "A living archive at scale"
RESULTS = "living.json"

_VERBS = (
    ("add_all", "add all of them, from archives of 10,000"),
    ("add_10000", "add 10,000 more"),
    ("add_10000_again", "add the same 10,000 again: nothing to do"),
    ("remove_1", "remove one study"),
    ("open", "open, and read one by its id"),
    ("find", 'ngr find "right effusion present, no tube"'),
    ("info", "ngr info"),
    ("compact", "compact"),
    ("vacuum", "vacuum --older-than 0s"),
    ("iterate", "read every study, proven"),
    ("verify", "verify, everything"),
)

_AGAIN = (
    *(verb for verb in _VERBS if verb[0] not in ("add_all", "iterate", "verify")),
    ("verify_header", "verify --level header"),
    ("verify", "verify, everything"),
)


def write(results: dict[str, Any]) -> str:
    """Text of the chapter."""
    studies = results["studies"]
    rows = [[name, results[key]["seconds"], results[key]["mib"]] for key, name in _VERBS if key in results]
    share = results["catalogue_bytes"] / results["archive_bytes"]
    each = results["archive_bytes"] / studies
    tables = results["catalogue_bytes"] / studies
    parts = [
        f"{studies:,} synthetic studies (4 patches of 32 values, six concepts, {each:,.0f} bytes of archive each), on a "
        "machine of two cores that other programs were using: the load average was "
        f"{results['load_average_before']:.1f} before and {results['load_average_after']:.1f} after, so an idle machine is "
        "several times faster. Every verb ran in a process of its own; memory is its largest, and at least what the process that "
        "started it had, which is the number that several rows share. Measured with "
        f"`python -m bench living --studies {studies}`.",
        table(["verb", "seconds", "MiB"], rows),
        f"`open` said: {results['open']['said']}. The catalogue has {results['catalogue_bytes']:,} bytes, {tables:.0f} a "
        f"study: {share:.1%} of these archives, whose studies are small on purpose, and at most 5 % wherever a study has "
        f"more than {20 * tables:,.0f} bytes{_usual(results)}. The manifest has {results['manifest_bytes']:,} bytes.",
    ]
    if "again" in results:
        parts.insert(2, _again(results["again"]))
    if "million" in results:
        parts.append(_million(results["million"]))
    if "serve" in results:
        parts.append(_served(results["serve"]))
    parts.append(_beyond(results))
    return "\n\n".join(parts)


def _usual(results: dict[str, Any]) -> str:
    if "usual" not in results:
        return ""
    found = results["usual"]
    size, tables = found["archive_bytes"] / found["studies"], found["catalogue_bytes"]
    return (
        f": of {found['studies']:,} studies in the default profile, {size:,.0f} bytes each, it is {tables:,} bytes, "
        f"**{tables / found['archive_bytes']:.2%}**"
    )


def _again(found: dict[str, Any]) -> str:
    rows = [
        [name, found[key]["seconds"], found[key]["processor_seconds"], found[key]["mib"], found[key]["load_average"]]
        for key, name in _AGAIN
        if key in found
    ]
    asked = found["find_in_process_seconds"]
    return (
        f"Measured again after that, with everything as it is now, of {found['studies']:,} studies of which 100,000 were added "
        "one by one and the others are theirs under other ids, in archives of 10,000 (`python -m bench living --again`). Info and "
        "verify were changed between the two, to keep neither every finding nor every id in memory. Find, open, compact and the "
        "adding of nothing are of a second run, by a process that has less in memory. The two cores had several times as much to do as they can, so that seconds by the clock are the machine's, and seconds "
        "of the processor the verb's:\n\n"
        + table(["verb", "seconds", "of the processor", "MiB", "load average"], rows)
        + f"\n\nIn a process that has everything open `find` takes {min(asked)} to {max(asked)} s by the clock. {_verified(found)}"
    )


def _verified(found: dict[str, Any]) -> str:
    if "verify" in found:
        return ""
    return (
        "Verifying everything was not waited for: at level `header` the same archives, ids, receipts and tables are in memory, "
        "and records one at a time either way."
    )


def _million(found: dict[str, Any]) -> str:
    best = min(found["answers"], key=lambda answer: answer["seconds"])
    worked = max(answer["processor_seconds"] for answer in found["answers"])
    return (
        f"## A question to {found['studies']:,} studies\n\n"
        f'The tables of this collection over and over, in {found["bytes"]:,} bytes of Parquet. "{found["question"]}": '
        f"{best['studies']:,} ids, at most {worked} s of processor time; {best['seconds']} s by the clock at best while the "
        f"load average was {found['load_average']:.1f} on two cores; {found['mib']} MiB."
    )


def _served(found: dict[str, Any]) -> str:
    rows = [[kind, seconds] for kind, seconds in found["by_kind_p99"].items()]
    return (
        f"## Served\n\n`ngr serve` on the loopback interface of the same busy machine, {found['clients']} clients that ask "
        f"without a pause for {found['seconds']:.0f} s, of a collection of {found['studies']:,}: {found['answers']:,} "
        f"answers, {found['errors']} errors, half of them within {found['seconds_p50']} s, 99 % within "
        f"{found['seconds_p99']} s; {found['server_mib']} MiB. The load average was {found['load_average_after']:.1f} on two "
        "cores; one thread reads archives and one the catalogue, so what a client waits for is mostly the others.\n\n"
        + table(["asked for", "99 % within, s"], rows)
    )


def _beyond(results: dict[str, Any]) -> str:
    studies, grown = results["studies"], 10**8
    archives = grown / 8192
    listed = archives * 250
    added = results["add_10000"]["seconds"]
    ids = max(0.0, results["add_10000_again"]["seconds"])
    return (
        "## 10^8 studies in a bucket: what breaks first\n\n"
        "Not measured: extrapolated from the numbers above.\n\n"
        f"1. **The manifest.** {archives:,.0f} archives of 8,192 studies are {listed / 1e6:.1f} MB, written anew by every "
        "commit and read by every open. It works; nightly commits for ten years are 10 GB of manifests until a vacuum. "
        "Archives of 131,072 studies (`--archive-studies`) bring it down to 0.2 MB, and make removing one study sixteen "
        "times as dear. That is the first knob to turn.\n"
        f"2. **Adding looks at every id.** Keys are read and hashed, some microseconds each: part of the {ids} s that adding "
        f"10,000 known studies takes here. At 10^8 it is minutes of processor time and gigabytes of reading for each "
        "night. A sorted file of hashes for each archive would be looked up instead; it is not there.\n"
        f"3. **Files.** {archives:,.0f} archives with three tables each are {4 * archives:,.0f} objects. DuckDB opens every "
        "table for a question: fine for hundreds, minutes for tens of thousands. `ngr catalog` makes three files of them.\n"
        f"4. **Time of one process.** {results['add_all']['seconds'] / studies * 1000 if 'add_all' in results else added / 10:.1f} "
        "ms a study to add, because every record is proven when it comes in: 10^8 are days of one core. Conversion is "
        "sharded, adding is not; several collections that are opened as a list are the way today.\n"
        "5. **Opening.** A collection opens every archive; behind a network that is one request or two for each, and at "
        "10^4 archives minutes. Open what `ngr find` names instead."
    )
