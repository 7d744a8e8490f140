"""What became of one component of a deployment, as DeployMessage shows it."""

from dataclasses import dataclass
from typing import Any


class ComponentError(ValueError):
    """A component that a real org refuses; the text is its `problem`, `place` the line and column of its file."""

    def __init__(self, text: str, place: tuple[int, int] | None = None) -> None:
        super().__init__(text)
        self.place = place


class MissingComponentError(ComponentError):
    """A component that is to be deleted and is not there: only worth a warning."""


@dataclass(slots=True)
class Outcome:
    """The result of one component.

    Attributes:
        kind: Metadata type; empty for the manifests.
        tolerated: The problem is a warning that does not stop the deployment.
    """

    kind: str
    name: str
    file: str
    created: bool = False
    changed: bool = False
    deleted: bool = False
    problem: str | None = None
    problem_type: str | None = None
    component_id: str = ""
    tolerated: bool = False
    place: tuple[int, int] | None = None

    @property
    def failed(self) -> bool:
        """Whether a problem stops the component."""
        return self.problem is not None and not self.tolerated

    def message(self, moment: str | None) -> dict[str, Any]:
        """DeployMessage as the WSDL names its parts."""
        line, column = self.place or ((1, None) if self.failed else (None, None))
        return {
            "changed": self.changed and not self.failed, "columnNumber": column, "componentType": self.kind,
            "created": self.created and not self.failed, "createdDate": moment,
            "deleted": self.deleted and not self.failed, "fileName": self.file, "fullName": self.name,
            "id": self.component_id or None, "lineNumber": line, "problem": self.problem,
            "problemType": self.problem_type, "success": not self.failed,
        }  # fmt: skip
