CREATE OR REPLACE MACRO date_cell(x, day) AS
  CASE WHEN day IS NULL THEN CASE WHEN is_blank(x) THEN empty_cell() ELSE refused('R-DT') END
       WHEN day NOT BETWEEN '1950-01-01' AND last_day() THEN refused('R-DT-RANGE')
       ELSE cell(day) END;
CREATE OR REPLACE MACRO tq_date(x) AS
  CASE WHEN x IS NULL OR (day_plain(x) AND x BETWEEN '1950-01-01' AND last_day()) THEN cell(x) END;
CREATE OR REPLACE MACRO tf_date(x) AS
  coalesce(tq_date(x), list_transform([day_text(x)], lambda any_day: date_cell(x, any_day))[1]);
