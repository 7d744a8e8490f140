CREATE OR REPLACE MACRO allergy_items(j) AS
  from_json(j, '[{"medicalItemId":"VARCHAR","substance":"VARCHAR","reaction":"VARCHAR","severity":"VARCHAR","recordedAt":"VARCHAR","active":"VARCHAR"}]');
CREATE OR REPLACE MACRO allergy_entry(a) AS
  line_entry(coalesce(truth(a.active), TRUE), a.day, a.id,
             concat_ws(dash(), a.substance, a.reaction, a.severity, 'recorded ' || a.day), a.substance);
CREATE OR REPLACE MACRO allergy_parts(a, zone) AS
  struct_pack(active := a.active, day := recorded_day(a.recordedAt, zone), id := a.medicalItemId,
              substance := clean(a.substance), reaction := clean(a.reaction), severity := clean(a.severity));
CREATE OR REPLACE MACRO allergy_raw(items) AS
  array_to_string(list_transform(items, lambda raw_item: concat_ws(E'\n', raw_item.substance, raw_item.reaction, raw_item.severity)), E'\n');
CREATE OR REPLACE MACRO allergy_dated(items) AS len(list_filter(items, lambda dated: NOT is_blank(dated.recordedAt)));
CREATE OR REPLACE MACRO allergy_told(h) AS
  struct_pack(entries := list_transform(list_transform(h.items, lambda item: allergy_parts(item, h.zone)), lambda parts: allergy_entry(parts)),
              raw := allergy_raw(h.items), dated := allergy_dated(h.items), none_known := h.none_known);
CREATE OR REPLACE MACRO undated_note(t) AS
  CASE WHEN t.dated > len(list_filter(t.entries, lambda day_entry: NOT day_entry.undated)) THEN 'R-DT' END;
CREATE OR REPLACE MACRO allergy_cell(t) AS
  CASE WHEN has_surrogate(t.raw) THEN refused('R-TEXT-SURROGATE')
       WHEN headless(t.entries) THEN refused('R-REQ')
       WHEN t.none_known AND any_active(t.entries) THEN refused('R-NKA')
       ELSE struct_pack(v := array_to_string(list_concat(CASE WHEN t.none_known THEN ['No known allergies'] ELSE [] END,
                                                         section_lines(t.entries)), E'\n'),
                        note := coalesce(CASE WHEN NOT text_plain(t.raw) THEN text_note(t.raw) END, undated_note(t)),
                        bad := FALSE) END;
CREATE OR REPLACE MACRO none_known_cell(said) AS
  CASE WHEN truth(said) THEN cell('No known allergies') ELSE empty_cell() END;
-- Since 1950 the clocks of both countries have been at most an hour ahead of UTC: before 23:00 the day is that of UTC.
CREATE OR REPLACE MACRO same_day_there(recorded, zone) AS
  CASE WHEN recorded IS NULL THEN TRUE
       ELSE zone IN ('Europe/London', 'Europe/Dublin') AND instant_plain(recorded) AND substr(recorded, 12, 2) <> '23' END;
CREATE OR REPLACE MACRO only_allergy(j) AS
  cell(only_line(only_text(j, 'active'), concat_ws(dash(), only_text(j, 'substance'), only_text(j, 'reaction'), only_text(j, 'severity'),
                                                   'recorded ' || left(only_text(j, 'recordedAt'), 10))));
CREATE OR REPLACE MACRO allergy_quick(xs, zone) AS
  CASE WHEN NOT is_blank(xs[2]) AND truth(xs[2]) IS NULL THEN refused('R-NKA-UNREADABLE')
       WHEN no_items(xs[1]) THEN none_known_cell(xs[2])
       WHEN coalesce(truth(xs[2]), FALSE) THEN NULL
       WHEN one_plain_item(xs[1]) AND only_text(xs[1], 'substance') IS NOT NULL AND same_day_there(only_text(xs[1], 'recordedAt'), zone) THEN
         only_allergy(xs[1]) END;
CREATE OR REPLACE MACRO allergy_slow(xs, zone) AS
  CASE WHEN NOT is_items(xs[1]) THEN refused('R-JSON')
       WHEN NOT all_objects(xs[1]) THEN refused('R-JSON')
       WHEN len(allergy_items(xs[1])) = 0 THEN none_known_cell(xs[2])
       ELSE list_transform(
         list_transform([struct_pack(items := allergy_items(xs[1]), none_known := coalesce(truth(xs[2]), FALSE), zone := zone)],
                        lambda allergy_history: allergy_told(allergy_history)),
         lambda allergies: allergy_cell(allergies))[1] END;
CREATE OR REPLACE MACRO tf_allergy_lines(xs, zone) AS coalesce(allergy_quick(xs, zone), allergy_slow(xs, zone));
