"""What must hold for any bytes whatever. Free of the fuzzing engine, so that ordinary tests use it too."""

from __future__ import annotations

import neuralgraph as ng
from neuralgraph.container.reader import BytesSource
from neuralgraph.container.salvage import survey
from neuralgraph.migration.interpreter import interpret

__all__ = ["check_program", "check_reading", "check_survey"]


def check_reading(data: bytes) -> str:
    """Read a file in both ways; "valid", or the code it is refused with.

    Nothing but ``NeuralGraphError`` may come out. A file of one study that validates loads; one that loads survives a
    round trip with its digest unchanged; one that loads but does not validate breaks a rule only validation checks.
    """
    report = ng.validate_bytes(data)
    try:
        study = ng.load_bytes(data)
    except ng.NeuralGraphError as error:
        if report.ok and not (report.n_studies != 1 and error.code == "E_OPEN"):
            raise AssertionError("valid, and does not load") from error
        # An archive does not load as one study; what became of its studies is in the report.
        return error.code if error.code != "E_OPEN" else _verdict(report)
    for problem in report.problems:
        if problem.code not in _SEEN_BY_VALIDATION_ONLY:
            raise AssertionError(f"loads, and is not valid: {problem}")
    again = ng.load_bytes(ng.to_bytes(study))
    if again.digest != study.digest:
        raise AssertionError("the digest changes in a round trip")
    return _verdict(report)


def _verdict(report: ng.ValidationResult) -> str:
    return "valid" if report.ok else report.problems[0].code


_SEEN_BY_VALIDATION_ONLY = {"E_BUDGET", "E_CRC", "E_COVER", "E_STREAM", "E_SIZE", "E_ZSTD"}
"""Loading does not look at unknown sections, at columns of later versions, or at the whole of the envelope."""


def check_survey(data: bytes) -> str:
    """Look for the records of a damaged file.

    What can be tried lies inside it; what is lost may have stood behind its end.
    """
    try:
        found = survey(BytesSource(data), ng.Limits(), search=True)
    except ng.FormatError as error:
        return error.code
    for place in (*found.places, *found.suspects):
        lost = place.problem is not None and place.number is not None
        if not lost and not 0 <= place.offset <= place.offset + place.length <= len(data):
            raise AssertionError(f"found outside the file: {place}")
    return found.problems[0].code if found.problems else "valid"


def check_program(data: bytes) -> str:
    """Interpret the description of saved graphs; "valid", or the code it is refused with."""
    try:
        interpret(data)
    except ng.SourceError as error:
        return error.code
    return "valid"
