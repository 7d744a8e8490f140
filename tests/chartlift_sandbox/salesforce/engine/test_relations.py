"""AccountContactRelation follows the contacts."""

from __future__ import annotations

from engine_bench import Bench


def _relations(bench: Bench, contact: str) -> dict[str, bool]:
    sql = 'SELECT * FROM "AccountContactRelation" WHERE "ContactId" = ? AND NOT "IsDeleted"'
    return {row["AccountId"]: row["IsDirect"] for row in bench.org.rows(sql, [contact])}


def _pair(bench: Bench) -> tuple[str, str, str]:
    one, two = bench.insert("Account", Name="One"), bench.insert("Account", Name="Two")
    return one, two, bench.insert("Contact", LastName="Patient", AccountId=one)


def test_the_direct_relation_comes_by_itself_and_follows_the_account(fresh: Bench) -> None:
    one, two, contact = _pair(fresh)
    assert _relations(fresh, contact) == {one: True}
    fresh.dml("update", "Contact", [{"Id": contact, "AccountId": two}])
    assert _relations(fresh, contact) == {two: True}
    fresh.dml("update", "Contact", [{"Id": contact, "AccountId": "\x00null"}])
    assert _relations(fresh, contact) == {}
    assert _relations(fresh, fresh.insert("Contact", LastName="Private")) == {}


def test_an_indirect_relation_is_promoted_when_the_contact_moves_to_it(fresh: Bench) -> None:
    one, two, contact = _pair(fresh)
    fresh.insert("AccountContactRelation", AccountId=two, ContactId=contact, Roles="Influencer;Business User")
    assert _relations(fresh, contact) == {one: True, two: False}
    assert fresh.error("insert", "AccountContactRelation", AccountId=two, ContactId=contact)[0] == "DUPLICATE_VALUE"
    assert fresh.error("insert", "AccountContactRelation", AccountId=one, ContactId=contact)[0] == "DUPLICATE_VALUE"
    fresh.org.settings.keep_previous_account_relation = True
    fresh.dml("update", "Contact", [{"Id": contact, "AccountId": two}])
    assert _relations(fresh, contact) == {one: False, two: True}
    assert len(fresh.org.rows('SELECT * FROM "AccountContactRelation"')) == 2
    fresh.org.settings.keep_previous_account_relation = False
    fresh.dml("update", "Contact", [{"Id": contact, "AccountId": one}])
    assert _relations(fresh, contact) == {one: True}
    assert len(fresh.org.rows('SELECT * FROM "AccountContactRelation"')) == 1


def test_direct_relations_cannot_be_deleted_and_private_contacts_cannot_have_one(fresh: Bench) -> None:
    one, _, contact = _pair(fresh)
    relation = fresh.org.rows('SELECT "Id" FROM "AccountContactRelation"')[0]["Id"]
    assert fresh.error("delete", "AccountContactRelation", Id=relation)[0] == "FIELD_INTEGRITY_EXCEPTION"
    private = fresh.insert("Contact", LastName="Private")
    refused = fresh.error("insert", "AccountContactRelation", AccountId=one, ContactId=private)
    assert refused[0] == "FIELD_INTEGRITY_EXCEPTION"
    fresh.dml("delete", "Contact", [{"Id": contact}])
    assert _relations(fresh, contact) == {}
    fresh.dml("undelete", "Contact", [{"Id": contact}])
    assert _relations(fresh, contact) == {one: True}


def test_a_merge_leaves_one_relation_per_account(fresh: Bench) -> None:
    one, two, contact = _pair(fresh)
    same, other = (fresh.insert("Contact", LastName="Twin", AccountId=account) for account in (one, two))
    fresh.org.merge("Contact", contact, [same, other], fresh.actor)
    assert _relations(fresh, contact) == {one: True, two: False}
    assert fresh.org.rows('SELECT count(*) AS n FROM "AccountContactRelation"')[0]["n"] == 2


def test_nothing_happens_while_the_feature_is_off(fresh: Bench) -> None:
    fresh.org.settings.contacts_to_multiple_accounts = False
    *_, contact = _pair(fresh)
    assert _relations(fresh, contact) == {}
