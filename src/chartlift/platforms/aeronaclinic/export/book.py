"""All files of one export together: the manifest, each file's sheet, and what one file has to take from another."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from chartlift.errors import StopError
from chartlift.model.arrow import ArrowStream
from chartlift.platforms.aeronaclinic import flatten
from chartlift.platforms.aeronaclinic.export import cells, manifest, sheets
from chartlift.platforms.aeronaclinic.export.archive import Archive, sha256
from chartlift.platforms.aeronaclinic.export.gathering import Gatherer
from chartlift.platforms.aeronaclinic.export.raw import as_json
from chartlift.platforms.aeronaclinic.export.records import records
from chartlift.platforms.aeronaclinic.export.sheets import Sheet
from chartlift.platforms.aeronaclinic.export.words import Gather, Words, fold, folded
from chartlift.platforms.aeronaclinic.flatten import Problems
from chartlift.platforms.aeronaclinic.profile import Entity, Profile
from chartlift.platforms.aeronaclinic.walk import merged

_ENDINGS = ("csv", "tsv", "txt", "json", "jsonl", "ndjson")
_KEYS_SHOWN = 8
_NAMED = 20  # ragged rows that are named one by one

Part = tuple[int, dict[str, ArrowStream], tuple[tuple[str, str, str | None], ...]]
"""rows read so far, tables, deletions"""


class Book:
    """One export. Sheets are made when they are first asked for, and kept."""

    def __init__(self, archive: Archive, words: Words, profile: Profile) -> None:
        """Read the manifest.

        Raises:
            StopError: a required file is missing, or the manifest cannot be trusted.
        """
        self.archive = archive
        self.print = archive.print()
        self._words, self._profile = words, profile
        self._manifest = manifest.read(archive, words.manifest)
        self.exported = self._manifest.exported
        self._members = self._found()
        lacking = [words.file[name] for name in words.required if name not in self._members]
        if lacking:
            raise StopError(f"the export has no file {', '.join(lacking)}", hint="CSV or JSON, one file per entity")
        self._sheets: dict[str, Sheet] = {}
        self._counts: dict[str, int] = {}
        self._problems: Problems = Counter()
        self._sites: dict[str, str] | None = None
        self._gatherer = Gatherer(profile, self.columns, self._parts)

    def _found(self) -> dict[str, str]:
        """Entity -> member, by the member's name without folder and ending."""
        names: dict[str, str] = {}
        for member in self.archive.names:
            stem, _, ending = member.rsplit("/", 1)[-1].rpartition(".")
            if ending.lower() in _ENDINGS and not member.startswith(self._words.documents):
                names.setdefault(fold(stem), member)
        self._loose = names
        return {name: names[fold(file)] for name, file in self._words.file.items() if fold(file) in names}

    # ------------------------------------------------------------ what it has

    def member(self, name: str) -> str:
        """The file of an entity, or of the deletions; '' if the export has none."""
        return self._members.get(name, "")

    def about(self) -> str:
        """A line about the whole."""
        told = "with a manifest" if self._manifest.there else "without a manifest: nothing says whether it is whole"
        return f"{len(self.archive.names):,} members, {told}"

    def total(self, name: str) -> int | None:
        """Rows of a file, as the manifest says, else as counted."""
        member = self.member(name)
        if not member:
            return None
        said = self._manifest.rows(member)
        return self._rows(name) if said is None else said

    def _rows(self, name: str) -> int:
        if name not in self._counts:
            member = self.member(name)
            if _is_json(member):
                self._manifest.verify(member, sha256(self.archive.pieces(member)))
                self._counts[name] = sum(1 for _ in records(self.archive, member))
            else:
                self._counts[name] = self._sheet(name).rows
        return self._counts[name]

    def look(self, name: str) -> tuple[bool, str, int | None]:
        """Whether a file is as it should be, what it is like, and how many rows it should have."""
        rows, total = self._rows(name), self.total(name)
        said = "" if rows == total else f"; the file has {rows:,} rows"
        member = self.member(name)
        if _is_json(member):
            return rows == total, f"{member}: JSON{said}", total
        sheet = self._sheet(name)
        entity = self._profile.entities.get(name)
        lacks = [
            key for key in (entity.keys if entity else ()) if key not in sheet.columns and not self._made(name, key)
        ]
        parts = [f"{len(sheet.heads)} keys", f"{sheet.dialect.encoding}, {sheet.dialect.delimiter!r} between cells"]
        parts += [f"without {', '.join(lacks[:_KEYS_SHOWN])}"] if lacks else []
        parts += [f"unmapped {', '.join(list(sheet.unmapped)[:_KEYS_SHOWN])}"] if sheet.unmapped else []
        parts += [f"{len(sheet.ragged):,} ragged rows"] if sheet.ragged else []
        return rows == total and not sheet.ragged, "; ".join(parts) + said, total

    def _made(self, name: str, column: str) -> bool:
        """Whether a column comes from another file where its own does not have it."""
        entity = self._profile.entities[name]
        totals = {array.total for array in entity.embedded}
        gathered = {gather.column for gather in self._words.gather if gather.into == name and self._has(gather)}
        return column in {*totals, *gathered, *entity.copied}

    # ------------------------------------------------------------ its rows

    def tables(self, name: str, skip: int) -> Iterator[Part]:
        """The file of an entity, or the deletions, as flat tables, from a row on."""
        member = self.member(name)
        if not member:
            yield from self._lacking(name)
        elif name not in self._profile.entities:
            yield from self._deletions(name, skip)
        elif _is_json(member):
            yield from self._from_json(self._profile.entities[name], skip)
        else:
            yield from self._from_csv(self._profile.entities[name], skip)

    def problems(self, name: str = "") -> tuple[tuple[str, str, int], ...]:
        """What was odd since the last question; with `name` what is odd about the file as a whole."""
        found = Counter(self._problems)
        self._problems.clear()
        member = self.member(name)
        if name and member and self._rows(name) != self.total(name):
            found["S-MANIFEST", name] += 1
        if name and member and not _is_json(member):
            sheet = self._sheet(name)
            for head, many in (sheet.unmapped if name in self._profile.entities else {}).items():
                found["S-UNMAPPED", f"{name}.{flatten.plain_key(head)}"] += many
            for column, many in sheet.clashes.items():
                found["S-HEADS", f"{name}.{column}"] += many
            for column, many in sheet.damaged.items():
                found["R-TEXT", f"{name}.{column}"] += many
            for row in sheet.ragged[:_NAMED]:
                found["R-RAGGED", f"{name} (row {row} of {member})"] += 1
            if len(sheet.ragged) > _NAMED:
                found["R-RAGGED", name] += len(sheet.ragged) - _NAMED
        return merged(found)

    def _lacking(self, name: str) -> Iterator[Part]:
        """No such file: nothing, or the profile's own values, or lines that came inside their invoices."""
        entity = self._profile.entities.get(name)
        if entity is not None and self._comes_inside(entity):
            yield from self._inside(entity)
            return
        values = entity.fallback.get("values", {}) if entity else {}
        self._problems["S-FALLBACK" if values else "S-NO-LIST", name] += 1
        if entity is not None:
            rows = [{entity.id: key, entity.fallback["column"]: text} for key, text in values.items()]
            yield len(rows), {name: flatten.table(entity, rows, self._problems)}, ()

    def _from_csv(self, entity: Entity, skip: int) -> Iterator[Part]:
        sheet = self._sheet(entity.name)
        for batch in sheets.batches(self.archive, sheet, self._words.block, skip=skip):
            skip += batch.num_rows
            columns = sheets.columns_of(batch, sheet, entity.keys, self._words.zone)
            lacking = [name for name in entity.keys if name not in sheet.columns]
            yield skip, self._whole(entity, columns, lacking, as_json(batch, sheet.heads)), ()

    def _from_json(self, entity: Entity, skip: int) -> Iterator[Part]:
        found = itertools.islice(records(self.archive, self.member(entity.name)), skip, None)
        while chunk := list(itertools.islice(found, self._words.rows)):
            skip += len(chunk)
            table = flatten.table(entity, chunk, self._problems)
            columns = {name: table.column(name).combine_chunks() for name in entity.keys}
            lacking = [name for name in entity.keys if not any(name in record for record in chunk)]
            yield skip, self._whole(entity, columns, lacking, table.column("_raw").combine_chunks()), ()

    def _comes_inside(self, entity: Entity) -> bool:
        """Whether the rows have no file of their own but stand inside those of their owner."""
        alone = bool(self.member(entity.name)) or not entity.copied
        return not alone and _is_json(self.member(self._owner(entity).name))

    def _inside(self, entity: Entity) -> Iterator[Part]:
        """Lines that came inside their invoices; read in one go, since they have no rows of their own to count."""
        owner = self._owner(entity)
        member = next(array.member for array in owner.embedded if array.entity == entity.name)
        lines, done = self._lines(entity, owner.name, member), 0
        while chunk := list(itertools.islice(lines, self._words.rows)):
            done += len(chunk)
            yield done, {entity.name: flatten.table(entity, chunk, self._problems)}, ()

    def _lines(self, entity: Entity, owner: str, member: str) -> Iterator[flatten.Record]:
        for record in records(self.archive, self.member(owner)):
            copied = {name: record.get(name) for name in entity.copied}
            rows = record.get(member)
            yield from ({**row, **copied} for row in (rows if isinstance(rows, list) else ()) if isinstance(row, dict))

    def _whole(
        self, entity: Entity, columns: dict[str, pa.Array], lacking: list[str], raw: pa.Array
    ) -> dict[str, ArrowStream]:
        """The table of an entity, what other files and other columns say about its rows filled in."""
        self._fill(entity, columns, lacking)
        for name in (entity.id, *entity.refs):
            if name in columns:
                odd = pc.sum(pc.match_substring_regex(columns[name], cells.EXPONENT)).as_py()
                self._problems["R-EXPONENT", f"{entity.name}.{name}"] += odd or 0
        for name, column in columns.items():
            if self._words.kinds.get(name) == "digits":
                lost = pc.sum(pc.match_substring_regex(column, cells.LOST_ZERO)).as_py()
                self._problems["R-ZERO", f"{entity.name}.{name}"] += lost or 0
        tables: dict[str, ArrowStream] = {}
        rows = flatten.derivable(entity, columns)
        sites = self._named_sites() if entity.name == "patient" else {}
        for name in entity.derived:
            columns[name] = pa.array(flatten.derived(entity, name, rows, sites), pa.string())
        extra = flatten.made(entity.name, rows, sites)
        if extra is not None:
            tables[extra[0]] = flatten.table(self._profile.entities[extra[0]], extra[1], self._problems)
        tables[entity.name] = pa.table({**{name: columns[name] for name in entity.columns}, "_raw": raw})
        return tables

    def _fill(self, entity: Entity, columns: dict[str, pa.Array], lacking: list[str]) -> None:
        keys = columns.get(entity.id)
        for gather in self._words.gather:
            if gather.into == entity.name and gather.column in lacking and self._has(gather):
                columns[gather.column] = self._gatherer.array(gather, keys)
        for array in entity.embedded:
            if array.total in lacking:
                columns[array.total] = self._gatherer.total(array.entity, keys)
        if entity.copied:
            owner = self._owner(entity)
            if owner.id in lacking:
                raise StopError(f"the lines of {owner.name} in the export do not say whose they are")
            taken = self._gatherer.owned(entity, owner, columns[owner.id])
            columns |= {name: column for name, column in taken.items() if name in lacking}

    def columns(self, name: str, wanted: tuple[str, ...]) -> Iterator[Mapping[str, pa.Array]]:
        """Some columns of an entity, from its start."""
        entity = self._profile.entities[name]
        inside = self._comes_inside(entity)
        if not self.member(name) and not inside:
            return
        found, self._problems = self._problems, Counter()  # counted when the file itself is read
        made = [column for column in wanted if column in entity.copied]
        if made or inside or _is_json(self.member(name)):
            for _, tables, _ in self.tables(name, 0):
                table: Any = tables[name]
                yield {column: table.column(column).combine_chunks() for column in wanted}
        else:
            sheet = self._sheet(name)
            for batch in sheets.batches(self.archive, sheet, self._words.block):
                yield sheets.columns_of(batch, sheet, wanted, self._words.zone)
        self._problems = found

    def _owner(self, entity: Entity) -> Entity:
        return self._profile.entities[entity.refs[entity.part_of]]

    # ------------------------------------------------------------ other files

    def _has(self, gather: Gather) -> bool:
        return fold(gather.file) in self._loose

    def _parts(self, gather: Gather) -> Iterator[Mapping[str, str | None]]:
        """Rows of a file that is nothing but parts of other rows."""
        wanted = (gather.by, *gather.where, *gather.members)
        member = self._loose[fold(gather.file)]
        if _is_json(member):
            for record in records(self.archive, member):
                yield {name: flatten.cell(record.get(name)) for name in wanted}
            return
        sheet = self._surveyed(member, wanted, folded(dict(gather.aliases)))
        for batch in sheets.batches(self.archive, sheet, self._words.block):
            columns = sheets.columns_of(batch, sheet, wanted, self._words.zone)
            names = list(columns)
            for row in zip(*(column.to_pylist() for column in columns.values()), strict=True):
                yield dict(zip(names, row, strict=True))

    def _deletions(self, name: str, skip: int) -> Iterator[Part]:
        words = self._profile.deletions
        entities = {fold(word): entity for entity, word in words.of.items()} | {fold(e): e for e in words.of}
        wanted = (words.entity, words.id, words.survivor)
        for rows, columns in self._deletion_rows(name, wanted, skip):
            triples = zip(*(columns[column].to_pylist() for column in wanted), strict=True)
            gone = tuple(
                (entities[fold(e)], key, other) for e, key, other in triples if key and fold(e or "") in entities
            )
            yield rows, {}, gone

    def _deletion_rows(
        self, name: str, wanted: tuple[str, ...], skip: int
    ) -> Iterator[tuple[int, Mapping[str, pa.Array]]]:
        member = self.member(name)
        if _is_json(member):
            rows = list(itertools.islice(records(self.archive, member), skip, None))
            yield skip + len(rows), {
                c: pa.array([flatten.cell(r.get(c)) for r in rows], pa.string()) for c in wanted
            }  # fmt: skip
            return
        sheet = self._sheet(name, wanted)
        for batch in sheets.batches(self.archive, sheet, self._words.block, skip=skip):
            skip += batch.num_rows
            yield skip, sheets.columns_of(batch, sheet, wanted, self._words.zone)

    def _named_sites(self) -> Mapping[str, str]:
        """Slug of each practice's name -> its id; of two practices of one name the first."""
        if self._sites is None:
            self._sites = {}
            for batch in self.columns("practice", ("practiceId", "name")):
                for key, name in zip(batch["practiceId"].to_pylist(), batch["name"].to_pylist(), strict=True):
                    slug = flatten.slug(name)
                    if slug and key:
                        self._sites.setdefault(slug, key)
        return self._sites

    def _sheet(self, name: str, wanted: tuple[str, ...] = ()) -> Sheet:
        entity = self._profile.entities.get(name)
        words = self._profile.deletions
        columns = wanted or (entity.keys if entity else (words.entity, words.id, words.survivor))
        return self._surveyed(self.member(name), columns, self._words.heads(name))

    def _surveyed(self, member: str, columns: tuple[str, ...], aliases: Mapping[str, str]) -> Sheet:
        key = f"{member}\0{','.join(columns)}"
        if key not in self._sheets:
            sheet = sheets.survey(self.archive, member, columns, aliases, self._words.kinds, self._words.block)
            self._manifest.verify(member, sheet.sha256)
            self._sheets[key] = sheet
        return self._sheets[key]


def _is_json(member: str) -> bool:
    return member.lower().endswith(("json", "jsonl"))
