-- Sums over the rows of a list. Plain amounts, below a million, can be added as they stand; what is NULL or empty counts as no amount.
CREATE OR REPLACE MACRO amounts_plain(texts) AS regexp_full_match(coalesce(array_to_string(texts, ' '), ''), '(?:[0-9]{1,6}(?:\.[0-9]{1,2})?(?: |$))*');
CREATE OR REPLACE MACRO is_completed(status) AS
  CASE WHEN status = 'COMPLETED' THEN TRUE
       WHEN status IS NULL OR status IN ('PLANNED', 'IN_PROGRESS', 'CANCELLED', 'REFERRED') THEN FALSE
       ELSE coalesce(fold(status) = 'completed', FALSE) END;
CREATE OR REPLACE MACRO states_plain(statuses) AS
  regexp_full_match(coalesce(array_to_string(statuses, ' '), ''), '(?:(?:COMPLETED|PLANNED|CANCELLED|IN_PROGRESS|REFERRED)(?: |$))*');
CREATE OR REPLACE MACRO visit_sum(owner, patients, statuses, costs, discounts) AS
  list_sum(list_transform(TRY_CAST(costs AS DECIMAL(8, 2)[]), lambda cost, place:
    CASE WHEN patients[place] = owner AND statuses[place] = 'COMPLETED' THEN cost - coalesce(TRY_CAST(discounts[place] AS DECIMAL(8, 2)), 0) END));
-- One after the other: rows, those that count, their amounts.
CREATE OR REPLACE MACRO visit_rows(owner, patients, statuses, costs, discounts) AS
  list_filter(list_transform(list_zip(patients, statuses, money_cells(costs), coalesce(money_cells(discounts), [])),
                             lambda visited: struct_pack(done := coalesce(visited[1] = owner AND is_completed(visited[2]), FALSE), price := visited[3],
                                                         off := coalesce(visited[4], empty_cell()))),
              lambda done_row: done_row.done);
CREATE OR REPLACE MACRO visit_bad(rows) AS
  list_filter(list_transform(rows, lambda judged_row:
    CASE WHEN judged_row.price.v IS NULL THEN judged_row.price.note WHEN judged_row.off.bad THEN judged_row.off.note END),
    lambda row_note: row_note IS NOT NULL)[1];
CREATE OR REPLACE MACRO visit_total(rows) AS
  list_sum(list_transform(rows, lambda net_row: CAST(net_row.price.v AS DECIMAL(18, 2)) - coalesce(CAST(net_row.off.v AS DECIMAL(18, 2)), 0)));
CREATE OR REPLACE MACRO visit_cell(bad, total) AS
  CASE WHEN bad IS NOT NULL THEN refused(bad)
       WHEN total IS NULL THEN empty_cell()
       WHEN abs(total) >= 100000000000000 THEN refused('R-MONEY-RANGE')
       ELSE cell(number_text(total)) END;
CREATE OR REPLACE MACRO visit_plain(statuses, costs, discounts) AS
  states_plain(statuses) AND amounts_plain(costs) AND (discounts IS NULL OR amounts_plain(discounts));
CREATE OR REPLACE MACRO visit_of(owner, patients, statuses, costs, discounts) AS
  list_transform([visit_rows(owner, patients, statuses, costs, discounts)],
                 lambda visit_row: visit_cell(visit_bad(visit_row), visit_total(visit_row)))[1];
CREATE OR REPLACE MACRO tq_visit_cost(x, owner, patients, statuses, costs, discounts) AS
  CASE WHEN NOT is_blank(x) THEN tq_money(x)
       WHEN costs IS NULL THEN empty_cell()
       WHEN visit_plain(statuses, costs, discounts) THEN cell(pence_number(visit_sum(owner, patients, statuses, costs, discounts))) END;
CREATE OR REPLACE MACRO tf_visit_cost(x, owner, patients, statuses, costs, discounts) AS
  coalesce(tq_visit_cost(x, owner, patients, statuses, costs, discounts),
           CASE WHEN NOT is_blank(x) THEN tf_money(x) ELSE visit_of(owner, patients, statuses, costs, discounts) END);
