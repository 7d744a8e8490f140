CREATE OR REPLACE MACRO birth_cell(x, day) AS
  CASE WHEN day IS NULL THEN CASE WHEN is_blank(x) THEN empty_cell() ELSE refused('R-DOB') END
       WHEN day = '1900-01-01' OR day = '0001-01-01' THEN refused('R-DOB-SENTINEL')
       WHEN day NOT BETWEEN '1900-01-01' AND today_utc() THEN refused('R-DOB-RANGE')
       WHEN day = '1970-01-01' THEN noted(day, 'R-DOB-EPOCH')
       ELSE cell(day) END;
CREATE OR REPLACE MACRO tf_birth_date(x) AS
  CASE WHEN x IS NULL OR (day_plain(x) AND x BETWEEN '1900-01-02' AND today_utc() AND x <> '1970-01-01') THEN cell(x)
       ELSE list_transform([day_text(x)], lambda birthday: birth_cell(x, birthday))[1] END;
