"""Sentences of the kinds that reports are made of, with what each says, and relations of whole reports."""

from __future__ import annotations
