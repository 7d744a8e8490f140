CREATE OR REPLACE MACRO source_tooth_of(raw, tooth, notation) AS
  CASE WHEN has_surrogate(raw) THEN refused('R-TEXT-SURROGATE')
       ELSE struct_pack(v := CASE WHEN tooth IS NOT NULL THEN concat_ws(' ', tooth, notation) END,
                        note := marks_apart_note(raw), bad := FALSE) END;
CREATE OR REPLACE MACRO tf_source_tooth(xs) AS
  CASE WHEN regexp_full_match(xs[1], '[0-9A-Z]+') AND regexp_full_match(xs[2], '[A-Z]+') THEN cell(xs[1] || ' ' || xs[2])
       WHEN coalesce(array_to_string(xs, ''), '') = '' THEN empty_cell()
       ELSE source_tooth_of(array_to_string(xs, E'\n'), clean(xs[1]), clean(xs[2])) END;
