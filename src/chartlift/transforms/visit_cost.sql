-- Sums over the rows of a list. Plain amounts, below a million, can be added as they stand; what is NULL or empty counts as no amount.
CREATE OR REPLACE MACRO amounts_plain(texts) AS regexp_full_match(array_to_string(texts, ' '), '(?:[0-9]{1,6}(?:\.[0-9]{1,2})?(?: |$))*');
CREATE OR REPLACE MACRO is_completed(status) AS
  CASE WHEN status = 'COMPLETED' THEN TRUE
       WHEN status IS NULL OR status IN ('PLANNED', 'IN_PROGRESS', 'CANCELLED', 'REFERRED') THEN FALSE
       ELSE coalesce(fold(status) = 'completed', FALSE) END;
CREATE OR REPLACE MACRO visit_sum(owner, patients, statuses, costs, discounts) AS
  list_sum(list_transform(costs, lambda cost, place:
    CASE WHEN patients[place] = owner AND is_completed(statuses[place]) THEN
      TRY_CAST(cost AS DECIMAL(8, 2)) - coalesce(TRY_CAST(discounts[place] AS DECIMAL(8, 2)), 0) END));
CREATE OR REPLACE MACRO visit_rows(owner, patients, statuses, costs, discounts) AS
  list_transform(list_filter(range(1, len(costs) + 1), lambda row_number: coalesce(patients[row_number] = owner AND is_completed(statuses[row_number]), FALSE)),
                 lambda done_row: struct_pack(price := tf_money(costs[done_row]), off := tf_money(discounts[done_row])));
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
CREATE OR REPLACE MACRO visit_of(owner, patients, statuses, costs, discounts) AS
  CASE WHEN costs IS NULL THEN empty_cell()
       WHEN amounts_plain(costs) AND (discounts IS NULL OR amounts_plain(discounts)) THEN
         list_transform([visit_sum(owner, patients, statuses, costs, discounts)],
                        lambda visit_amount: cell(number_text(visit_amount)))[1]
       ELSE list_transform([visit_rows(owner, patients, statuses, costs, discounts)],
                           lambda visit_row: visit_cell(visit_bad(visit_row), visit_total(visit_row)))[1] END;
CREATE OR REPLACE MACRO tf_visit_cost(x, owner, patients, statuses, costs, discounts) AS
  CASE WHEN NOT is_blank(x) THEN tf_money(x) ELSE visit_of(owner, patients, statuses, costs, discounts) END;
