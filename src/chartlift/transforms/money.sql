CREATE OR REPLACE MACRO amount_plain(x) AS regexp_full_match(x, '(0|[1-9][0-9]{0,12})\.[0-9]{2}');
-- A plain amount without the zeros at its end.
CREATE OR REPLACE MACRO amount_text(x) AS CASE WHEN ends_with(x, '.00') THEN left(x, -3) WHEN ends_with(x, '0') THEN left(x, -1) ELSE x END;
CREATE OR REPLACE MACRO amount_is_number(c) AS
  regexp_full_match(c, '[+-]?([0-9]{1,24}(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,2})?');
-- "£1,234.50", "-£5", "(45.00)": written for people.
CREATE OR REPLACE MACRO amount_is_written(c) AS
  regexp_full_match(c, '-?[£€]? ?-?([0-9]{1,3}(,[0-9]{3})+|[0-9]{1,15})(\.[0-9]+)?|\([£€]? ?([0-9]{1,3}(,[0-9]{3})+|[0-9]{1,15})(\.[0-9]+)?\)')
  AND strlen(c) - strlen(replace(c, '-', '')) <= 1;
CREATE OR REPLACE MACRO amount_of_written(c) AS
  TRY_CAST(CASE WHEN starts_with(c, '(') OR contains(c, '-') THEN '-' ELSE '' END
           || regexp_replace(c, '[^0-9.]', '', 'g') AS DECIMAL(38, 12));
CREATE OR REPLACE MACRO amount_cell(exact, note) AS
  CASE WHEN exact IS NULL THEN refused('R-MONEY')
       WHEN abs(exact) >= 100000000000000 THEN refused('R-MONEY-RANGE')
       WHEN abs(exact - CAST(exact AS DECIMAL(38, 2))) >= 0.000000001 THEN refused('R-MONEY-DECIMALS')
       ELSE struct_pack(v := number_text(CAST(exact AS DECIMAL(38, 2))), note := note::VARCHAR, bad := FALSE) END;
CREATE OR REPLACE MACRO amount_read(c) AS
  struct_pack(blank := c IS NULL,
              exact := CASE WHEN amount_is_number(c) THEN TRY_CAST(c AS DECIMAL(38, 12)) WHEN amount_is_written(c) THEN amount_of_written(c) END,
              note := CASE WHEN NOT amount_is_number(c) THEN 'R-MONEY-FORMAT' END);
CREATE OR REPLACE MACRO amount_judged(r) AS CASE WHEN r.blank THEN empty_cell() ELSE amount_cell(r.exact, r.note) END;
-- Pounds and pence without the zeros at their end.
CREATE OR REPLACE MACRO pence_number(d) AS rtrim(rtrim(CAST(d AS VARCHAR), '0'), '.');
-- A cell for each amount of a list.
CREATE OR REPLACE MACRO money_cells(texts) AS
  list_transform(list_transform(list_transform(texts, lambda any_amount: clean(any_amount)), lambda amount_c: amount_read(amount_c)),
                 lambda amount_exact: amount_judged(amount_exact));
CREATE OR REPLACE MACRO tq_money(x) AS
  CASE WHEN x IS NULL THEN empty_cell() WHEN amount_plain(x) THEN cell(amount_text(x)) END;
CREATE OR REPLACE MACRO tf_money(x) AS
  coalesce(tq_money(x), list_transform(list_transform([clean(x)], lambda money_c: amount_read(money_c)), lambda money_exact: amount_judged(money_exact))[1]);
