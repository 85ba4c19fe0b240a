"""Small re-implementations of the systems the paper compares with, trained and scored alike on the same films.

One file a system: ``chexmed``, ``rmt`` (findings), ``cvt2distilgpt2``, ``rgrg`` (reports). Each says in its first lines
what was published and what is left out. They are shapes of those systems at a size a processor can train in minutes,
with random weights to begin with; their scores say nothing about the published systems on films of people.
"""
