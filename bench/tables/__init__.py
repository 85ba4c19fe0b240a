"""The tables and figures of the paper, and ablations beyond it: ``python -m bench tables --data phantom|DIR``.

``cases`` says which studies there are; ``gather`` passes every film through the model once and keeps the whole study;
``ranking``, ``saliency`` and ``graphs`` make of it what the systems differ in; ``systems`` lists and trains them;
``scoring`` compares; ``written`` scores reports; ``rates`` and ``pictures`` weigh bytes; ``targets`` judges; ``plots``
draws. The page is written by ``docs.tools.chapters.downstream``.
"""
