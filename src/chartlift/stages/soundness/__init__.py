"""The findings of `profile`: what can be said without a map, and every rule the pack's transforms know; SQL over staging."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from chartlift.model.ports import Tools
from chartlift.model.source import EntityShape
from chartlift.stages.soundness import amounts, contacts, holdings, likeness, packrules, persons, references, wording
from chartlift.stages.soundness.book import Book

_STILL_OPEN = timedelta(days=7)


def look(book: Book, tools: Tools, shapes: Sequence[EntityShape]) -> None:
    """Write everything that is found into the book."""
    by_name = {shape.name: shape for shape in shapes}
    today = tools.clock.now().date()
    for number, shape in enumerate(shapes):
        tools.progress.step(f"profile: findings of {shape.name}", number, len(shapes))
        references.look(book, shape, by_name)
        if shape.state and shape.dated:
            holdings.states(book, shape, (today - _STILL_OPEN).isoformat(), today.isoformat())
        if shape.person:
            persons.look(book, shape, by_name, today)
            contacts.look(book, shape)
            likeness.look(book, shape)
        wording.look(book, shape)
        holdings.deleted(book, shape)
        holdings.documents(book, shape)
        holdings.clinicians(book, shape, by_name)
        packrules.codes(book, shape)
    amounts.look(book, by_name, today)
    packrules.look(book, tools, by_name)
