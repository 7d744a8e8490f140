"""Reports of the steps that write or compare, as text."""

from __future__ import annotations

from collections.abc import Sequence

from chartlift.cli import screen_overview, words
from chartlift.cli.layout import Sheet, count
from chartlift.model.outcomes import CarryReport, CompareReport, RollbackReport, UnitCount
from chartlift.model.reports import plain

MOST = 6  # reasons of one unit
MOST_KEYS = 20
FATES = tuple(words.FATES)


def carry(sheet: Sheet, report: CarryReport, what: str = "") -> None:
    """Rows by fate, and the reasons of everything that does not go."""
    name = what or report.kind.capitalize()
    sheet.title(f"{name}: done" if report.went else f"{name}: what it would do. Nothing was written.")
    if report.resumed:
        sheet.line("An interrupted run was finished first; Salesforce was asked what became of its rows.")
    units = [unit for unit in report.units if any(unit.fates.values())]
    seen = [fate for fate in FATES if any(unit.fates.get(fate) for unit in units)]
    rows = [(words.unit(u.unit), u.object, *(u.fates.get(fate, 0) for fate in seen)) for u in units]
    sheet.table(("from", "to", *(words.FATES[fate] for fate in seen)), rows, "tt" + "f" * len(seen))
    if not units:
        sheet.line("There is nothing to do.", 2)
    _stayed(sheet, units)
    _emptied(sheet, units)
    _refused(sheet, units)
    both = [(unit, key, fields) for unit in units for key, fields in unit.kept]
    if both:
        sheet.title("Changed by a person in Salesforce and at the clinic; the person's value is kept")
        sheet.table(("record", "fields"), [(key, fields) for _, key, fields in both[:MOST_KEYS]], "kr")
        _more(sheet, len(both) - MOST_KEYS, "record")
    if report.matches:
        waiting = count(len(report.matches), "record waits", "records wait")
        sheet.title(f"{waiting} because Salesforce may have them already. Decide: chartlift matches")
    if not report.went:
        sheet.blank()
        sheet.line(f"Do it: chartlift {report.kind} --go")


def _stayed(sheet: Sheet, units: Sequence[UnitCount]) -> None:
    """Held and skipped rows: own reasons first, then those of their parents as one line."""
    rows: list[tuple[object, ...]] = []
    for unit in units:
        own = [(fate, why, n) for fate, why, n in unit.reasons if fate != "failed" and not why.startswith("parent:")]
        below = sum(n for fate, why, n in unit.reasons if fate != "failed" and why.startswith("parent:"))
        rows += [(n, words.unit(unit.unit), words.FATES.get(fate, fate), words.reason(w)) for fate, w, n in own[:MOST]]
        left = sum(n for _, _, n in own[MOST:])
        if left:
            rows.append((left, words.unit(unit.unit), "", f"{count(len(own) - MOST, 'more reason')}; see --json"))
        if below:
            rows.append((below, words.unit(unit.unit), "held", words.PARENT))
    if rows:
        sheet.title("Records that stay at the clinic, and why")
        sheet.table(("rows", "from", "", "why"), rows, "fttr")


def _emptied(sheet: Sheet, units: Sequence[UnitCount]) -> None:
    """Withheld fields of rows that go."""
    rows: list[tuple[object, ...]] = []
    for unit in units:
        rows += [(n, words.unit(unit.unit), words.withheld(name)) for name, n in unit.withheld[:MOST]]
        left = unit.withheld[MOST:]
        if left:
            more = f"{count(len(left), 'more kind')}; see --json"
            rows.append((sum(n for _, n in left), words.unit(unit.unit), more))
    if rows:
        sheet.title("Fields left empty in records that go, and why")
        sheet.table(("rows", "from", "why"), rows, "ftr")


def _refused(sheet: Sheet, units: Sequence[UnitCount]) -> None:
    failed = [(key, why) for unit in units for key, why in unit.failed]
    if failed:
        sheet.title(f"{count(len(failed), 'row')} refused by Salesforce")
        sheet.table(("record", "why"), [(key, words.reason(why)) for key, why in failed[:MOST_KEYS]], "kr")
        _more(sheet, len(failed) - MOST_KEYS, "row")


