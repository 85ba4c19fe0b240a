"""What a living archive costs, and what breaks first when it grows."""

from __future__ import annotations

from typing import Any

from docs.tools.tables import table

TITLE = "A living archive at scale"
RESULTS = "living.json"

_VERBS = (
    ("add", "add {added:,} studies, from archives of 10,000"),
    ("add_10000", "add 10,000 more"),
    ("add_10000_again", "add the same 10,000 again: nothing to do"),
    ("remove_1", "remove one study"),
    ("open", "open, and read one by its id"),
    ("find", 'ngr find "right effusion present, no tube"'),
    ("info", "ngr info"),
    ("compact", "compact"),
    ("vacuum", "vacuum --older-than 0s"),
    ("iterate", "read every study, proven"),
    ("verify_header", "verify --level header"),
    ("verify", "verify, everything"),
)


def write(results: dict[str, Any]) -> str:
    """Text of the chapter."""
    studies, added = results["studies"], results["added"]
    rows = [
        [
            name.format(added=added),
            *(results[key][what] for what in ("seconds", "processor_seconds", "mib", "load_average")),
        ]
        for key, name in _VERBS
    ]
    share = results["catalogue_bytes"] / results["archives_bytes"]
    each = results["archives_bytes"] / studies
    tables = results["catalogue_bytes"] / studies
    asked = results["find_in_process_seconds"]
    parts = [
        f"{studies:,} synthetic studies (4 patches of 32 values, six concepts, {each:,.0f} bytes of archive each), of which "
        f"{added:,} were added one by one and the others are theirs under other ids, in archives of 10,000; two cores. Every verb "
        "ran in a process of its own; memory is its largest. The load average at its end counts what the verbs before it "
        f"had to do. Measured with `python -m bench living --studies {studies} --added {added}`.",
        table(["verb", "seconds", "of the processor", "MiB", "load average"], rows),
        f"In a process that has everything open `find` takes {min(asked)} to {max(asked)} s.",
        f"`open` said: {results['open']['said']}. The catalogue has {results['catalogue_bytes']:,} bytes, {tables:.0f} a "
        f"study: {share:.1%} of these archives, whose studies are small on purpose, and at most 5 % wherever a study has "
        f"more than {20 * tables:,.0f} bytes{_usual(results)}. The manifest has {results['manifest_bytes']:,} bytes.",
    ]
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


def _served(found: dict[str, Any]) -> str:
    rows = [[kind, seconds] for kind, seconds in found["by_kind_p99"].items()]
    return (
        f"## Served\n\n`ngr serve` on the loopback interface of a busy machine, {found['clients']} clients that ask "
        f"without a pause for {found['seconds']:.0f} s, of a collection of {found['studies']:,}: {found['answers']:,} "
        f"answers, {found['errors']} errors, half of them within {found['seconds_p50']} s, 99 % within "
        f"{found['seconds_p99']} s; {found['server_mib']} MiB. The load average was {found['load_average_after']:.1f} on two "
        "cores; one thread reads archives and one the catalogue, so what a client waits for is mostly the others.\n\n"
        + table(["asked for", "99 % within, s"], rows)
    )


def _beyond(results: dict[str, Any]) -> str:
    grown = 10**8
    archives = grown / 8192
    listed = archives * 250
    ids = results["add_10000_again"]["seconds"]
    each = results["add"]["seconds"] / results["added"]
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
        f"4. **Time of one process.** {each * 1000:.1f} "
        "ms a study to add, because every record is proven when it comes in: 10^8 are days of one core. Conversion is "
        "sharded, adding is not; several collections that are opened as a list are the way today.\n"
        "5. **Opening.** A collection opens every archive; behind a network that is one request or two for each, and at "
        "10^4 archives minutes. Open what `ngr find` names instead."
    )
