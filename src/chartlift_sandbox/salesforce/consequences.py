"""What the platform does by itself when records of certain objects are saved: files get documents, contacts relations.

One table per moment; the engine calls them for every object and most have no entry.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pyarrow as pa

from chartlift_sandbox.salesforce import activities, audit, files, hierarchies, persons, places, relations, territories

if TYPE_CHECKING:
    from chartlift_sandbox.salesforce.call import Call
    from chartlift_sandbox.salesforce.org import Org

Staged = dict[str, pa.Array]
_BEFORE_INSERT: dict[str, tuple[Callable[[Call, Staged], None], ...]] = {
    "Account": (persons.complete,),
    "ContentVersion": (files.complete_versions,),
    "Attachment": (files.complete_attachments,),
    "Document": (files.complete_documents,),
    "AccountContactRelation": (relations.refuse_private,),
    "ObjectTerritory2Association": (territories.associate,),
    "UserTerritory2Association": (territories.associate,),
    "Task": (activities.check_targets,),
    "Event": (activities.check_targets,),
    "User": (audit.check_login,),
}
_BEFORE_UPDATE: dict[str, tuple[Callable[[Call, Staged], None], ...]] = {
    "ContentVersion": (files.refuse_content,),
    "Attachment": (files.change_attachments,),
    "Document": (files.change_attachments,),
    "Territory2Model": (territories.change_state,),
    "User": (audit.check_login,),
    "Task": (activities.check_targets,),
    "Event": (activities.check_targets, activities.move_event),
}
_AFTER_INSERT: dict[str, tuple[Callable[[Call, pa.Table], None], ...]] = {
    "Account": (persons.make_contacts,),
    "ContentVersion": (files.publish,),
    "Contact": (relations.relate,),
}
_TITLED = ("ContentVersion", "ContentDocument")
_BEFORE_DELETE: dict[str, tuple[Callable[[Call, pa.Array], None], ...]] = {
    "AccountContactRelation": (relations.refuse_direct,),
}
_AFTER_MERGE: dict[str, tuple[Callable[[Org, str], None], ...]] = {
    "Contact": (relations.tidy,),
    "Account": (relations.tidy,),
}


def before_insert(call: Call, staged: Staged) -> None:
    """Complete or refuse new records, before required fields are checked."""
    places.agree(call, staged)
    for act in _BEFORE_INSERT.get(call.sobject.name, ()):
        act(call, staged)


def before_update(call: Call, staged: Staged) -> None:
    """Complete or refuse new values of records."""
    places.agree(call, staged)
    if call.sobject.name in hierarchies.OBJECTS:
        hierarchies.refuse_cycles(call, staged)
    for act in _BEFORE_UPDATE.get(call.sobject.name, ()):
        act(call, staged)


def after_insert(call: Call, incoming: pa.Table) -> None:
    """Make what follows from new records; `incoming` has their Ids and values."""
    for act in _AFTER_INSERT.get(call.sobject.name, ()):
        act(call, incoming)


def after_update(call: Call, names: list[str], incoming: pa.Table) -> None:
    """Keep the relations of contacts in step; `incoming` has rowids as `_rid` and the new values."""
    if call.sobject.name == "Account":
        persons.keep_in_step(call, names, incoming)
    if call.sobject.name in _TITLED:
        files.share_titles(call, names, incoming)
    if call.sobject.name == "Contact" and "AccountId" in names:
        relations.follow(call, incoming)


def before_delete(call: Call, ids: pa.Array) -> None:
    """Refuse deletes that the platform does not allow."""
    for act in _BEFORE_DELETE.get(call.sobject.name, ()):
        act(call, ids)


def after_merge(org: Org, object_name: str, master_id: str) -> None:
    """Put right what moving the losers' children to the master has doubled."""
    for act in _AFTER_MERGE.get(object_name, ()):
        act(org, master_id)
