"""`python -m chartlift_sandbox.fault_page`: writes the page about the faults, so that it cannot drift from the code."""

from __future__ import annotations

import sys
from dataclasses import fields
from typing import Any

from chartlift_sandbox.fault_catalogue import catalogue
from chartlift_sandbox.fault_words import WHAT, Fault

_INTRO = """# Faults of the sandbox

A fault is planned at the control door (`POST /faults`) or in the file of `--faults`. `GET /faults` answers the plan with
its counters and, with `?catalogue=1`, the named faults; `DELETE /faults` takes every fault away, and with them what they
changed for their duration (a field's permission, another org id, a wrong clock, a switch, a used up allowance). What
they did to records or to the schema stays.

```json
[{"fault": "F27", "object": "Visit__c", "rows": 5000},
 {"fault": "F06", "endpoint": "GET /successfulResults$", "nth": 2},
 {"fault": "F32", "variant": "many", "seed": 7, "when": "persistent"},
 {"kind": "status", "path": "/limits$", "status": 502}]
```

## Words of every fault

| word | meaning |
|---|---|
| `fault`, `variant` | a name of the table below and one of its variants; every other word replaces the default one |
| `kind` | instead of a name: a raw fault |
| `vendor` | `org` (default), `clinic` or `any` |
| `endpoint`, or `method` and `path` | `"PUT /batches$"`: methods joined by a bar, and a regular expression searched in the path |
| `object` | API name; job ids are looked up, the body of a job's creation is read |
| `op` | operation of the rows: insert, update, upsert, delete, hardDelete, undelete, joined by a bar |
| `nth`, `when` | `once` (the `nth` call), `every` (with `every`), `persistent` (from the `nth` on), `after` (behind the `nth`) |
| `times`, `for_s` | at most so many hits; only so many virtual seconds from the first hit |
| `probability` or `share`, `seed` | hits only some calls (or rows), the same ones for the same seed |
| `effect` | `before` or `after` the effect commits |
| `armed_by` | id of the fault that has to hit first |
| `id` | name in `GET /faults`; made up if it is left out |

A fault of a bulk job counts jobs, when they run. Faults of rows count a Bulk API 2.0 job once and every other call
(REST, collections, Bulk API 1.0, SOAP) by itself; edits made as a person at the control door are never hit.

## Named faults

F63 (webhooks) is missing: the sandbox sends none. F59 and its followers change the clinic as its staff would; what they did
to records stays until `POST /reset`.

| name | what | default place | parameters | variants | how it is seen |
|---|---|---|---|---|---|
"""
_PLACE = ("vendor", "method", "path", "object", "op", "when", "nth")


def page() -> str:
    """The page as Markdown."""
    rows = "".join(_row(name, one) for name, one in catalogue().items())
    whats = "".join(f"| `{kind}` | {', '.join(f'`{w}`' for w in sorted(one) if w)} |\n" for kind, one in WHAT.items())
    words = ", ".join(f"`{one.name}`" for one in fields(Fault) if one.name != "name")
    return f"{_INTRO}{rows}\n## Raw faults\n\nWords: {words}.\n\n| kind | `what` |\n|---|---|\n{whats}"


def _row(name: str, found: dict[str, Any]) -> str:
    parts = found["parts"]
    place = "; then ".join(_place(part) for part in parts)
    words = ", ".join(
        f"`{key}`" for key in parts[0] if key not in {*_PLACE, "kind", "body", "message", "headers", "id"}
    )
    variants = ", ".join(f"`{one}`" for one in found.get("variants", {}))
    return f"| {name} | {found['title']} | {_cell(place)} | {words} | {variants} | {_cell(found['seen'])} |\n"


def _place(part: dict[str, Any]) -> str:
    said = [str(part[word]) for word in ("method", "path", "op") if word in part]
    where = " ".join(f"`{one}`" for one in said) or "any call"
    nth = f", call {part['nth']}" if "nth" in part else ""
    vendor = {"clinic": "clinic: ", "any": "both: "}.get(part.get("vendor", "org"), "")
    return f"{vendor}{where}, {part.get('when', 'once')}{nth}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    sys.stdout.write(page())
