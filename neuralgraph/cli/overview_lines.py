"""How an overview of many studies is printed."""

from __future__ import annotations

from typing import Any

from neuralgraph.cli.output import write_line

__all__ = ["write_overview"]

_SHOWN = 12
_DENOMINATORS = {
    "film_pixels_8_bit": "the films' pixels at one byte each, uncompressed",
    "embeddings_of_all_cells_float32": "float32 embeddings of all cells of the grids",
}


def write_overview(overview: dict[str, Any]) -> None:
    """Print the facts of ``neuralgraph.catalogue.overview``."""
    studies = overview["studies"]
    for model in overview["models"]:
        named = f"{model['name']} {model['digest']}".rstrip()
        write_line(f"  model        {named}: {_share(model['studies'], studies)}")
    said = ", ".join(f"{kind} {_share(count, studies)}" for kind, count in overview["reports"].items())
    write_line(f"  reports      {said}")
    for name, counts in list(overview["labels"].items())[:_SHOWN]:
        write_line(f"  label        {name}: {_counted(counts)}")
    if len(overview["labels"]) > _SHOWN:
        write_line(f"               and {len(overview['labels']) - _SHOWN} more; --json lists them")
    for finding in overview["findings"][:_SHOWN]:
        counts = {key: value for key, value in finding.items() if key != "name"}
        write_line(f"  finding      {finding['name']}: {_counted(counts)}")
    if overview["n_findings"] > _SHOWN:
        write_line(f"               and {overview['n_findings'] - _SHOWN} more, of given reports")
    if overview["retention"] is not None:
        write_line(f"  patches      {overview['retention']:.1%} of all cells are kept")
    write_line(f"  bytes        {overview['record_bytes']:,} in records, {overview['bytes_per_study']:,} a study")
    for name, whole in overview["denominators"].items():
        if whole:
            share = overview["record_bytes"] / whole
            write_line(f"               {share:.2%} of {_DENOMINATORS[name]} ({whole:,})")
    loss = overview["embedding_loss"]
    if loss["studies"]:
        lossy = _share(loss["studies"], studies)
        write_line(f"  loss         {lossy} hold embeddings stored with loss, RMSE at most {loss['largest_rmse']:.4g}")
    else:
        write_line("  loss         none: no embedding was stored with loss")


def _share(count: int, whole: int) -> str:
    return f"{count:,} ({count / whole:.1%})" if whole else f"{count:,}"


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.items())
