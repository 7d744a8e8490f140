-- A number of at most two decimals below a bound (of at least 10,000).
CREATE OR REPLACE MACRO figure_cell(exact, bound) AS
  CASE WHEN exact IS NULL OR abs(CAST(exact AS DECIMAL(38, 2))) >= bound THEN refused('R-NUMBER')
       WHEN abs(exact - CAST(exact AS DECIMAL(38, 2))) >= 0.000000001 THEN refused('R-NUMBER-DECIMALS')
       ELSE cell(number_text(CAST(exact AS DECIMAL(38, 2)))) END;
CREATE OR REPLACE MACRO figure_of(c, bound) AS
  CASE WHEN c IS NULL THEN empty_cell()
       WHEN regexp_full_match(c, '(0|[1-9][0-9]{0,3})\.[0-9]{1,2}') THEN cell(rtrim(rtrim(c, '0'), '.'))
       WHEN amount_is_number(c) THEN list_transform([TRY_CAST(c AS DECIMAL(38, 12))], lambda plain_figure: figure_cell(plain_figure, bound))[1]
       ELSE refused('R-NUMBER') END;
CREATE OR REPLACE MACRO tf_quantity(x) AS
  CASE WHEN x IS NULL OR regexp_full_match(x, '0|[1-9][0-9]{0,5}') THEN cell(x)
       WHEN regexp_full_match(x, '[1-9][0-9]{0,3}\.0{1,2}') THEN cell(split_part(x, '.', 1))
       ELSE list_transform([clean(x)], lambda quantity_c: figure_of(quantity_c, 1000000))[1] END;
