CREATE OR REPLACE MACRO condition_items(j) AS
  CASE WHEN no_items(j) THEN [] ELSE
    from_json(j, '[{"medicalItemId":"VARCHAR","name":"VARCHAR","since":"VARCHAR","notes":"VARCHAR","dose":"VARCHAR","active":"VARCHAR"}]') END;
CREATE OR REPLACE MACRO condition_parts(i) AS
  struct_pack(active := i.active, id := i.medicalItemId, name := clean(i.name), since := clean(i.since), notes := clean(i.notes), dose := clean(i.dose));
CREATE OR REPLACE MACRO condition_entries(items) AS
  list_transform(list_transform(items, lambda ill: condition_parts(ill)),
                 lambda c: line_entry(coalesce(truth(c.active), TRUE), since_order(c.since), c.id, concat_ws(dash(), c.name, c.since, c.notes), c.name));
CREATE OR REPLACE MACRO medication_entries(items) AS
  list_transform(list_transform(items, lambda taken: condition_parts(taken)),
                 lambda m: line_entry(coalesce(truth(m.active), TRUE), since_order(m.since), m.id, concat_ws(dash(), m.name, m.dose, m.since), m.name));
CREATE OR REPLACE MACRO condition_raw(h) AS
  concat_ws(E'\n', h.alert,
            array_to_string(list_transform(h.c, lambda rc: concat_ws(E'\n', rc.name, rc.since, rc.notes)), E'\n'),
            array_to_string(list_transform(h.m, lambda rm: concat_ws(E'\n', rm.name, rm.dose, rm.since)), E'\n'));
CREATE OR REPLACE MACRO condition_told(h) AS
  struct_pack(alert := clean(h.alert), c := condition_entries(h.c), m := medication_entries(h.m), raw := condition_raw(h));
CREATE OR REPLACE MACRO condition_text(t) AS
  array_to_string(list_concat(
    CASE WHEN fits(t.alert, 255) THEN [] ELSE ['ALERT: ' || t.alert] END,
    section_lines(t.c),
    CASE WHEN len(t.m) = 0 THEN [] ELSE list_concat(['Medications:'], section_lines(t.m)) END), E'\n');
CREATE OR REPLACE MACRO condition_cell(t) AS
  CASE WHEN has_surrogate(t.raw) THEN refused('R-TEXT-SURROGATE')
       WHEN headless(t.c) OR headless(t.m) THEN refused('R-REQ')
       ELSE struct_pack(v := filled(condition_text(t)), note := CASE WHEN NOT text_plain(t.raw) THEN text_note(t.raw) END, bad := FALSE) END;
CREATE OR REPLACE MACRO sound_items(j) AS CASE WHEN no_items(j) THEN TRUE WHEN NOT is_items(j) THEN FALSE ELSE all_objects(j) END;
CREATE OR REPLACE MACRO no_condition(alert, conditions, medications) AS
  no_items(conditions) AND no_items(medications) AND (alert IS NULL OR (strlen(alert) * 2 <= 255 AND text_plain(alert)));
CREATE OR REPLACE MACRO tf_condition_lines(xs) AS
  CASE WHEN no_condition(xs[1], xs[2], xs[3]) THEN empty_cell()
       WHEN NOT (sound_items(xs[2]) AND sound_items(xs[3])) THEN refused('R-JSON')
       ELSE list_transform(
         list_transform([struct_pack(alert := xs[1], c := condition_items(xs[2]), m := condition_items(xs[3]))],
                        lambda medical_history: condition_told(medical_history)),
         lambda history: condition_cell(history))[1] END;
