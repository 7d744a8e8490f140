CREATE OR REPLACE MACRO instant_plain(x) AS
  regexp_full_match(x, '(19[5-9][0-9]|20[0-9]{2})-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z')
  AND x < last_day() || 'U';
CREATE OR REPLACE MACRO moment_cell(moment, note) AS
  CASE WHEN in_range(moment) THEN struct_pack(v := moment, note := note::VARCHAR, bad := FALSE) ELSE refused('R-DT-RANGE') END;
CREATE OR REPLACE MACRO zoned_cell(written, fraction) AS
  CASE WHEN written.wall IS NULL THEN refused('R-DT')
       WHEN written.zone = '' THEN refused('R-DT-ZONE')
       ELSE list_transform([utc_text(written.wall, zone_minutes(written.zone))],
                           lambda moment: moment_cell(moment, CASE WHEN fraction THEN 'R-DT-FRACTION' END))[1] END;
CREATE OR REPLACE MACRO instant_cell(c) AS
  CASE WHEN c IS NULL THEN empty_cell()
       ELSE list_transform([struct_pack(wall := wall_text(c), zone := written_zone(c))],
                           lambda zoned: zoned_cell(zoned, has_fraction(c)))[1] END;
CREATE OR REPLACE MACRO instant_slow(x) AS list_transform([clean(x)], lambda instant_c: instant_cell(instant_c))[1];
CREATE OR REPLACE MACRO instant_v(x) AS
  CASE WHEN instant_plain(x) THEN x ELSE struct_extract(instant_slow(x), 'v') END;
CREATE OR REPLACE MACRO tf_instant(x) AS
  CASE WHEN x IS NULL THEN empty_cell()
       WHEN instant_plain(x) THEN cell(left(x, 19) || '.000Z')
       ELSE instant_slow(x) END;
