CREATE OR REPLACE MACRO condition_items(j) AS
  CASE WHEN no_items(j) THEN [] ELSE
    from_json(j, '[{"medicalItemId":"VARCHAR","name":"VARCHAR","since":"VARCHAR","notes":"VARCHAR","dose":"VARCHAR","active":"VARCHAR"}]') END;
CREATE OR REPLACE MACRO condition_entries(items) AS
  list_transform(items, lambda c: line_entry(coalesce(truth(c.active), TRUE), since_order(clean(c.since)), c.medicalItemId,
                                             concat_ws(dash(), clean(c.name), clean(c.since), clean(c.notes)), clean(c.name)));
CREATE OR REPLACE MACRO medication_entries(items) AS
  list_transform(items, lambda m: line_entry(coalesce(truth(m.active), TRUE), since_order(clean(m.since)), m.medicalItemId,
                                             concat_ws(dash(), clean(m.name), clean(m.dose), clean(m.since)), clean(m.name)));
CREATE OR REPLACE MACRO condition_raw(alert, conditions, medications) AS
  concat_ws(chr(10), alert,
            array_to_string(list_transform(conditions, lambda rc: concat_ws(chr(10), rc.name, rc.since, rc.notes)), chr(10)),
            array_to_string(list_transform(medications, lambda rm: concat_ws(chr(10), rm.name, rm.dose, rm.since)), chr(10)));
CREATE OR REPLACE MACRO condition_text(alert, conditions, medications) AS
  array_to_string(list_concat(
    CASE WHEN fits(alert, 255) THEN [] ELSE ['ALERT: ' || alert] END,
    section_lines(conditions),
    CASE WHEN len(medications) = 0 THEN [] ELSE list_concat(['Medications:'], section_lines(medications)) END), chr(10));
CREATE OR REPLACE MACRO condition_cell(alert, conditions, medications, note) AS
  CASE WHEN note = 'R-TEXT-SURROGATE' THEN refused(note)
       WHEN headless(conditions) OR headless(medications) THEN refused('R-REQ')
       ELSE struct_pack(v := nullif(condition_text(alert, conditions, medications), ''), note := note, bad := FALSE) END;
CREATE OR REPLACE MACRO condition_of(alert, conditions, medications) AS
  list_transform([struct_pack(alert := clean(alert), c := condition_entries(conditions), m := medication_entries(medications),
                              note := text_note(condition_raw(alert, conditions, medications)))],
                 lambda told: condition_cell(told.alert, told.c, told.m, told.note))[1];
CREATE OR REPLACE MACRO sound_items(j) AS CASE WHEN no_items(j) THEN TRUE WHEN NOT is_items(j) THEN FALSE ELSE all_objects(j) END;
CREATE OR REPLACE MACRO tf_condition_lines(xs) AS
  CASE WHEN no_items(xs[2]) AND no_items(xs[3]) AND strlen(coalesce(xs[1], '')) * 2 <= 255 AND NOT coalesce(has_surrogate(xs[1]), FALSE)
            AND NOT coalesce(has_control(xs[1]) OR has_mojibake(xs[1]), FALSE) THEN empty_cell()
       WHEN NOT (sound_items(xs[2]) AND sound_items(xs[3])) THEN refused('R-JSON')
       ELSE list_transform([struct_pack(c := condition_items(xs[2]), m := condition_items(xs[3]))],
                           lambda history: condition_of(xs[1], history.c, history.m))[1] END;
