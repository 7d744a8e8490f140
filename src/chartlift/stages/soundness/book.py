"""What the detectors of `profile` write into: one row in `profile_record` for each record of a finding, counted at the end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from chartlift.model.reports import Finding
from chartlift.stages.soundness.proposals import proposal
from chartlift.stages.sqltext import ident

SAMPLES = 5
_RANK = {"error": 0, "warning": 1, "note": 2}


@dataclass(frozen=True, slots=True)
class Head:
    """What is said of all records of a finding; `columns` are those whose masked values the list of records shows."""

    code: str
    severity: str  # error | warning | note
    entity: str
    columns: tuple[str, ...]
    text: str
    fate: str
    more: str = ""  # behind the place: which of several

    @property
    def place(self) -> str:
        """`patient.email`, `treatment.tooth+toothNotation`, `appointment.appointmentStatusId open`."""
        named = f"{self.entity}.{'+'.join(self.columns)}" if self.columns else self.entity
        return f"{named} {self.more}".strip()


@dataclass
class Book:
    """The findings of one profile: heads here, their records in staging, which alone may hold them."""

    sql: Any
    heads: list[Head] = field(default_factory=list)
    ready: list[Finding] = field(default_factory=list)  # found by others, without a list of records

    def __post_init__(self) -> None:
        """Make the tables anew."""
        self.sql.execute("""
            CREATE OR REPLACE TABLE profile_record (number INTEGER, id VARCHAR, seq BIGINT, other VARCHAR, evidence VARCHAR);
            CREATE OR REPLACE TABLE profile_finding (
              number INTEGER, extraction INTEGER, code VARCHAR, place VARCHAR, entity VARCHAR, columns VARCHAR[])""")

    def note(self, head: Head, query: str, parameters: Sequence[Any] = ()) -> None:
        """Write down the records of `query`: columns _id, _seq, and where there is more to say `other`, `evidence`."""
        self.heads.append(head)
        self._keep(f"SELECT {len(self.heads) - 1} AS number, * FROM ({query})", parameters)

    def note_each(self, heads: Mapping[str, Head], query: str, parameters: Sequence[Any] = ()) -> None:
        """As `note` for a query that has the key of its head in a column `which`; other rows are left out."""
        numbers = {}
        for which, head in heads.items():
            numbers[which] = len(self.heads)
            self.heads.append(head)
        listed = ", ".join(f"({number}, $which{number})" for number in numbers.values())
        named: dict[str, Any] = {f"which{number}": which for which, number in numbers.items()}
        named |= {str(place): value for place, value in enumerate(parameters, start=1)}
        self._keep(
            f"SELECT w.number, q.* EXCLUDE (which) FROM ({query}) AS q "
            f"JOIN (VALUES {listed}) AS w (number, which) ON w.which = q.which",
            named,
        )

    def _keep(self, query: str, parameters: Any) -> None:
        names = [row[0] for row in self.sql.execute(f"DESCRIBE {query}", parameters).fetchall()]
        given = {"_id": "id", "_seq": "seq"}
        columns = ", ".join(ident(given.get(name, name)) for name in names)
        self.sql.execute(f"INSERT INTO profile_record ({columns}) {query}", parameters)

    def close(self, extraction: int) -> list[Finding]:
        """Count, keep what a later look at the records needs, and give the findings, the gravest first."""
        counted = self.sql.execute(f"""
            SELECT number, count(*), arg_min(id, seq, {SAMPLES}), arg_min(coalesce(other, ''), seq, {SAMPLES})
            FROM profile_record GROUP BY number ORDER BY number""").fetchall()
        found: dict[tuple[str, str], tuple[int, Finding]] = {}
        for number, count, ids, others in counted:
            finding = _finding(self.heads[number], count, ids, others)
            place = (finding.code, finding.entity)
            if place not in found or found[place][1].count < count:
                found[place] = (number, finding)
        for number, finding in found.values():
            head = self.heads[number]
            self.sql.execute(
                "INSERT INTO profile_finding VALUES ($1, $2, $3, $4, $5, $6)",
                [number, extraction, finding.code, finding.entity, head.entity, list(head.columns)],
            )
        others = [replace(one, proposal=one.proposal or proposal(one.code)) for one in self.ready]
        return ordered([*others, *(finding for _, finding in found.values())])


def _finding(head: Head, count: int, ids: Sequence[str], others: Sequence[str]) -> Finding:
    pairs = zip(ids, others, strict=True)
    samples = tuple(f"{head.entity} {one} and {other}" if other else f"{head.entity} {one}" for one, other in pairs)
    return Finding(head.code, head.severity, head.place, count, head.text, head.fate, samples, proposal(head.code))


def ordered(found: Sequence[Finding]) -> list[Finding]:
    """Each (code, place) once, the gravest first."""
    kept: dict[tuple[str, str], Finding] = {}
    for finding in found:
        place = (finding.code, finding.entity)
        if place not in kept or kept[place].count < finding.count:
            kept[place] = finding
    return sorted(kept.values(), key=lambda f: (_RANK.get(f.severity, 3), -f.count, f.code, f.entity))


def records(sql: Any, code: str, place: str = "") -> Iterator[dict[str, str]]:
    """Every record of a finding: `place`, `key`, `other`, `evidence`, and `value`, its columns masked.

    A masked value shows the form alone: each letter is an x, each digit a 9. Lists of values are shown as they are by
    the profile already, and still masked here.
    """
    heads = sql.execute(
        "SELECT number, place, entity, columns FROM profile_finding WHERE code = $1 AND ($2 = '' OR place = $2) ORDER BY place",
        [code, place],
    ).fetchall()
    for number, where, entity, columns in heads:
        there = {
            row[0] for row in sql.execute(f"SELECT column_name FROM (DESCRIBE {ident('src_' + entity)})").fetchall()
        }
        shown = [f"masked({ident(column)})" for column in columns if column in there]
        rows = sql.execute(
            f"SELECT r.id, coalesce(r.other, ''), coalesce(r.evidence, ''), concat_ws(' | ', {', '.join(shown) or 'NULL'}) "
            f"FROM profile_record r LEFT JOIN {ident('src_' + entity)} s ON s._id = r.id WHERE r.number = $1 "
            "ORDER BY r.seq, r.id, r.other",
            [number],
        )
        while batch := rows.fetchmany(10_000):
            for one, other, evidence, value in batch:
                yield {
                    "place": where,
                    "key": f"{entity} {one}",
                    "other": f"{entity} {other}" if other else "",
                    "evidence": evidence,
                    "value": value,
                }


MASK = """
CREATE OR REPLACE TEMP MACRO masked(x) AS
  left(regexp_replace(regexp_replace(regexp_replace(left(x, 200), '[\\p{N}]', '9', 'g'), '[\\p{L}\\p{M}]', 'x', 'g'),
                      '[\\p{C}\\p{Z}]', ' ', 'g'), 40)"""
