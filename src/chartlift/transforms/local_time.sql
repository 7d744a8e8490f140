-- Wall time of a practice. `install` makes, from the rules of each zone, `local_minutes(wall, zone)` (minutes ahead of UTC:
-- those of the earlier moment in a doubled hour, those before the change in a missing one; NULL outside the given years),
-- `zone_covers(wall, zone)` (whether that is so), `local_fault(wall, zone)` and `zone_known(zone)`.
CREATE OR REPLACE MACRO wall_plain(x) AS
  regexp_full_match(x, '(19[5-9][0-9]|20[0-9]{2})-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]')
  AND x < last_day() || 'U';
CREATE OR REPLACE MACRO wall_cell(written, fraction, c, zone) AS
  CASE WHEN written.wall IS NULL THEN refused('R-DT')
       WHEN written.zone <> '' THEN instant_cell(c)
       WHEN NOT zone_known(zone) THEN refused('R-DT-ZONE')
       WHEN NOT in_range(written.wall) THEN refused('R-DT-RANGE')
       WHEN NOT zone_covers(written.wall, zone) THEN refused('R-DT-RANGE')
       ELSE struct_pack(v := utc_text(written.wall, local_minutes(written.wall, zone)),
                        note := coalesce(local_fault(written.wall, zone), CASE WHEN fraction THEN 'R-DT-FRACTION' END),
                        bad := FALSE) END;
CREATE OR REPLACE MACRO local_slow(c, zone) AS
  CASE WHEN c IS NULL THEN empty_cell()
       ELSE list_transform([struct_pack(wall := wall_text(c), zone := written_zone(c))],
                           lambda local: wall_cell(local, has_fraction(c), c, zone))[1] END;
CREATE OR REPLACE MACRO tf_local_time(x, zone) AS
  CASE WHEN x IS NULL THEN empty_cell()
       WHEN wall_plain(x) AND zone_covers(x, zone)
         THEN struct_pack(v := utc_text(x, local_minutes(x, zone)), note := local_fault(x, zone), bad := FALSE)
       ELSE list_transform([clean(x)], lambda local_c: local_slow(local_c, zone))[1] END;
