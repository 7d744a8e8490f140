-- A number of at most two decimals below a bound.
CREATE OR REPLACE MACRO figure_cell(exact, bound) AS
  CASE WHEN exact IS NULL OR abs(CAST(exact AS DECIMAL(38, 2))) >= bound THEN refused('R-NUMBER')
       WHEN abs(exact - CAST(exact AS DECIMAL(38, 2))) >= 0.000000001 THEN refused('R-NUMBER-DECIMALS')
       ELSE cell(number_text(CAST(exact AS DECIMAL(38, 2)))) END;
CREATE OR REPLACE MACRO figure_read(c) AS
  struct_pack(blank := c IS NULL, exact := CASE WHEN amount_is_number(c) THEN TRY_CAST(c AS DECIMAL(38, 12)) END);
CREATE OR REPLACE MACRO figure_judged(r, bound) AS CASE WHEN r.blank THEN empty_cell() ELSE figure_cell(r.exact, bound) END;
CREATE OR REPLACE MACRO figure_of(c, bound) AS
  list_transform(list_transform([c], lambda figure_c: figure_read(figure_c)), lambda figure_exact: figure_judged(figure_exact, bound))[1];
-- A cell for each quantity of a list.
CREATE OR REPLACE MACRO quantity_cells(texts) AS
  list_transform(list_transform(list_transform(texts, lambda any_count: clean(any_count)), lambda count_c: figure_read(count_c)),
                 lambda count_exact: figure_judged(count_exact, 1000000));
CREATE OR REPLACE MACRO tf_quantity(x) AS
  CASE WHEN x IS NULL OR regexp_full_match(x, '0|[1-9][0-9]{0,5}') THEN cell(x)
       WHEN regexp_full_match(x, '(0|[1-9][0-9]{0,3})\.[0-9]{1,2}') THEN cell(rtrim(rtrim(x, '0'), '.'))
       ELSE figure_of(clean(x), 1000000) END;
