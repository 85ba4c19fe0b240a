"""What ``ngr bench`` prints: the three lines that matter, and on request every coding and every film."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from neuralgraph.cli.output import write_line

if TYPE_CHECKING:
    from neuralgraph.sizes import CodingSummary, FilmSizes, Row, Spread, Summary

__all__ = ["print_codings", "print_film", "print_three", "title_of_film"]

_DEFAULT_FORM = ".ngr exact"
"""What ``ngr compress`` writes when nothing is asked of it."""


def title_of_film(path: Path, sizes: FilmSizes) -> str:
    """One line on what a film is."""
    source = sizes.source
    size = f"{source['width']} x {source['height']} pixels (width x height)"
    return f"{path}: {source['format']}, {size}, {source['bits']} bits, {sizes.source_bytes:,} bytes"


def print_three(summary: Summary) -> None:
    """Source file, smallest lossless picture, .ngr; and what must be known to read them."""
    rows = [summary.codings[0], summary.smallest_lossless]
    if (stored := summary.coding(_DEFAULT_FORM)) is not None:
        rows.append(stored)
    many = summary.films > 1
    texts = [
        (row.coding, _bytes(row.bytes), _share(row.share_of_source_file), _share(row.share_of_smallest_lossless))
        for row in rows
    ]
    heads = ("median (smallest to largest)" if many else "", "bytes", "of source file", "of smallest lossless")
    _table([heads, *texts])
    which = ", ".join(f"{name} ({count})" if many else name for name, count in summary.smallest.items())
    write_line(f"  smallest lossless: {which}{'; shares are formed film by film' if many else ''}")
    reports = ", ".join(f"{name} ({count})" if many else name for name, count in summary.reports.items())
    kept = f"{_bytes(summary.patches)} patches, {_share(summary.retention)} of those of the film"
    write_line(f"  .ngr keeps {kept}; report {reports}")


def print_codings(summary: Summary) -> None:
    """Every coding with median and range over several films."""
    heads = ("coding", "bytes: median (range)", "of source file", "of smallest lossless", "fidelity (median)")
    rows = [
        (
            row.coding if row.films == summary.films else f"{row.coding} ({row.films} films)",
            _bytes(row.bytes),
            _share(row.share_of_source_file),
            _share(row.share_of_smallest_lossless),
            _summed_fidelity(row),
        )
        for row in summary.codings
    ]
    _table([heads, *rows], left_last=True)


def _table(rows: list[tuple[str, ...]], *, left_last: bool = False) -> None:
    """Columns under their heads: names to the left, numbers to the right."""
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    last = len(widths) - 1
    for row in rows:
        cells = [
            text.ljust(width) if place == 0 or (left_last and place == last) else text.rjust(width)
            for place, (text, width) in enumerate(zip(row, widths, strict=True))
        ]
        write_line(f"  {'  '.join(cells)}".rstrip())


def _bytes(spread: Spread) -> str:
    median = f"{spread.median:,.0f}"
    return median if spread.least == spread.most else f"{median} ({spread.least:,} to {spread.most:,})"


def _share(spread: Spread) -> str:
    median = f"{spread.median:.1%}"
    if spread.least == spread.most:
        return median
    return f"{median} ({100 * spread.least:.1f} to {100 * spread.most:.1f})"


def _summed_fidelity(row: CodingSummary) -> str:
    error = None if row.embedding_rmse is None else row.embedding_rmse.median
    if (psnr := row.psnr_db) is None:
        return _said(row, error, None)
    return _said(row, error, f"{psnr.median:.1f} dB ({psnr.least:.1f} to {psnr.most:.1f})")


def print_film(sizes: FilmSizes) -> None:
    """One film, or the total of several, in every coding, with times."""
    ngr, reference = sizes.ngr, sizes.smallest_lossless
    write_line(
        f"  .ngr keeps {ngr['patches']:,} of {ngr['cells']:,} patches ({ngr['retention']:.1%}), report {ngr['report']}"
    )
    lossless = f"of {reference.coding}"
    lines = next(iter(sizes.rows)).seconds()
    write_line(
        f"  {'coding':16} {'bytes':>11} {'of source file':>14} {lossless:>14}  "
        + " ".join(f"{rate:>11}" for rate in lines)
        + "  fidelity"
    )
    for row in sizes.rows:
        times = " ".join(f"{_duration(seconds):>11}" for seconds in row.seconds().values())
        write_line(
            f"  {row.coding:16} {row.bytes:>11,} {row.bytes / sizes.source_bytes:>14.1%} "
            f"{row.bytes / reference.bytes:>14.1%}  {times}  {_fidelity(row)}"
        )
    for coding, reason in sizes.absent.items():
        write_line(f"  {coding:16} {reason}")
    write_line(f"  {reference.coding} is the smallest lossless coding here; times are of the bytes alone")


def _fidelity(row: Row) -> str:
    return _said(row, row.embedding_rmse, None if row.psnr_db is None else f"{row.psnr_db:.1f} dB")


def _said(row: Row | CodingSummary, error: float | None, psnr: str | None) -> str:
    """What a coding does to a film, in words; ``error`` of the embeddings, ``psnr`` of the picture."""
    if row.kind == "source":
        return "the file as it is"
    if row.kind == "ngr":
        return f"no image; embeddings {f'off by {error:.2g}' if error else 'exact'}"
    if row.lossless:
        return "lossless"
    depth = "" if row.bits is None else f"{row.bits} bits, "
    return f"{depth}{f'PSNR {psnr}' if psnr else 'nothing shown is lost'}"


def _duration(seconds: float) -> str:
    if seconds >= 60:
        return f"{int(seconds / 60)} min {int(seconds % 60)} s"
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds:.2g} s"
