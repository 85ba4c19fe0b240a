"""An epoch over an archive behind a network, beside downloading it."""

from __future__ import annotations

from typing import Any

from docs.tools.tables import table

TITLE = "An archive behind a network"
RESULTS = "remote.json"
ASKED = 1.5


def write(results: dict[str, Any]) -> str:
    """Text of the chapter."""
    disk = results["disk"]
    parts = [
        f"An archive of {results['studies']:,} studies in the default profile, {results['bytes']:,} bytes, from a server "
        f"that waits {results['latency'] * 1000:.0f} ms before each answer and whose answers share a link. *Downloading* is "
        "one plain GET of the file. An epoch is to take at most "
        f"{ASKED} times as long. Medians of {results['rounds']} processes each, which took turns; opening included. The "
        f"server, the reader and other programs shared {results['machine']['cores']} cores: the load average was "
        f"{results['load_before']:.1f} before and {results['load_after']:.1f} after. Measured with `{results['command']}`."
    ]
    for link, found in results["links"].items():
        download = found["download"]["seconds"]
        rows = [
            ["downloading", "", download, "", found["download"]["processor_seconds"], found["download"]["more_mib"]]
        ]
        for way, local in disk.items():
            each = found[way]
            ratio = f"{each['seconds'] / download:.2f}"
            rows.append(
                [way, local["seconds"], each["seconds"], ratio, each["processor_seconds"], round(each["more_mib"])]
            )
        within = [way for way in disk if found[way]["seconds"] <= ASKED * download]
        heads = ["", "from the disk, s", "s", "times downloading", "processor, s", "more MiB"]
        parts.append(
            f"## A link of {link}\n\n{table(heads, rows)}\n\nWithin {ASKED}: {', '.join(within) or 'none'}."
            if link != "no limit"
            else f"## Latency alone, no limit of bandwidth\n\n{table(heads, rows)}\n\nWithin {ASKED}: "
            f"{', '.join(within) or 'none'}: what is measured here is the processor."
        )
    slow = disk["for study in ng.open"]["seconds"]
    parts.append(
        "## What bounds them\n\n"
        f"`for study in ng.open(url)` proves and builds every study, {slow:.1f} s of the same file from the disk, so it is "
        f"bound by decoding on any link that brings the file faster than that ({results['bytes'] * 8 / slow / 1e6:,.0f} "
        "Mbit/s here). The rest read the same bytes and build less. A shuffled epoch asks for each study by itself, as no "
        "two lie together, many at the same time; requests cost the client, and here the server on the same cores, their "
        "processor. Where shuffling matters and the link is fast, download the file. Finding the names of labels reads a "
        "little of every record, so the whole file comes: give `labels=` to save that."
    )
    return "\n\n".join(parts)
