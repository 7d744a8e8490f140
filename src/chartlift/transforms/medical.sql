-- Medical items as lines of text, shared by allergy_lines and condition_lines. Twin: medical.py.
CREATE OR REPLACE MACRO dash() AS ' — ';
CREATE OR REPLACE MACRO is_items(j) AS CASE WHEN json_valid(j) THEN json_type(j) = 'ARRAY' ELSE FALSE END;
CREATE OR REPLACE MACRO all_objects(j) AS
  len(list_filter(from_json(j, '["JSON"]'), lambda any_item: coalesce(json_type(any_item), 'NULL') <> 'OBJECT')) = 0;
CREATE OR REPLACE MACRO no_items(j) AS j IS NULL OR j = '[]' OR j = 'null' OR is_blank(j);
-- The day of a moment where the practice is; a bare date is that date; NULL if there is none or it cannot be read.
CREATE OR REPLACE MACRO day_there(moment, zone) AS
  left(strftime(CAST(left(moment, 19) AS TIMESTAMP) + to_minutes(CAST(coalesce(utc_minutes(left(moment, 19), zone), 0) AS BIGINT)), '%Y-%m-%dT%H:%M:%S'), 10);
CREATE OR REPLACE MACRO recorded_day(x, zone) AS
  CASE WHEN x IS NULL THEN NULL
       WHEN instant_plain(x) THEN day_there(x, zone)
       WHEN is_blank(x) THEN NULL
       ELSE list_transform([clean(x)], lambda recorded:
         CASE WHEN regexp_full_match(recorded, '[0-9]{4}-[0-9]{2}-[0-9]{2}') THEN CASE WHEN in_range(recorded) THEN real_day(recorded) END
              ELSE list_transform([struct_extract(instant_slow(recorded), 'v')], lambda recorded_at: day_there(recorded_at, zone))[1] END)[1] END;
CREATE OR REPLACE MACRO item_number(x) AS coalesce(TRY_CAST(x AS BIGINT), 9223372036854775807);
-- A year, a month or a day sorts; any other words stand last.
CREATE OR REPLACE MACRO since_order(c) AS CASE WHEN regexp_full_match(c, '[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?') THEN c END;
CREATE OR REPLACE MACRO line_entry(active, day, id, line, head) AS
  struct_pack(late := NOT active, undated := day IS NULL, day := coalesce(day, ''), id := item_number(id), line := line, head := head);
CREATE OR REPLACE MACRO part_lines(sorted, late) AS
  list_transform(list_filter(sorted, lambda entry: CASE WHEN late THEN entry.late ELSE NOT entry.late END), lambda kept: kept.line);
CREATE OR REPLACE MACRO section_lines(entries) AS
  list_transform([list_sort(entries)], lambda sorted:
    list_concat(part_lines(sorted, FALSE),
                CASE WHEN len(list_filter(sorted, lambda any_entry: any_entry.late)) > 0
                     THEN list_concat(['Inactive:'], part_lines(sorted, TRUE)) ELSE [] END))[1];
CREATE OR REPLACE MACRO headless(entries) AS len(list_filter(entries, lambda item_entry: item_entry.head IS NULL)) > 0;
CREATE OR REPLACE MACRO any_active(entries) AS len(list_filter(entries, lambda live_entry: NOT live_entry.late)) > 0;
-- By far the most frequent list has one item of plain texts: no escapes, nothing nested, nothing empty or with blanks at its ends.
CREATE OR REPLACE MACRO one_plain_item(j) AS
  regexp_full_match(j, '\[\{[ -Z^-z|~\x{A3}\x{C0}\x{C1}\x{C4}-\x{24F}\x{1E00}-\x{1EFF}\x{2010}-\x{2015}\x{2018}-\x{201D}\x{2026}]*\}\]')
  AND NOT (contains(j, '""') OR contains(j, ' "') OR contains(j, '" ')) AND json_valid(j);
CREATE OR REPLACE MACRO only_text(j, name) AS json_extract_string(j, '$[0].' || name);
CREATE OR REPLACE MACRO only_line(active, line) AS
  CASE WHEN coalesce(truth(active), TRUE) THEN line ELSE E'Inactive:\n' || line END;
