-- Wall time of a practice. `install` makes, from the rules of each zone, `local_minutes(wall, zone)` (minutes ahead of UTC:
-- those of the earlier moment in a doubled hour, those before the change in a missing one; NULL outside the given years),
-- `local_fault(wall, zone)` and `zone_known(zone)`.
CREATE OR REPLACE MACRO wall_plain(x) AS
  regexp_full_match(x, '(19[5-9][0-9]|20[0-9]{2})-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]')
  AND x < last_day() || 'U';
CREATE OR REPLACE MACRO shifted_cell(moment, note) AS
  CASE WHEN moment IS NULL THEN refused('R-DT-RANGE') ELSE struct_pack(v := moment, note := note::VARCHAR, bad := FALSE) END;
CREATE OR REPLACE MACRO shifted(wall, zone, note) AS
  list_transform([utc_text(wall, local_minutes(wall, zone))], lambda shift: shifted_cell(shift, note))[1];
CREATE OR REPLACE MACRO wall_cell(written, fraction, c, zone) AS
  CASE WHEN written.wall IS NULL THEN refused('R-DT')
       WHEN written.zone <> '' THEN instant_cell(c)
       WHEN NOT zone_known(zone) THEN refused('R-DT-ZONE')
       WHEN NOT in_range(written.wall) THEN refused('R-DT-RANGE')
       ELSE shifted(written.wall, zone, coalesce(local_fault(written.wall, zone), CASE WHEN fraction THEN 'R-DT-FRACTION' END)) END;
CREATE OR REPLACE MACRO local_slow(c, zone) AS
  CASE WHEN c IS NULL THEN empty_cell()
       ELSE list_transform([struct_pack(wall := wall_text(c), zone := written_zone(c))],
                           lambda local: wall_cell(local, has_fraction(c), c, zone))[1] END;
CREATE OR REPLACE MACRO tf_local_time(x, zone) AS
  CASE WHEN x IS NULL THEN empty_cell()
       WHEN wall_plain(x) AND zone_known(zone) THEN shifted(x, zone, local_fault(x, zone))
       ELSE list_transform([clean(x)], lambda local_c: local_slow(local_c, zone))[1] END;
