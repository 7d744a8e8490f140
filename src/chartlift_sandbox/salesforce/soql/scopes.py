"""USING SCOPE: whose records a statement reads."""

from __future__ import annotations

from collections.abc import Callable

from chartlift_sandbox.salesforce.soql.scope import Relation
from chartlift_sandbox.salesforce.soql.statement import Statement, quoted

_Rule = Callable[[Statement, str], str]


def _rows_of(statement: Statement, name: str, wanted: str, field: str) -> str:
    """Values of the rows of an object that name the caller; nothing where the org lacks the object."""
    sobject = statement.schema.object(name)
    if sobject is None:
        return "SELECT NULL::VARCHAR WHERE false"
    me, dead = (
        statement.bind(statement.actor.user_id),
        ' AND "IsDeleted" IS NOT TRUE' if "IsDeleted" in sobject.fields else "",
    )
    return f"SELECT {quoted(wanted)} FROM {quoted(sobject.name)} WHERE {quoted(field)} = {me}{dead}"


def _mine(statement: Statement, root: str) -> str:
    return f'{root}."OwnerId" = {statement.bind(statement.actor.user_id)}'


def _mine_and_my_groups(statement: Statement, root: str) -> str:
    groups = _rows_of(statement, "GroupMember", "GroupId", "UserOrGroupId")
    return f'({_mine(statement, root)} OR {root}."OwnerId" IN ({groups}))'


def _delegated(statement: Statement, root: str) -> str:
    me = statement.bind(statement.actor.user_id)
    return f'({root}."CreatedById" = {me} AND {root}."OwnerId" <> {me})'


def _queue_owned(_statement: Statement, root: str) -> str:
    return f"starts_with({root}.\"OwnerId\", '00G')"


def _user_owned(_statement: Statement, root: str) -> str:
    return f"starts_with({root}.\"OwnerId\", '005')"


def _team(statement: Statement, root: str) -> str:
    return f'{root}."Id" IN ({_rows_of(statement, "AccountTeamMember", "AccountId", "UserId")})'


def _territory(statement: Statement, root: str) -> str:
    if statement.schema.object("ObjectTerritory2Association") is None:
        return "false"
    mine = _rows_of(statement, "UserTerritory2Association", "Territory2Id", "UserId")
    objects = f'SELECT "ObjectId" FROM "ObjectTerritory2Association" WHERE "Territory2Id" IN ({mine})'
    return f'{root}."Id" IN ({objects})'


_OWNED: dict[str, _Rule] = {
    "mine": _mine, "mine_and_my_groups": _mine_and_my_groups, "mineandmygroups": _mine_and_my_groups,
    "delegated": _delegated, "queue_owned": _queue_owned, "user_owned": _user_owned,
}  # fmt: skip
_ACCOUNTS: dict[str, _Rule] = {"team": _team, "my_territory": _territory, "my_team_territory": _territory}
_EVERYTHING = frozenset({"allprivate", "everything", "mymarketingobjects", "scopingrule"})


def known(scope: str) -> bool:
    """Whether there is a scope of that name, in any case."""
    return scope.lower() in _EVERYTHING or scope.lower() in _OWNED or scope.lower() in _ACCOUNTS


def condition(statement: Statement, scope: str, root: Relation) -> str | None:
    """SQL that is true for the records in the scope; None when that is all of them."""
    name = scope.lower()
    rule = _OWNED.get(name) if "OwnerId" in root.sobject.fields else None
    if root.sobject.name == "Account":
        rule = rule or _ACCOUNTS.get(name)
    return rule(statement, root.alias) if rule is not None else None
