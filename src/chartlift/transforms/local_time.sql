-- Wall time of a practice. `install` makes, from the rules of each zone, `local_minutes(wall, zone)` (minutes ahead of UTC:
-- those of the earlier moment in a doubled hour, those before the change in a missing one; NULL outside the given years),
-- `zone_covers(wall, zone)` (whether that is so), `local_fault(wall, zone)` and `zone_known(zone)`.
CREATE OR REPLACE MACRO wall_plain(x) AS
  regexp_full_match(x, '(19[5-9][0-9]|20[0-9]{2})-((0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])|(0[13-9]|1[0-2])-(29|30)|(0[13578]|1[02])-31)T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]')
  AND x < last_day() || 'U';
CREATE OR REPLACE MACRO wall_cell(w) AS
  CASE WHEN w.wall IS NULL THEN refused('R-DT')
       WHEN w.zone <> '' THEN list_transform(zoned_moments([w]), lambda own_zone: zoned_cell(own_zone))[1]
       WHEN NOT in_range(w.wall) OR NOT zone_covers(w.wall, w.place) THEN refused('R-DT-RANGE')
       ELSE struct_pack(v := utc_text(w.wall, local_minutes(w.wall, w.place)),
                        note := coalesce(local_fault(w.wall, w.place), CASE WHEN NOT w.known THEN 'R-DT-ZONE' END, fraction_note(w.fraction)),
                        bad := FALSE) END;
-- A practice that is not known has no zone: London's clocks (the source's default), with a finding.
CREATE OR REPLACE MACRO local_slow(x, zone) AS
  list_transform(
    list_transform(moment_walls(x), lambda wall_there: struct_pack(
      wall := wall_there.wall, zone := wall_there.zone, fraction := wall_there.fraction,
      known := zone_known(zone), place := CASE WHEN zone_known(zone) THEN zone ELSE 'Europe/London' END)),
    lambda local: wall_cell(local))[1];
CREATE OR REPLACE MACRO tq_local_time(x, zone) AS
  CASE WHEN x IS NULL THEN empty_cell()
       WHEN wall_plain(x) AND zone_covers(x, zone)
         THEN struct_pack(v := utc_text(x, local_minutes(x, zone)), note := local_fault(x, zone), bad := FALSE) END;
CREATE OR REPLACE MACRO tf_local_time(x, zone) AS
  coalesce(tq_local_time(x, zone), CASE WHEN is_blank(x) THEN empty_cell() ELSE local_slow(x, zone) END);
