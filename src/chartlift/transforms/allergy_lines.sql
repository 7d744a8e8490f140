CREATE OR REPLACE MACRO allergy_items(j) AS
  from_json(j, '[{"medicalItemId":"VARCHAR","substance":"VARCHAR","reaction":"VARCHAR","severity":"VARCHAR","recordedAt":"VARCHAR","active":"VARCHAR"}]');
CREATE OR REPLACE MACRO allergy_entry(i, day) AS
  line_entry(coalesce(truth(i.active), TRUE), day, i.medicalItemId,
             concat_ws(dash(), clean(i.substance), clean(i.reaction), clean(i.severity), 'recorded ' || day), clean(i.substance));
CREATE OR REPLACE MACRO allergy_entries(items, zone) AS
  list_transform(items, lambda allergy:
    list_transform([recorded_day(allergy.recordedAt, zone)], lambda allergy_day: allergy_entry(allergy, allergy_day))[1]);
CREATE OR REPLACE MACRO allergy_note(items, entries) AS
  coalesce(text_note(array_to_string(list_transform(items, lambda a: concat_ws(chr(10), a.substance, a.reaction, a.severity)), chr(10))),
           CASE WHEN len(list_filter(items, lambda dated: NOT is_blank(dated.recordedAt)))
                     > len(list_filter(entries, lambda day_entry: NOT day_entry.undated)) THEN 'R-DT' END);
CREATE OR REPLACE MACRO allergy_text(entries, none_known) AS
  array_to_string(list_concat(CASE WHEN none_known THEN ['No known allergies'] ELSE [] END, section_lines(entries)), chr(10));
CREATE OR REPLACE MACRO allergy_cell(entries, note, none_known) AS
  CASE WHEN note = 'R-TEXT-SURROGATE' THEN refused(note)
       WHEN headless(entries) THEN refused('R-REQ')
       WHEN none_known AND any_active(entries) THEN refused('R-NKA')
       ELSE struct_pack(v := nullif(allergy_text(entries, none_known), ''), note := note, bad := FALSE) END;
CREATE OR REPLACE MACRO allergy_judged(items, entries, none_known) AS
  list_transform([allergy_note(items, entries)], lambda allergy_finding: allergy_cell(entries, allergy_finding, none_known))[1];
CREATE OR REPLACE MACRO allergy_of(items, none_known, zone) AS
  list_transform([allergy_entries(items, zone)], lambda allergies: allergy_judged(items, allergies, none_known))[1];
CREATE OR REPLACE MACRO tf_allergy_lines(xs, zone) AS
  CASE WHEN NOT is_blank(xs[2]) AND truth(xs[2]) IS NULL THEN refused('R-NKA-UNREADABLE')
       WHEN no_items(xs[1]) THEN CASE WHEN truth(xs[2]) THEN cell('No known allergies') ELSE empty_cell() END
       WHEN NOT is_items(xs[1]) THEN refused('R-JSON')
       WHEN NOT all_objects(xs[1]) THEN refused('R-JSON')
       ELSE list_transform([allergy_items(xs[1])], lambda allergy_list: allergy_of(allergy_list, coalesce(truth(xs[2]), FALSE), zone))[1] END;
