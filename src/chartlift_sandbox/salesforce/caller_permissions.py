"""UserPermissionAccess: an object of one row, the permissions of whoever asks."""

from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from chartlift_sandbox.salesforce import ids
from chartlift_sandbox.salesforce.org import Actor, Org
from chartlift_sandbox.salesforce.store import quote

_OBJECT = "UserPermissionAccess"
_PREFIX = "Permissions"


class CallerPermissions:
    """Writes the caller's row just before a query that reads it."""

    def __init__(self, app: ASGIApp, org: Org) -> None:
        self._app, self._org = app, org

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes on, after refreshing the row if the query names the object."""
        actor = scope.get("state", {}).get("actor")
        if actor is not None and _OBJECT.lower().encode() in scope["query_string"].lower():
            await run_in_threadpool(show_permissions, self._org, actor)
        await self._app(scope, receive, send)


def show_permissions(org: Org, actor: Actor) -> None:
    """Makes the one row that of the given caller."""
    sobject = org.schema.objects[_OBJECT]
    names = [name for name in sobject.fields if name.startswith(_PREFIX)]
    values = [name.removeprefix(_PREFIX) in actor.permissions for name in names]
    columns = ", ".join(quote(name) for name in ("Id", *names))
    with org.lock, org.transaction():
        org.db.execute(f"DELETE FROM {quote(_OBJECT)}")
        marks = ", ".join("?" for _ in (None, *names))
        row = [ids.make(sobject.key_prefix, 1), *values]
        org.db.execute(f"INSERT INTO {quote(_OBJECT)} ({columns}) VALUES ({marks})", row)
