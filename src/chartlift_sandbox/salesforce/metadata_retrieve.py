"""Retrievals and lists: which components there are, who changed them last, and their files in a zip."""

from typing import Any

from chartlift_sandbox.salesforce import metadata_render as render
from chartlift_sandbox.salesforce.metadata import user_name
from chartlift_sandbox.salesforce.metadata_jobs import MetadataJobs, RetrieveJob, stamp
from chartlift_sandbox.salesforce.org import Org

_NO_STAR = frozenset({"StandardValueSet", "CustomField", "ValidationRule", *render.CHILD_TAGS})
_PARTS = _NO_STAR - {"StandardValueSet"}


class Retrieval:
    """Answers from the org's components as they are now."""

    def __init__(self, org: Org, jobs: MetadataJobs) -> None:
        self._org, self._jobs = org, jobs

    def properties(self, kind: str, name: str, path: str) -> dict[str, Any]:
        """FileProperties of a component; what nobody deployed was there from the start."""
        source, start = self._jobs.sources.kept.get((kind, name)), self._org.clock.started
        admin = self._org.people.admin
        made, made_by = (source.created, source.created_by) if source is not None else (start, admin)
        last, last_by = (source.modified, source.modified_by) if source is not None else (start, admin)
        return {
            "createdById": made_by, "createdByName": user_name(self._org, made_by), "createdDate": stamp(made),
            "fileName": path, "fullName": name, "id": self._jobs.component_id(kind, name), "lastModifiedById": last_by,
            "lastModifiedByName": user_name(self._org, last_by), "lastModifiedDate": stamp(last),
            "manageableState": "unmanaged", "type": kind,
        }  # fmt: skip

    def listed(self, kind: str) -> list[dict[str, Any]]:
        """FileProperties of every component of a type."""
        names = render.names_of(self._org, self._jobs.sources, kind) if kind in render.FOLDERS else []
        return [self.properties(kind, name, _path(kind, name)) for name in names]

    def fill(self, job: RetrieveJob) -> None:
        """Builds the zip of a retrieval."""
        root = "" if job.request["single"] else "unpackaged/"
        files: dict[str, str] = {}
        listed: list[render.Node] = []
        parts: dict[str, dict[str, set[str]]] = {}
        for kind, members in job.request["types"].items():
            found = [name for name in self._expanded(kind, members) if self._add(job, files, parts, root, kind, name)]
            listed.append(("types", [*(("members", one) for one in found), ("name", kind)]))
        for owner, wanted in parts.items():
            path = f"{root}objects/{owner}.object"
            if path not in files:
                nodes = render.part_nodes(self._org, self._jobs.sources, wanted)
                files[path] = render.to_xml("CustomObject", nodes)
        manifest = render.to_xml("Package", [*listed, ("version", job.request["version"])])
        job.zip = render.build_zip(files | {f"{root}package.xml": manifest})

    def _expanded(self, kind: str, members: list[str]) -> list[str]:
        """The names that are asked for; a star stands for all of a type that can be starred."""
        names: list[str] = []
        for one in members:
            star = one == "*" and kind not in _NO_STAR
            names += self._custom_names(kind) if star else [one]
        return list(dict.fromkeys(names))

    def _custom_names(self, kind: str) -> list[str]:
        names = render.names_of(self._org, self._jobs.sources, kind)
        return [one for one in names if one.endswith("__c")] if kind == "CustomObject" else names

    def _add(
        self, job: RetrieveJob, files: dict[str, str], parts: dict[str, dict[str, set[str]]], root: str, kind: str,
        name: str,
    ) -> bool:  # fmt: skip
        """Adds one component to the zip; a missing one becomes a message."""
        nodes = render.component_nodes(self._org, self._jobs.sources, kind, name)
        if nodes is None or kind not in render.FOLDERS:
            job.problems.append((f"{root}package.xml", f"Entity of type '{kind}' named '{name}' cannot be found"))
            return False
        path = root + _path(kind, name)
        if kind in _PARTS:
            parts.setdefault(name.partition(".")[0], {}).setdefault(kind, set()).add(name)
        else:
            files[path] = render.to_xml(kind, nodes)
        job.properties.append(self.properties(kind, name, path))
        return True


def _path(kind: str, name: str) -> str:
    folder, ending = render.FOLDERS[kind]
    return f"{folder}/{name.partition('.')[0] if folder == 'objects' else name}.{ending}"
