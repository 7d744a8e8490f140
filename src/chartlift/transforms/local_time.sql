-- Wall time of a practice. `local_minutes(wall, zone)` and `local_fault(wall, zone)` are made by `install` from the rules of
-- each zone: minutes ahead of UTC (the earlier moment in a doubled hour, the time before the change in a missing one), NULL
-- for an unknown zone.
CREATE OR REPLACE MACRO local_cell(wall, fraction, zone, minutes, fault) AS
  CASE WHEN minutes IS NULL THEN CASE WHEN zone_known(zone) THEN refused('R-DT-RANGE') ELSE refused('R-DT-ZONE') END
       ELSE moment_cell(utc_text(wall, minutes), coalesce(fault, CASE WHEN fraction THEN 'R-DT-FRACTION' END)) END;
CREATE OR REPLACE MACRO wall_plain(x) AS
  regexp_full_match(x, '(19[5-9][0-9]|20[0-9]{2})-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]');
CREATE OR REPLACE MACRO written_cell(c, zone) AS
  CASE WHEN c IS NULL THEN empty_cell()
       WHEN wall_text(c) IS NULL THEN refused('R-DT')
       WHEN written_zone(c) <> '' THEN instant_cell(c)
       ELSE local_cell(wall_text(c), has_fraction(c), zone, local_minutes(wall_text(c), zone), local_fault(wall_text(c), zone)) END;
CREATE OR REPLACE MACRO tf_local_time(x, zone) AS
  CASE WHEN x IS NULL THEN empty_cell()
       WHEN wall_plain(x) THEN local_cell(x, FALSE, zone, local_minutes(x, zone), local_fault(x, zone))
       ELSE written_cell(clean(x), zone) END;
