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
CREATE OR REPLACE MACRO no_alert_line(alert) AS alert IS NULL OR (strlen(alert) * 2 <= 255 AND text_plain(alert));
CREATE OR REPLACE MACRO few_items(j) AS CASE WHEN no_items(j) THEN TRUE WHEN one_plain_item(j) THEN only_text(j, 'name') IS NOT NULL ELSE FALSE END;
CREATE OR REPLACE MACRO only_item(j, second, third) AS
  CASE WHEN NOT no_items(j) THEN only_line(only_text(j, 'active'), concat_ws(dash(), only_text(j, 'name'), only_text(j, second), only_text(j, third))) END;
CREATE OR REPLACE MACRO condition_quick(alert, conditions, medications) AS
  CASE WHEN NOT no_alert_line(alert) THEN NULL
       WHEN no_items(conditions) AND no_items(medications) THEN empty_cell()
       WHEN few_items(conditions) AND few_items(medications) THEN
         cell(concat_ws(E'\n', only_item(conditions, 'since', 'notes'), E'Medications:\n' || only_item(medications, 'dose', 'since'))) END;
CREATE OR REPLACE MACRO condition_slow(xs) AS
  CASE WHEN NOT (sound_items(xs[2]) AND sound_items(xs[3])) THEN refused('R-JSON')
       ELSE list_transform(
         list_transform([struct_pack(alert := xs[1], c := condition_items(xs[2]), m := condition_items(xs[3]))],
                        lambda medical_history: condition_told(medical_history)),
         lambda history: condition_cell(history))[1] END;
CREATE OR REPLACE MACRO tf_condition_lines(xs) AS coalesce(condition_quick(xs[1], xs[2], xs[3]), condition_slow(xs));
