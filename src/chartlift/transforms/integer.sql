CREATE OR REPLACE MACRO integer_plain(x) AS regexp_full_match(x, '0|[1-9][0-9]{0,17}');
CREATE OR REPLACE MACRO integer_text(c) AS
  CASE WHEN regexp_full_match(c, '[+-]?0*[0-9]{1,18}(\.0*)?') THEN
    CAST(TRY_CAST(regexp_replace(c, '\.0*$', '') AS DECIMAL(38, 0)) AS VARCHAR) END;
CREATE OR REPLACE MACRO integer_of(x) AS list_transform([clean(x)], lambda integer_c: integer_text(integer_c))[1];
CREATE OR REPLACE MACRO tf_integer(x) AS
  CASE WHEN x IS NULL OR integer_plain(x) THEN cell(x)
       WHEN is_blank(x) THEN empty_cell()
       ELSE list_transform([integer_of(x)], lambda whole: CASE WHEN whole IS NULL THEN refused('R-NUMBER') ELSE cell(whole) END)[1] END;
