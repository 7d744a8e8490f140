"""A file of the export that is JSON: an array of records, or one record a line. Read piece by piece, never as a whole."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping
from typing import Any

from chartlift.errors import StopError
from chartlift.platforms.aeronaclinic.errors import BadAnswer
from chartlift.platforms.aeronaclinic.export import decoding
from chartlift.platforms.aeronaclinic.export.archive import Archive
from chartlift.platforms.aeronaclinic.wire import first_value

_BETWEEN = re.compile(r"[\s,\[\]]*")
_LONGEST = 1 << 28  # letters of one record


def records(archive: Archive, name: str) -> Iterator[Mapping[str, Any]]:
    """The records of a file, in order.

    Raises:
        StopError: it is no JSON of records.
    """
    encoding, mark = decoding.encoding(archive.pieces(name))
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    pieces = decoding.text(archive.pieces(name), encoding, mark)
    held, place, more = "", 0, True
    while True:
        found = _BETWEEN.match(held, place)
        place = found.end() if found else place
        if place < len(held):
            if held[place] != "{":
                raise StopError(
                    f"{name} in the export is no list of records", hint="an array of objects, or one a line"
                )
            try:
                record, place = first_value(held, place)
            except BadAnswer as bad:
                if not more or len(held) - place > _LONGEST:
                    raise StopError(f"{name} in the export has a record that is {bad.reason}") from None
            else:
                yield record
                continue
        if not more:
            return
        piece = next(pieces, None)
        more = piece is not None
        held, place = held[place:] + decoder.decode(piece or b"", final=not more), 0
