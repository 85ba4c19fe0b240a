"""``ngr bench``: bytes and fidelity of films in every coding, and how long they travel."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neuralgraph.cli.model_notice import model_notice, tell_model
from neuralgraph.cli.output import note, write_json, write_line
from neuralgraph.cli.overwriting import Force, check_output
from neuralgraph.errors import StudyError

if TYPE_CHECKING:
    from neuralgraph.cli.bench_films import Chosen, Measured
    from neuralgraph.sizes import Summary

__all__ = ["bench"]

_NO_IMAGE = "a .ngr is no image: the film cannot be shown from it, keep the original"


def bench(
    films: Annotated[
        list[Path], typer.Argument(metavar="FILES...", help="Chest films: DICOM, PNG or JPEG; or folders of them.")
    ],
    sample: Annotated[int, typer.Option(min=1, help="Films to measure of larger folders, always the same.")] = 20,
    every_film: Annotated[bool, typer.Option("--all", help="Measure every film of the folders.")] = False,
    full: Annotated[bool, typer.Option("--full", help="Print every coding, not only the three lines.")] = False,
    each: Annotated[bool, typer.Option("--each", help="Print every film by itself in every coding, too.")] = False,
    chart: Annotated[Path | None, typer.Option(help="Draw the bytes of every coding into this .png.")] = None,
    reports: Annotated[
        bool, typer.Option("--reports", help="Read the report of film.dcm from film.txt beside it, where there is one.")
    ] = False,
    model: Annotated[str, typer.Option(help="'demo', or the folder or hub id of a model.")] = "demo",
    retain: Annotated[float | None, typer.Option(help="Share of the patches to keep [default: 0.023].")] = None,
    force: Force = False,
    json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Compare the bytes of your own films: source file, PNG, JPEG, JPEG-LS, JPEG 2000, HTJ2K, JPEG XL, and .ngr.

    Three lines come first: the source file, the smallest lossless picture and the .ngr; of several films their median
    and range. --full has every coding, --each every film. Every share names what it is a share of. Lossy pictures come
    with their PSNR, .ngr files with the patches they keep. Films are coded at their own depth where the coding can;
    JPEG here has 8 bits. What cannot be read is named in a line and the rest measured; Ctrl-C ends with what was
    measured. No film is written, and nothing of a DICOM header is printed but its depth.

    Example: ngr bench films/ --chart sizes.png
    """
    from neuralgraph.cli.bench_films import chosen_films, measure_films
    from neuralgraph.compressor import Compressor
    from neuralgraph.compressor.pruning import DEFAULT_POLICY, TopFraction
    from neuralgraph.sizes import summarise
    from neuralgraph.sizes.chart import check_chart, save_chart

    try:
        policy = DEFAULT_POLICY if retain is None else TopFraction(retain)
    except StudyError as error:
        raise typer.BadParameter(error.message, param_hint="--retain") from error
    if chart is not None:
        check_chart(chart)
        check_output(chart, force=force)
    chosen = chosen_films(films, most=None if every_film else sample)
    compressor = Compressor.from_pretrained(model, policy=policy)
    measured = measure_films(chosen.paths, compressor, reports=reports)
    failures = [*chosen.refused, *measured.failures]
    summary = summarise(measured.sizes) if measured.films else None
    name, trained = compressor.scorer.name, compressor.scorer.trained
    if json:
        told = {"name": name, "trained": trained, "notice": model_notice(name, trained=trained)}
        write_json(_record(chosen, measured, summary, failures, told))
    elif summary is not None:
        _print(chosen, measured, summary, full=full, each=each)
    for failure in failures:
        note(f"{failure['file']}: {failure['code']}: {failure['message']}")
    if measured.stopped_before:
        note(f"stopped: {measured.stopped_before:,} of {len(chosen.paths):,} films were not measured")
    if chart is not None and summary is not None:
        save_chart(summary, chart, title=_title(chosen, measured))
        if not json:
            write_line(f"{chart}: chart of {len(measured.films):,} films")
    tell_model(name, trained=trained)
    if failures or measured.stopped_before:
        raise typer.Exit(1)


def _record(
    chosen: Chosen, measured: Measured, summary: Summary | None, failures: list[dict[str, str]], model: dict[str, Any]
) -> dict[str, Any]:
    from neuralgraph.sizes import RATES, total

    return {
        "model": model,
        "notice": _NO_IMAGE,
        "rates_bits_per_second": RATES,
        "found": chosen.found,
        "chosen": len(chosen.paths),
        "summary": summary and {**summary.record(), "seconds_per_film": _seconds(measured)},
        "films": [
            {"file": str(path), **sizes.record(), "seconds": round(seconds, 3)}
            for path, sizes, seconds in measured.films
        ],
        "total": total(measured.sizes).record() if measured.films else None,
        "failures": failures,
        "stopped_before": measured.stopped_before,
    }


def _print(chosen: Chosen, measured: Measured, summary: Summary, *, full: bool, each: bool) -> None:
    from neuralgraph.cli.bench_lines import print_codings, print_film, print_three, title_of_film
    from neuralgraph.sizes import total

    many = len(measured.films) > 1
    if many:
        write_line(f"{_title(chosen, measured)}; {_seconds(measured):.1f} s a film, model and every coding together")
    else:
        path, sizes, seconds = measured.films[0]
        write_line(f"{title_of_film(path, sizes)}; measured in {seconds:.1f} s")
    print_three(summary)
    if full and many:
        write_line("every coding, film by film:")
        print_codings(summary)
        write_line(f"all {len(measured.films):,} films together:")
        print_film(total(measured.sizes))
    if full and not many:
        print_film(measured.sizes[0])
    if each and many:
        for path, sizes, _ in measured.films:
            write_line(title_of_film(path, sizes))
            print_film(sizes)
    if not full:
        write_line(f"  every coding: --full{'; every film: --each' if many else ''}; as a picture: --chart FILE.png")
    write_line(_NO_IMAGE)


def _title(chosen: Chosen, measured: Measured) -> str:
    count = len(measured.films)
    left_out = chosen.found - len(chosen.paths)
    drawn = f", {len(chosen.paths):,} drawn at random (--all takes every one)" if left_out else ""
    failed = f", {len(measured.failures):,} cannot be measured" if measured.failures else ""
    return f"{count:,} film{'s' * (count != 1)} measured of {chosen.found:,}{drawn}{failed}"


def _seconds(measured: Measured) -> float:
    """Of a film, the median."""
    return round(statistics.median(seconds for _, _, seconds in measured.films), 3)
