-- Days and moments as text, shared by date, birth_date, instant, local_time and the medical lines. Twin: days.py.
-- `today_utc()` and `last_day()` come from `install`.

-- yyyy-mm-dd that no calendar can refuse (29 February takes the slow way).
CREATE OR REPLACE MACRO day_plain(x) AS
  regexp_full_match(x, '(19[0-9]{2}|20[0-9]{2})-((0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])|(0[13-9]|1[0-2])-(29|30)|(0[13578]|1[02])-31)');
CREATE OR REPLACE MACRO real_day(x) AS
  CASE WHEN starts_with(x, '0000') THEN NULL ELSE CAST(TRY_CAST(x AS DATE) AS VARCHAR) END;
CREATE OR REPLACE MACRO day_of_parts(p) AS p.year || '-' || lpad(p.month, 2, '0') || '-' || lpad(p.day, 2, '0');
CREATE OR REPLACE MACRO day_text_cleaned(c) AS
  CASE WHEN regexp_full_match(c, '[0-9]{4}-[0-9]{2}-[0-9]{2}([T ]00:00(:00(\.0+)?)?Z?)?') THEN real_day(left(c, 10))
       WHEN regexp_full_match(c, '[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}') THEN
         list_transform([regexp_extract(c, '([0-9]+)/([0-9]+)/([0-9]+)', ['day', 'month', 'year'])],
                        lambda written_day: real_day(day_of_parts(written_day)))[1] END;
-- The day as yyyy-mm-dd; NULL if it cannot be read.
CREATE OR REPLACE MACRO day_text(x) AS CASE WHEN day_plain(x) THEN x ELSE list_transform([clean(x)], lambda day_c: day_text_cleaned(day_c))[1] END;

-- A moment taken apart, in a list of one: the day (not yet checked), the time with seconds, the zone written behind it or '',
-- and whether parts of a second are left out. Day NULL: it is no moment.
CREATE OR REPLACE MACRO moment_parts(c) AS regexp_extract(c,
  '^(?:([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]|([0-9]{1,2})/([0-9]{1,2})/([0-9]{4}) )((?:[01][0-9]|2[0-3]):[0-5][0-9])(?:(:[0-5][0-9])(\.[0-9]{1,9})?)?(Z|[+-](?:0[0-9]|1[0-4]):?[0-5][0-9])?$',
  ['iso', 'day', 'month', 'year', 'time', 'second', 'fraction', 'zone']);
CREATE OR REPLACE MACRO moment_read(x) AS
  list_transform([moment_parts(clean(x))], lambda part: struct_pack(
    day := CASE WHEN part.iso <> '' THEN part.iso WHEN part.year <> '' THEN day_of_parts(part) END,
    clock := CASE WHEN part.second = '' THEN part.time || ':00' ELSE part.time || part.second END,
    zone := part.zone, fraction := rtrim(part.fraction, '.0') <> ''));
-- The same with the wall time as yyyy-mm-ddThh:mm:ss; NULL if it cannot be read.
CREATE OR REPLACE MACRO moment_walls(x) AS
  list_transform(moment_read(x), lambda read: struct_pack(
    wall := real_day(read.day) || 'T' || read.clock, zone := read.zone, fraction := read.fraction));
CREATE OR REPLACE MACRO fraction_note(fraction) AS CASE WHEN fraction THEN 'R-DT-FRACTION' END;
-- Wall time less so many minutes, as the org writes a moment.
CREATE OR REPLACE MACRO utc_text(wall, minutes) AS
  strftime(CAST(wall AS TIMESTAMP) - to_minutes(CAST(minutes AS BIGINT)), '%Y-%m-%dT%H:%M:%S') || '.000Z';
CREATE OR REPLACE MACRO in_range(text) AS text >= '1950-01-01' AND text < last_day() || 'U';
