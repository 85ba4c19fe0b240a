"""A phantom: synthetic chest films with matching reports, made from seeds; no person is in them.

Everything a compressor's attention should find is known: the pixels of each finding, its side and zone, and the words
of the report that speak of it. Films say SYNTHETIC in their lower left corner.

Body, lungs, bones and vessels are path lengths through tissue, developed like a film; reports are templated sentences
with negations, uncertainty, devices and indications that name what is not there.
"""

from __future__ import annotations

from neuralgraph.phantoms.course import PREVALENCE
from neuralgraph.phantoms.devices import DISTRACTORS
from neuralgraph.phantoms.findings import FINDINGS, SEVERITIES
from neuralgraph.phantoms.patients import patient, phantom, phantom_cohort
from neuralgraph.phantoms.stamp import stamp, stamp_box
from neuralgraph.phantoms.study import PhantomFinding, PhantomStudy

__all__ = [
    "DISTRACTORS",
    "FINDINGS",
    "PREVALENCE",
    "SEVERITIES",
    "PhantomFinding",
    "PhantomStudy",
    "patient",
    "phantom",
    "phantom_cohort",
    "stamp",
    "stamp_box",
]
