"""A phantom: synthetic chest films with matching reports, made from seeds; no person is in them.

Everything a compressor's attention should find is known: the pixels of each finding, its side and zone, and the words
of the report that speak of it. Films say SYNTHETIC in their lower left corner.

Body, lungs, bones and vessels are path lengths through tissue, developed like a film; reports are templated sentences
with negations, uncertainty, devices and indications that name what is not there.

- ``anatomy``: soft tissue and air: body outline, lungs, heart, mediastinum, trachea, diaphragm, stomach bubble
- ``canvas``: the film as a canvas: body coordinates per pixel, strokes drawn as thickness, smooth noise, blurs
- ``course``: a patient's findings over time: what is there at the first study, what heals, grows or comes later
- ``development``: from path lengths to a film: noise, unsharpness, exposure, processing and collimation
- ``devices``: things that are seen but are not findings
- ``dictation``: reports: varied sentences over the truth of a film, with the span of every phrase that speaks of a
  finding
- ``findings``: what they do to the chest, and the mask of the pixels they occupy
- ``habitus``: one patient's build, and the pose of one film
- ``patients``: single studies, patients over time, cohorts: the public entrances of the phantom
- ``phrases``: the words of the synthetic reports: noun phrases, sentence frames, indications
- ``skeleton``: bones: ribs as tilted rings, clavicles, spine, shoulder blades and humeral heads
- ``stamp``: the word SYNTHETIC on every picture, and side markers, in a tiny built-in bitmap font
- ``streams``: where randomness comes from: one independent stream per (seed, patient, study, purpose)
- ``study``: what the phantom hands out: a film, its report and the truth about both
- ``vessels``: vessel markings of the lungs: a tree per side that forks from the hilum to the periphery
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
