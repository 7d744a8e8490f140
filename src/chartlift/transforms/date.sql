CREATE OR REPLACE MACRO date_cell(x, day) AS
  CASE WHEN is_blank(x) THEN empty_cell()
       WHEN day IS NULL THEN refused('R-DT')
       WHEN day NOT BETWEEN '1950-01-01' AND last_day() THEN refused('R-DT-RANGE')
       ELSE cell(day) END;
CREATE OR REPLACE MACRO tf_date(x) AS
  CASE WHEN x IS NULL OR (day_plain(x) AND x BETWEEN '1950-01-01' AND last_day()) THEN cell(x)
       ELSE date_cell(x, day_text(x)) END;
