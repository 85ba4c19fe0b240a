"""Many studies.

A manifest (``neuralgraph.sources.layouts``) is planned (``plan``), converted by worker processes (``pool``, ``worker``,
``converter``) and recorded in the state of the destination (``destination``, ``receipts``), from which the next run
continues (``run``).
"""

from neuralgraph.bulk.plan import Plan, PlannedStudy, make_plan
from neuralgraph.bulk.run import Outcome, convert
from neuralgraph.bulk.settings import ConversionSettings

__all__ = ["ConversionSettings", "Outcome", "Plan", "PlannedStudy", "convert", "make_plan"]
