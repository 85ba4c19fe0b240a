"""Training: films and reports in, a model directory out (safetensors and JSON only).

``first_lessons`` teaches the encoder, ``trainer`` the rest; ``train`` joins everything.

- ``batches``: films of one grid, exposure and place varied; the same ones for one seed
- ``build_demo``: train a model on phantoms alone
- ``build_real``: train a model on phantoms and marked films of people
- ``examples``: prepared films on disk
- ``first_lessons``: first lessons for an encoder that has never seen a film
- ``foils``: another text for the same film, which must make the decoder look elsewhere
- ``guidance``: the decoder is told where to look: at the patches that a finding covers
- ``in_turn``: work that one of several processes does for all: what it leaves on disk tells the others to go on
- ``judge``: what a model is worth on validation films: before a run, at every validation, and at its end
- ``kept_batches``: batches whose frozen part is computed once
- ``lesson_state``: first lessons that were stopped, kept so that they go on as if they had not been
- ``manifest_films``: the studies of a manifest as training films
- ``nih_films``: films of ChestX-ray14 with marks, as rows of a manifest with templated reports
- ``notices``: what the bundled model learnt from, in words that go with it: its record and its notices
- ``phantom_films``: phantoms as training films
- ``places``: where things are on a training film
- ``pruned_reports``: reports written from the patches that pruning keeps
- ``recipe``: every number that has an influence on a training
- ``report_text``: which text a film is trained to explain
- ``runtime``: what a training computes on, and who follows it
- ``seeing``: does a model see, and does it read? Asked of marked films
- ``sides``: the other side: a text with left and right swapped, for a film that is mirrored and for one that is not
- ``sources``: films of several sources for one run
- ``start``: what a training run begins with: a model that is there, or random weights
- ``train``: one training run from prepared films to a model directory
- ``trainer``: the Trainer of transformers with two learning rates, and without its pickles
- ``training_log``: losses and measures of a run while it runs, as a table
- ``variation``: films as another exposure, another position or another detector would show them, masks moving with
  them
- ``verdict``: the verdict on a trained model in words, from ``training.json`` beside its weights
"""
