CREATE OR REPLACE MACRO instant_plain(x) AS
  regexp_full_match(x, '(19[5-9][0-9]|20[0-9]{2})-((0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])|(0[13-9]|1[0-2])-(29|30)|(0[13578]|1[02])-31)T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z')
  AND x < last_day() || 'U';
CREATE OR REPLACE MACRO zoned_cell(z) AS
  CASE WHEN z.wall IS NULL THEN refused('R-DT')
       WHEN z.moment IS NULL THEN refused('R-DT-ZONE')
       WHEN in_range(z.moment) THEN struct_pack(v := z.moment, note := fraction_note(z.fraction), bad := FALSE)
       ELSE refused('R-DT-RANGE') END;
CREATE OR REPLACE MACRO zoned_moments(walls) AS
  list_transform(walls, lambda written: struct_pack(
    wall := written.wall, fraction := written.fraction,
    moment := CASE WHEN written.zone <> '' THEN utc_text(written.wall, zone_minutes(written.zone)) END));
CREATE OR REPLACE MACRO instant_slow(x) AS list_transform(zoned_moments(moment_walls(x)), lambda zoned: zoned_cell(zoned))[1];
CREATE OR REPLACE MACRO instant_v(x) AS
  CASE WHEN instant_plain(x) THEN x ELSE struct_extract(instant_slow(x), 'v') END;
CREATE OR REPLACE MACRO tq_instant(x) AS
  CASE WHEN x IS NULL THEN empty_cell() WHEN instant_plain(x) THEN cell(left(x, 19) || '.000Z') END;
CREATE OR REPLACE MACRO tf_instant(x) AS
  coalesce(tq_instant(x), CASE WHEN is_blank(x) THEN empty_cell() ELSE instant_slow(x) END);
