CREATE OR REPLACE MACRO joined_lines(xs) AS
  filled(array_to_string(list_filter(list_transform(xs, lambda y: clean(y)), lambda y: y IS NOT NULL), E'\n'));
CREATE OR REPLACE MACRO joined_slow(xs, raw) AS
  struct_pack(v := CASE WHEN has_surrogate(raw) THEN NULL ELSE joined_lines(xs) END,
              note := text_note(raw), bad := coalesce(has_surrogate(raw), FALSE));
CREATE OR REPLACE MACRO lines_cell(raw) AS
  cell(CASE WHEN starts_with(raw, E'\n') OR ends_with(raw, E'\n') THEN trim(raw, E'\n') ELSE raw END);
CREATE OR REPLACE MACRO tf_join_lines(xs) AS
  CASE WHEN coalesce(array_to_string(xs, ''), '') = '' THEN empty_cell()
       WHEN lines_plain(array_to_string(xs, E'\n')) THEN lines_cell(array_to_string(xs, E'\n'))
       ELSE joined_slow(xs, array_to_string(xs, E'\n')) END;
