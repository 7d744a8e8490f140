"""Record-triggered flows and Apex triggers in the order of a save: before it, when it fails, and after it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from chartlift_sandbox.salesforce.failures import row_numbers
from chartlift_sandbox.salesforce.formulas import Formula, FormulaError
from chartlift_sandbox.salesforce.formulas.compile import compile_formula
from chartlift_sandbox.salesforce.kernels import pc
from chartlift_sandbox.salesforce.literals import whole
from chartlift_sandbox.salesforce.rulebook import Automation, Mail
from chartlift_sandbox.salesforce.saving import Saving, evaluate, formula, spared
from chartlift_sandbox.salesforce.schema import SObject

if TYPE_CHECKING:
    from chartlift_sandbox.salesforce.call import Call
    from chartlift_sandbox.salesforce.org import Org

CHUNK = 200
"""Records that one run of a trigger sees."""
ACTIONS = {
    "before_save": ("set_field", "fail_apex", "fail_flow"),
    "after_save": ("send_mail", "insert_task", "fail_apex", "fail_flow"),
}
_MERGE = re.compile(r"\{!([^}]+)\}")
_TASK_FIELDS = ("Subject", "Description", "Status", "Priority")


def runs(call: Call, moment: str) -> list[Automation]:
    """The automations of one moment that take part in a call, in order."""
    here = [one for one in call.org.rules.automations if one.moment == moment and one.runs(call.sobject.name, call.op)]
    return [one for one in here if not spared(call, one.bypass)]


def before_save(call: Call, staged: dict[str, pa.Array], found: pa.Table | None = None) -> None:
    """Before-save flows set fields; then before triggers may fail their chunk."""
    if not call.org.rules.automations:
        return
    ordered = sorted(runs(call, "before_save"), key=lambda one: one.action != "set_field")
    for one in ordered:
        saving = Saving(call, staged, found)
        if one.action == "set_field":
            _set_field(call, one, saving, staged)
        else:
            _fail(call, one, saving)


def after_triggers(call: Call, staged: dict[str, pa.Array], found: pa.Table | None = None) -> None:
    """After triggers and after-save flows that fail: their chunk is not saved."""
    if not call.org.rules.automations:
        return
    for one in runs(call, "after_save"):
        if one.action.startswith("fail_"):
            _fail(call, one, Saving(call, staged, found))


def after_save(call: Call, staged: dict[str, pa.Array], ids: pa.Array, found: pa.Table | None = None) -> None:
    """What automation does beside the saved records: e-mails and tasks."""
    if not call.org.rules.automations:
        return
    for one in runs(call, "after_save"):
        if one.action.startswith("fail_"):
            continue
        saving = Saving(call, staged, found)
        rows = _rows(call, one, saving)
        if len(rows):
            (_send if one.action == "send_mail" else _make_tasks)(call, one, saving, rows, ids)


def _rows(call: Call, one: Automation, saving: Saving) -> pa.Array:
    return saving.rows_where(formula(call.org, call.sobject, one.condition) if one.condition else None)


def _set_field(call: Call, one: Automation, saving: Saving, staged: dict[str, pa.Array]) -> None:
    target = call.sobject.fields[one.word("field")]
    value = evaluate(saving, call, formula(call.org, call.sobject, one.word("value"), None), target.sql_type)
    if target.type == "percent":
        value = pc.multiply(value, 100.0)
    elif value.type == pa.string():
        value = pc.if_else(pc.equal(value, ""), pa.scalar(None, pa.string()), value)
    hit = pc.is_in(row_numbers(call.count), value_set=_rows(call, one, saving))
    old = staged.get(target.name)
    if old is None:
        old = saving.table().column(target.name).combine_chunks()
    staged[target.name] = pc.if_else(hit, value, old)


def _fail(call: Call, one: Automation, saving: Saving) -> None:
    """One bad record fails every record of its chunk of 200, as a trigger's exception does."""
    rows = _rows(call, one, saving)
    if not len(rows):
        return
    code, message = fault(one, call.op)
    if one.action == "fail_apex":
        chunk = pc.divide(row_numbers(call.count), whole(CHUNK))
        call.failures.add(pc.is_in(chunk, value_set=pc.unique(pc.divide(rows, whole(CHUNK)))), code, message)
    else:
        call.failures.add_rows(rows, code, message)


def fault(one: Automation, op: str) -> tuple[str, str]:
    """Code and message of an automation that fails."""
    told = one.word("message", "System.NullPointerException: Attempt to de-reference a null object")
    if one.action == "fail_flow":
        text = (
            f"We can't save this record because the “{one.name}” process failed. Give your Salesforce admin these "
            f"details. {told}"
        )
        return "CANNOT_EXECUTE_FLOW_TRIGGER", text
    moment = ("Before" if one.moment == "before_save" else "After") + op.title()
    text = f"{one.name}: execution of {moment}\n\ncaused by: {told}\n\nTrigger.{one.name}: line 1, column 1"
    return "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", text


def _merged(call: Call, saving: Saving, text: str) -> pa.Array:
    """A text with its `{!Field}` places filled in, for every row."""
    return evaluate(saving, call, formula(call.org, call.sobject, template(text), "text"))


def template(text: str) -> str:
    """A text with merge fields as a formula."""
    parts = _MERGE.split(text)
    quoted = [f'"{escaped(part)}"' for part in parts]
    return " & ".join(f"$MERGE({part})" if n % 2 else quoted[n] for n, part in enumerate(parts))


def escaped(text: str) -> str:
    """A text inside a formula's quotes."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _send(call: Call, one: Automation, saving: Saving, rows: pa.Array, ids: pa.Array) -> None:
    """E-mails go into the trap, never out."""
    words = [_merged(call, saving, one.word(name)).take(rows).to_pylist() for name in ("to", "subject", "body")]
    time = call.org.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    for record_id, to, subject, body in zip(ids.take(rows).to_pylist(), *words, strict=True):
        if to:
            mail = Mail(time, to, subject, body, call.sobject.name, record_id, one.name, call.actor.user_id)
            call.org.rules.mail.append(mail)


def _make_tasks(call: Call, one: Automation, saving: Saving, rows: pa.Array, ids: pa.Array) -> None:
    """One task per record, about it."""
    columns: dict[str, Any] = {}
    for name in _TASK_FIELDS:
        if one.word(name.lower()):
            columns[name] = _merged(call, saving, one.word(name.lower())).take(rows)
    link = "WhoId" if call.sobject.name in {"Contact", "Lead"} else "WhatId"
    columns[link] = ids.take(rows)
    call.org.dml("insert", "Task", pa.table(columns), call.actor, job=call.job, options=call.options.of_automation())


def check_automation(org: Org, sobject: SObject, one: Automation) -> None:
    """See that an automation can run. Raises FormulaError."""
    if one.action not in ACTIONS.get(one.moment, ()):
        raise FormulaError(f"{one.action} is no action of {one.moment}")
    if one.condition:
        compile_formula(org.schema, sobject, one.condition)
    if one.action == "set_field":
        if sobject.field(one.word("field")) is None:
            raise FormulaError(f"Field {one.word('field')} does not exist. Check spelling.")
        compile_formula(org.schema, sobject, one.word("value"), None)
    for name in ("to", "subject", "body", *(field.lower() for field in _TASK_FIELDS)):
        _check_text(org, sobject, one.word(name))


def _check_text(org: Org, sobject: SObject, text: str) -> Formula:
    return compile_formula(org.schema, sobject, template(text), "text")
