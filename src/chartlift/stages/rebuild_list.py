"""`rebuild_list` in staging: one row per payment link, payment plan and care plan, with what a person has to look at.

Columns beside those of the file: seq, collecting (bool). `problems` is a list of codes:
cancelled_only · unsigned · sum (instalments do not make the total) · dates (unreadable, before the start, not in their order,
or not as many as months) · term_over (active, though its months are over) · twice (two active care plans of one patient)
· patient_gone (deleted, merged away or unknown) · deleted (the row itself is deleted at the clinic).
"""

from __future__ import annotations

from datetime import date
from typing import Any

from chartlift.stages.sqltext import ident, literal

COLUMNS = (
    *("kind", "id", "practice", "patient", "patient_key", "patient_state", "provider", "customer", "stripe_customer"),
    *("mandate", "reference", "scheme", "status", "cancelled_only", "name", "amount", "currency", "outstanding"),
    *("next_due", "starts", "ends", "months", "problems", "created"),
)
_ENTITIES = {
    "practice": ("name",),
    "patient": ("practiceId", "practiceName", "status", "isDeleted"),
    "paymentLink": (
        *("providerLinkId", "patientId", "provider", "customerId", "mandateId", "mandateReference", "scheme"),
        *("mandateStatus", "cancelledInAeronaOnly", "stripeCustomerId", "createdAt"),
    ),
    "paymentPlan": (
        *("paymentPlanId", "patientId", "name", "provider", "mandateId", "totalAmount", "currency", "depositAmount"),
        *("startDate", "months", "status", "signedOffBy", "signedOffAt", "instalments"),
    ),
    "carePlanMembership": (
        *("membershipId", "patientId", "planName", "billing", "monthlyAmount", "currency", "months", "startDate"),
        *("endDate", "status", "mandateId"),
    ),
}
_OVER = "('PAID', 'PAID_OUT', 'WAIVED', 'CANCELLED')"  # states of an instalment that is no longer to come
_INSTALMENT = '[{"sequence": "VARCHAR", "dueDate": "VARCHAR", "amount": "VARCHAR", "status": "VARCHAR"}]'


def make_list(sql: Any, tenant: str, today: date) -> None:
    """Make the table from what has been extracted; an entity the source does not deliver is empty."""
    for entity, columns in _ENTITIES.items():
        _as_read(sql, entity, columns)
    parts = " UNION ALL BY NAME ".join((_LINKS, _plans(), _care_plans(today)))
    sql.execute(f"""
        CREATE OR REPLACE TABLE rebuild_list AS
        SELECT row_number() OVER (ORDER BY practice, kind, TRY_CAST(id AS BIGINT), id) AS seq, *
        FROM (SELECT r.* EXCLUDE (given, mine, gone), {_PRACTICE} AS practice,
                     coalesce(g.survivor, r.given, '') AS patient,
                     {literal(tenant + "-PAT-")} || coalesce(g.survivor, r.given) AS patient_key,
                     {_PATIENT_STATE} AS patient_state,
                     list_filter(r.mine || [CASE WHEN {_PATIENT_STATE} IN ('deleted', 'merged', 'unknown') THEN 'patient_gone' END,
                                            CASE WHEN r.gone THEN 'deleted' END], lambda code: code IS NOT NULL) AS problems
              FROM ({parts}) AS r
              LEFT JOIN src_merged AS g ON g.entity = 'patient' AND g.id = r.given
              LEFT JOIN read_patient AS p ON p._id = coalesce(g.survivor, r.given)
              LEFT JOIN read_practice AS a ON a._id = p."practiceId")
    """)
    for entity in _ENTITIES:
        sql.execute(f"DROP VIEW {ident('read_' + entity)}")


_PRACTICE = (
    """coalesce(nullif(a."name", ''), nullif(p."practiceName", ''), 'practice ' || p."practiceId", 'no practice')"""
)
_PATIENT_STATE = """CASE WHEN p._id IS NULL THEN 'unknown' WHEN g.problem IS NOT NULL THEN 'merged'
    WHEN p.gone OR p."isDeleted" = 'true' THEN 'deleted' ELSE lower(coalesce(p."status", '')) END"""


