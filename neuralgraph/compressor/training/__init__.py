"""Training: films and reports in, a model directory out (safetensors and JSON only).

``examples`` keeps prepared films on disk, ``phantom_films`` and ``manifest_films`` fill it, ``batches`` draws from it,
``trainer`` is the Trainer of transformers without its pickles, ``train`` joins them and writes the model.
"""
