"""Verdicts in the formats CI systems read: JUnit XML and SARIF 2.1.0."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

from neuralgraph import __version__
from neuralgraph.errors import CODES, Problem
from neuralgraph.storage.validate import ValidationResult
from neuralgraph.wire.escapes import escaped_xml

__all__ = ["junit", "sarif"]


# Control characters, halves of surrogate pairs and the two non-characters that XML 1.0 leaves out.
_NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(reports: Sequence[ValidationResult]) -> str:
    """JUnit XML: a test case per file, a failure per problem; an error where a file could not be read."""
    errors = sum(not report.was_read for report in reports)
    failures = sum(not report.ok for report in reports) - errors
    counts = {"tests": str(len(reports)), "failures": str(failures), "errors": str(errors), "skipped": "0"}
    suite = ElementTree.Element("testsuite", {"name": "ngr validate", **counts})
    for report in reports:
        case = ElementTree.SubElement(suite, "testcase", classname="ngr.validate", name=_xml_text(report.path))
        for problem in report.problems:
            kind = "error" if problem.code == "E_OPEN" else "failure"
            failure = ElementTree.SubElement(case, kind, type=problem.code, message=_xml_text(problem.message))
            failure.text = _xml_text(f"{problem.code} {problem.where}: {problem.message}")
    ElementTree.indent(suite)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + escaped_xml(ElementTree.tostring(suite, encoding="unicode"))


def _xml_text(text: str) -> str:
    """``text`` without the characters XML 1.0 cannot hold."""
    return _NOT_XML.sub("?", text)


def _uri(path: str) -> str:
    """A path as the relative or absolute reference of RFC 3986 that SARIF asks for."""
    quoted = quote(os.fsencode(PurePath(path).as_posix()))
    return f"file://{quoted}" if quoted.startswith("/") else quoted


def _help(code: str) -> str:
    return f"{code}: {CODES[code]}. FORMAT.md says what is right; 'ngr recover' saves the studies that are whole."


def _fingerprint(problem: Problem) -> str:
    return hashlib.sha256("\0".join(problem).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def sarif(reports: Sequence[ValidationResult]) -> dict[str, Any]:
    """SARIF 2.1.0: a result per problem, a rule per error code met.

    Every result has a region, without which viewers of code drop it: line 1, as these files have no lines; and a
    fingerprint by which a problem that stays is told from a new one.
    """
    met = sorted({problem.code for report in reports for problem in report.problems})
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "ngr validate",
                        "version": __version__,
                        "rules": [
                            {"id": code, "shortDescription": {"text": CODES[code]}, "help": {"text": _help(code)}}
                            for code in met
                        ],
                    }
                },
                "results": [
                    {
                        "ruleId": problem.code,
                        "level": "error",
                        "message": {
                            "text": f"{problem.where}: {problem.message}" if problem.where else problem.message
                        },
                        "locations": [
                            {
                                "physicalLocation": {
                                    "artifactLocation": {"uri": _uri(report.path)},
                                    "region": {"startLine": 1},
                                }
                            }
                        ],
                        "partialFingerprints": {"problem/v1": _fingerprint(problem)},
                    }
                    for report in reports
                    for problem in report.problems
                ],
            }
        ],
    }