def _more(sheet: Sheet, left: int, one: str) -> None:
    if left > 0:
        sheet.line(f"… and {count(left, 'more ' + one)} (see --json)", 2)


def compare(sheet: Sheet, report: CompareReport) -> None:
    """Records and fields by verdict; a sample also says what it carried."""
    if report.carry is not None:
        patients = f"Sample of {count(report.patients, 'patient')} and everything of theirs"
        carry(sheet, report.carry, patients)
    if not report.units:
        return
    units = [unit for unit in report.units if any(unit.records.values())]
    sheet.title("Records read back from Salesforce and compared with the clinic")
    names = ("equal", "differs", "missing", "unexpected", "changed_by_person", "held", "skipped", "failed")
    seen = [name for name in names if name == "equal" or any(u.records.get(name) for u in units)]
    heads = ("", *(name.replace("_", " ") for name in seen))
    sheet.table(
        heads, [(words.unit(u.unit), *(u.records.get(n, 0) for n in seen)) for u in units], "t" + "f" * len(seen)
    )
    sheet.title("Field by field")
    heads = ("", "equal", "left empty", "by a server rule", "by a person", "differ")
    verdicts = ("equal", "withheld", "server", "person", "differs")
    sheet.table(heads, [(words.unit(u.unit), *(u.fields.get(v, 0) for v in verdicts)) for u in units], "tfffff")
    _totals(sheet, report)
    screen_overview.mappings(sheet, plain(report.mappings))
    odd = [sample for unit in units for sample in unit.samples]
    if odd:
        sheet.title("Look at these")
        sheet.table(("record", "field", "what"), [(k, f, v) for k, f, v in odd[:MOST_KEYS]], "ktr")
        _more(sheet, len(odd) - MOST_KEYS, "field")
    sheet.blank()
    sheet.line("Every field is explained." if report.clean else "There are differences without an explanation.")


def _totals(sheet: Sheet, report: CompareReport) -> None:
    rows = [
        (name, sides.get("source", 0), sides.get("landed", 0))
        for name, sides in report.totals.items()
        if hasattr(sides, "get")
    ]
    if rows and report.kind == "reconcile":
        sheet.title("Totals")
        sheet.table(("", "at the clinic", "in Salesforce"), rows, "tff")


def rollback(sheet: Sheet, report: RollbackReport) -> None:
    """What is taken back, what stays and why."""
    sheet.title("Rollback: done" if report.went else "Rollback: what it would do. Nothing was changed.")
    said = {
        "delete": "deleted",
        "restore": "given their old values",
        "nothing": "as before already",
        "failed": "refused",
    }
    rows = [
        (n, name, said.get(action, action)) for name, actions in report.actions.items() for action, n in actions.items()
    ]
    sheet.table(("records", "object", "what"), rows, "ftr")
    if not rows:
        sheet.line("There is nothing to take back.", 2)
    kept(sheet, report.kept)
    if report.failed:
        sheet.title(f"{count(len(report.failed), 'record')} refused by Salesforce")
        sheet.table(("object", "record", "why"), report.failed[:MOST_KEYS], "tkr")
        _more(sheet, len(report.failed) - MOST_KEYS, "record")
    sheet.blank()
    sheet.line(f"{count(len(report.runs), 'run')}, fingerprint {report.fingerprint[:16]}")
    if not report.went and rows:
        sheet.line("Do it: chartlift rollback --go")


def kept(sheet: Sheet, found: Sequence[tuple[str, str, str, str]]) -> None:
    """Records or fields that stay because somebody changed them since."""
    if not found:
        return
    sheet.title(f"{count(len(found), 'record stays', 'records stay')} in Salesforce")
    rows = [(name, key, record, why) for name, key, record, why in found[:MOST_KEYS]]
    sheet.table(("object", "record", "Id", "why"), rows, "tkkr")
    _more(sheet, len(found) - MOST_KEYS, "record")
