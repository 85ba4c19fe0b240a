"""Reports as hospitals keep them: HL7 v2 messages and DICOM structured reports, each with what joins it to a study."""

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
