"""Reports as hospitals keep them: HL7 v2 messages and DICOM structured reports, each with what joins it to a study.

- ``document``: one report with what joins it to a study, and what several of one study say together
- ``headings``: which part of a report a code or a title stands for
- ``markup``: reports in HTML to plain text
- ``messages``: reports from HL7 v2 result messages
- ``segments``: HL7 v2 as bytes to segments of fields (HL7 2.5.1 chapter 2): character sets, separators, escapes
- ``structured_report``: reports from DICOM structured reports
"""

from __future__ import annotations

from neuralgraph.sources.documents.document import ReportDocument, latest_final, whole_report
from neuralgraph.sources.documents.messages import is_message, read_messages
from neuralgraph.sources.documents.structured_report import STRUCTURED_REPORTS, read_structured_report

__all__ = [
    "STRUCTURED_REPORTS",
    "ReportDocument",
    "is_message",
    "latest_final",
    "read_messages",
    "read_structured_report",
    "whole_report",
]
