"""Letters burned into pictures: how many are marked, and what is marked that has none."""

from __future__ import annotations

from typing import Any

from docs.tools.tables import table

TITLE = "Letters burned into films"
RESULTS = "burned_text.json"

_GROUPS = {
    "height": "height of a capital, of the film's",
    "ink": "letters",
    "side": "side of the film, pixels",
    "file": "file",
}


def write(results: dict[str, Any]) -> str:
    """Text of the chapter."""
    phantoms, films = results["phantoms"], results["films"]
    tables = "\n\n".join(
        table(
            [heading, "lines drawn", "marked", "recall"],
            [
                [name, row["drawn"], row["marked"], f"{row['marked'] / row['drawn']:.2f}"]
                for name, row in phantoms["recall"][group].items()
            ],
        )
        for group, heading in _GROUPS.items()
    )
    every = phantoms["recall"]["all"]["all"]
    return f"""Command: `python -m bench.burned_text`. A film is marked where letters put in by a machine seem to stand in it, four or more on
a line (`neuralgraph.sources.films.burned_text`). The mark decides nothing by itself; `ngr convert --burned-in strict` refuses PNG and
JPEG films that have it.

## Phantoms with a line of text near the border

{phantoms["films"]} phantoms of three sizes; each with every size, grey and ground of letters, dates, names and numbers in turn. Marked:
{every["marked"]} of {every["drawn"]} lines. The same phantoms without a line: {phantoms["false_alarms"]} of {phantoms["films"]} marked. Black letters "on film" mostly lie on the black
border of a film, where nobody can read them.

{tables}

## Real films

{films["films"]} public films, {films["marked"]} marked. One person looked at each of them: {films["marked_with_text"]} carry text ({films["share_of_marks_true"]:.0%}), {films["marked_without_text"]} do not (leads beside each other,
letters of lead). Of {films["unmarked"]} films without a mark a random {films["unmarked_seen"]} were looked at: {films["unmarked_with_text"]} carries text. By that sample
{films["recall_estimated"]:.0%} of the films with text are marked. The bounds were chosen with these films in view, and nearly all of their text is
the word PORTABLE, so expect less elsewhere.

It takes {films["milliseconds"]["median"]} ms a film (median; {films["milliseconds"]["largest"]} at most) of {films["milliseconds"]["mean_megapixels"]} megapixels on average.
"""
