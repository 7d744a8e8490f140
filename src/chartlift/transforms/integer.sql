CREATE OR REPLACE MACRO integer_plain(x) AS regexp_full_match(x, '0|[1-9][0-9]{0,17}');
CREATE OR REPLACE MACRO integer_text(c) AS
  CASE WHEN regexp_full_match(c, '[+-]?0*[0-9]{1,18}(\.0*)?') THEN
    number_text(TRY_CAST(regexp_replace(c, '\.0*$', '') AS DECIMAL(38, 0))) END;
CREATE OR REPLACE MACRO tf_integer(x) AS
  CASE WHEN x IS NULL OR integer_plain(x) THEN cell(x)
       WHEN is_blank(x) THEN empty_cell()
       WHEN integer_text(clean(x)) IS NULL THEN refused('R-NUMBER')
       ELSE cell(integer_text(clean(x))) END;