def _as_read(sql: Any, entity: str, columns: tuple[str, ...]) -> None:
    """`read_ENTITY`: the columns as text, blanks as nothing, and whether the row is deleted at the clinic."""
    there = {row[0] for row in sql.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    table = "src_" + entity
    if table not in there:
        none = ", ".join(f"NULL::VARCHAR AS {ident(name)}" for name in columns)
        sql.execute(
            f"CREATE OR REPLACE TEMP VIEW {ident('read_' + entity)} AS"
            f" SELECT {none}, NULL::VARCHAR AS _id, false AS gone WHERE false"
        )
        return
    known = {row[0] for row in sql.execute(f"SELECT column_name FROM (DESCRIBE {ident(table)})").fetchall()}
    cells = ", ".join(
        f"nullif(trim(s.{ident(name)}), '') AS {ident(name)}" if name in known else f"NULL::VARCHAR AS {ident(name)}"
        for name in columns
    )
    sql.execute(f"""
        CREATE OR REPLACE TEMP VIEW {ident("read_" + entity)} AS
        SELECT {cells}, s._id, t.id IS NOT NULL AS gone FROM {ident(table)} AS s
        LEFT JOIN src_deleted AS t ON t.entity = {literal(entity)} AND t.id = s._id
    """)


_LINKS = """
    SELECT 'link' AS kind, "providerLinkId" AS id, "patientId" AS given, coalesce(upper("provider"), '') AS provider,
           "customerId" AS customer, "stripeCustomerId" AS stripe_customer, "mandateId" AS mandate,
           "mandateReference" AS reference, "scheme" AS scheme, "mandateStatus" AS status,
           lower("cancelledInAeronaOnly") = 'true' AS cancelled_only,
           upper("mandateStatus") = 'ACTIVE' OR lower("cancelledInAeronaOnly") = 'true' AS collecting,
           "createdAt" AS created, gone,
           [CASE WHEN lower("cancelledInAeronaOnly") = 'true' THEN 'cancelled_only' END] AS mine
    FROM "read_paymentLink"
"""


def _money(column: str) -> str:
    """An amount with room for decimals that should not be there, so that they are seen."""
    return f"TRY_CAST({column} AS DECIMAL(18, 6))"


def _plans() -> str:
    """Payment plans: every one is held; sum and dates say whether a signature would do."""
    return f"""
    SELECT 'plan' AS kind, q."paymentPlanId" AS id, q."patientId" AS given, coalesce(upper(q."provider"), '') AS provider,
           q."mandateId" AS mandate, q."status" AS status, q."name" AS name, q."totalAmount" AS amount,
           q."currency" AS currency, i.outstanding::VARCHAR AS outstanding, i.next_due::VARCHAR AS next_due,
           q."startDate" AS starts, q."months" AS months, q.gone, false AS collecting,
           [CASE WHEN q."signedOffBy" IS NULL OR q."signedOffAt" IS NULL THEN 'unsigned' END,
            CASE WHEN abs(i.together - {_money('q."totalAmount"')}) <= 0.01
                   OR abs(i.together + coalesce({_money('q."depositAmount"')}, 0) - {_money('q."totalAmount"')}) <= 0.01
                 THEN NULL ELSE 'sum' END,
            CASE WHEN i.number = TRY_CAST(q."months" AS BIGINT) AND i.readable AND i.ordered
                  AND i.first_due >= TRY_CAST(q."startDate" AS DATE) THEN NULL ELSE 'dates' END] AS mine
    FROM "read_paymentPlan" AS q LEFT JOIN (
        SELECT id, count(*) AS number,
               CASE WHEN bool_and(amount IS NOT NULL) THEN sum(amount) END AS together, bool_and(due IS NOT NULL) AS readable,
               bool_and(before IS NULL OR due >= before) AS ordered, min(due) AS first_due,
               min(due) FILTER (coming) AS next_due,
               CAST(sum(amount) FILTER (coming) AS DECIMAL(18, 2)) AS outstanding
        FROM (SELECT id, TRY_CAST(one."dueDate" AS DATE) AS due, {_money('one."amount"')} AS amount,
                     coalesce(upper(one."status"), '') NOT IN {_OVER} AS coming,
                     lag(TRY_CAST(one."dueDate" AS DATE)) OVER by_sequence AS before
              FROM (SELECT "paymentPlanId" AS id,
                           unnest(CASE WHEN json_valid("instalments") AND json_type("instalments") = 'ARRAY'
                                       THEN from_json("instalments", {literal(_INSTALMENT)}) END) AS one
                    FROM "read_paymentPlan")
              WINDOW by_sequence AS (PARTITION BY id ORDER BY TRY_CAST(one."sequence" AS BIGINT)))
        GROUP BY id) AS i ON i.id = q."paymentPlanId"
    """


def _care_plans(today: date) -> str:
    """Care plans that are active or have a mandate. The next payment is the next monthly day of the start, within the term."""
    day = f"DATE {literal(today.isoformat())}"
    return f"""
    SELECT 'care plan' AS kind, id, given, provider, mandate, status, name, amount, currency, starts, ends, months, gone,
           false AS collecting, CASE WHEN active AND NOT over THEN due::VARCHAR END AS next_due,
           [CASE WHEN active AND over THEN 'term_over' END,
            CASE WHEN active AND count(*) FILTER (active) OVER (PARTITION BY given) > 1 THEN 'twice' END] AS mine
    FROM (SELECT *, (TRY_CAST(ends AS DATE) < due OR due >= began + to_months(TRY_CAST(months AS INTEGER))) IS TRUE AS over
          FROM (SELECT *, CAST(CASE WHEN began >= {day} THEN began
                                    WHEN began + to_months(passed) >= {day} THEN began + to_months(passed)
                                    ELSE began + to_months(passed + 1) END AS DATE) AS due
                FROM (SELECT "membershipId" AS id, "patientId" AS given,
                             CASE WHEN upper("billing") LIKE '%GC%' OR upper("billing") LIKE '%GOCARDLESS%' THEN 'GOCARDLESS'
                                  WHEN upper("billing") LIKE '%STRIPE%' THEN 'STRIPE'
                                  ELSE coalesce(upper("billing"), '') END AS provider,
                             "mandateId" AS mandate, "status" AS status, "planName" AS name, "monthlyAmount" AS amount,
                             "currency" AS currency, "startDate" AS starts, "endDate" AS ends, "months" AS months, gone,
                             coalesce(upper("status") = 'ACTIVE', false) AS active,
                             TRY_CAST("startDate" AS DATE) AS began,
                             datediff('month', TRY_CAST("startDate" AS DATE), {day})::INTEGER AS passed
                      FROM "read_carePlanMembership"))
          WHERE active OR mandate IS NOT NULL)
    """
