CREATE OR REPLACE MACRO minutes_cell(value) AS
  CASE WHEN value IS NULL THEN refused('R-NUMBER')
       WHEN CAST(value AS DECIMAL(18, 0)) NOT BETWEEN 1 AND 1440 THEN refused('R-DURATION')
       ELSE cell(value) END;
CREATE OR REPLACE MACRO tf_minutes(x) AS
  CASE WHEN x IS NULL OR regexp_full_match(x, '[1-9][0-9]{0,2}') THEN cell(x)
       WHEN is_blank(x) THEN empty_cell()
       ELSE list_transform([integer_of(x)], lambda length_of_visit: minutes_cell(length_of_visit))[1] END;
