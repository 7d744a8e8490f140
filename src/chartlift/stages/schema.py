"""Custom objects, fields, list values and permission sets: what the org lacks, and deploying it."""

from __future__ import annotations

from pathlib import Path

from chartlift.model.outcomes import StepReport
from chartlift.model.ports import Step, Tools
from chartlift.model.schema import DesiredSchema
from chartlift.stages import plans
from chartlift.stages.desired import from_plain


def run(tools: Tools, *, go: bool, export: Path | None = None) -> StepReport:
    """Explain or deploy the confirmed schema; `export` writes it as a package for an administrator's own tools.

    Raises:
        NotConfirmed: there is no confirmed plan.
        Conflict: a list value would disappear, or a field of that name has another type.
    """
    plan = plans.confirmed(tools)
    wanted = from_plain(plan.schema)
    if export is not None:
        export.write_bytes(tools.destination.schema_package(wanted))
    missing = tools.destination.missing(wanted)
    listed = _listed(missing)
    if not go:
        text = f"{len(listed)} components to deploy" if listed else "The org has everything the plan needs."
        return StepReport("schema", went=False, lines=(text, *listed), data={"missing": listed})
    done = tools.destination.deploy(wanted, lambda step: _show(tools, step))
    tools.audit.act("schema deployed", who=tools.who, fingerprint=plan.fingerprint, detail={"components": len(listed)})
    left = _listed(tools.destination.missing(wanted))
    code = 3 if left else 0
    data = {"deployed": list(done), "missing": left, "package": str(export) if export else ""}
    return StepReport("schema", lines=tuple(done), data=data, code=code)


def _show(tools: Tools, step: Step) -> None:
    tools.progress.step(f"deploy {step.kind}")


def _listed(schema: DesiredSchema) -> list[str]:
    return [
        *(o.name for o in schema.objects),
        *(f"{f.object}.{f.name}" for f in schema.fields),
        *(f"{name}: {', '.join(values)}" for name, values in schema.value_sets.items()),
        *schema.standard_fields,
    ]
