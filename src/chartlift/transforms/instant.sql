CREATE OR REPLACE MACRO instant_plain(x) AS
  regexp_full_match(x, '(19[5-9][0-9]|20[0-9]{2})-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z');
CREATE OR REPLACE MACRO moment_cell(moment, note) AS
  CASE WHEN left(moment, 10) NOT BETWEEN '1950-01-01' AND last_day() THEN refused('R-DT-RANGE')
       ELSE struct_pack(v := moment, note := note::VARCHAR, bad := FALSE) END;
CREATE OR REPLACE MACRO instant_cell(c) AS
  CASE WHEN c IS NULL THEN empty_cell()
       WHEN wall_text(c) IS NULL THEN refused('R-DT')
       WHEN written_zone(c) = '' THEN refused('R-DT-ZONE')
       ELSE moment_cell(utc_text(wall_text(c), zone_minutes(written_zone(c))),
                        CASE WHEN has_fraction(c) THEN 'R-DT-FRACTION' END) END;
CREATE OR REPLACE MACRO instant_v(x) AS
  CASE WHEN instant_plain(x) AND left(x, 10) <= last_day() THEN x ELSE struct_extract(instant_cell(clean(x)), 'v') END;
CREATE OR REPLACE MACRO tf_instant(x) AS
  CASE WHEN x IS NULL THEN empty_cell()
       WHEN instant_plain(x) AND left(x, 10) <= last_day() THEN cell(left(x, 19) || '.000Z')
       ELSE instant_cell(clean(x)) END;
