"""Many studies.

A manifest (``neuralgraph.sources.layouts``) is planned (``plan``), converted by worker processes (``pool``, ``worker``,
``converter``) and recorded in the state of the destination (``destination``, ``receipts``), from which the next run
continues (``run``).

- ``audit``: does anything of a source show in what was made of it?
- ``converter``: one study at a time: files in, file out
- ``destination``: the destination folder and what the next run needs to know of it
- ``estimate``: what a conversion will take, from a sample of its studies that is converted into a temporary folder
- ``facts``: what is counted of studies, for summaries, metrics and estimates
- ``films_at_hand``: films that lie in a folder, by the ids of the studies that were made of them
- ``gallery``: from a place to a gallery: studies opened and asked, films found; ``neuralgraph.show`` is this
- ``given_graph``: the report graph that comes with the source (RadGraph annotations) in the place of one that is
  extracted
- ``identifiers``: what must not show in an output
- ``intake``: a night's studies into a collection
- ``learnt``: whether the model that makes studies learnt from their patients: such studies must never test it
- ``ledger``: what is finished, and the archives that are made of it
- ``local_pool``: worker processes: each has one study in hand, is watched, and is replaced when it dies
- ``memory``: a bound on the memory that reading a film may take, on top of what the process has
- ``outcome``: what a run did, counted while it goes on
- ``packs``: archives of a fixed number of studies, written from finished studies
- ``patterns``: many identifiers searched for at once, in every form that each may take
- ``plan``: which rows of a manifest this run converts, and under which pseudonyms
- ``pool``: a pool of workers: what a run asks of one, whatever its workers are, and what all kinds of workers have
  in common
- ``pseudonyms``: HMAC-SHA256 under a key, cut to 128 bits
- ``ray_actor``: the converter as a Ray actor: what ``worker`` is to a process of its own
- ``ray_pool``: workers on a Ray cluster, for when one machine is not enough: the same converter as an actor
- ``receipts``: one line per file that is finished, written and flushed to disk after the file itself
- ``report_text``: what of a report goes into a study: the part that describes the film
- ``run``: convert a plan: what is missing is converted, what is there is verified, what fails is listed
- ``run_lock``: one run at a time: a lock that lasts as long as the run and its workers
- ``settings``: how studies are converted, one value for a whole destination
- ``stopwatch``: where the time of one study goes
- ``summary``: the summary of a conversion: one file for programs and one for people, beside the studies
- ``task``: what a worker is asked, and what it answers: plain data, one JSON line each
- ``textfile``: a conversion watched from outside, by a file that Prometheus reads
- ``worker``: the worker process: settings and tasks in, answers out
"""

from neuralgraph.bulk.plan import Plan, PlannedStudy, make_plan
from neuralgraph.bulk.run import Outcome, convert
from neuralgraph.bulk.settings import ConversionSettings

__all__ = ["ConversionSettings", "Outcome", "Plan", "PlannedStudy", "convert", "make_plan"]
