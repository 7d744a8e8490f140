CREATE OR REPLACE MACRO due_left(d) AS CAST(d.total.v AS DECIMAL(18, 2)) - coalesce(CAST(d.paid.v AS DECIMAL(18, 2)), 0);
CREATE OR REPLACE MACRO due_cell(d) AS
  CASE WHEN d.due.bad THEN d.due
       WHEN d.due.v IS NOT NULL THEN
         CASE WHEN d.total.v IS NULL OR d.paid.bad OR d.status IN ('void', 'writtenoff', 'refunded') THEN d.due
              WHEN abs(CAST(d.due.v AS DECIMAL(18, 2)) - due_left(d)) <= 0.01 THEN d.due
              ELSE noted(d.due.v, 'R-BAL') END
       WHEN d.total.v IS NULL THEN d.total
       WHEN d.paid.bad THEN d.paid
       WHEN abs(due_left(d)) >= 100000000000000 THEN refused('R-MONEY-RANGE')
       ELSE cell(number_text(due_left(d))) END;
CREATE OR REPLACE MACRO due_plain(x, total, paid) AS
  amount_plain(x) AND amount_plain(total) AND amount_plain(paid)
  AND CAST(x AS DECIMAL(18, 2)) = CAST(total AS DECIMAL(18, 2)) - CAST(paid AS DECIMAL(18, 2));
CREATE OR REPLACE MACRO tq_amount_due(x, total, paid, status) AS CASE WHEN due_plain(x, total, paid) THEN cell(amount_text(x)) END;
CREATE OR REPLACE MACRO tf_amount_due(x, total, paid, status) AS
  coalesce(tq_amount_due(x, total, paid, status),
           list_transform([struct_pack(due := tf_money(x), total := tf_money(total), paid := tf_money(paid), status := fold(status))],
                           lambda due: due_cell(due))[1]);
