"""Training: films and reports in, a model directory out (safetensors and JSON only).

``examples`` keeps prepared films on disk; ``phantom_films``, ``manifest_films`` and ``nih_films`` fill it, ``places``
says what is marked on a film and what is unknown. ``batches`` draws from it, with ``variation``, ``sides`` and
``foils``; ``kept_batches`` computes what is frozen once. ``first_lessons`` teaches the encoder, ``trainer`` the rest:
it is the Trainer of transformers without its pickles. ``seeing`` and ``judge`` measure, ``verdict`` says it, ``train``
joins them.
"""
