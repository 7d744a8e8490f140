CREATE OR REPLACE MACRO joined_raw(xs) AS array_to_string(xs, E'\n');
CREATE OR REPLACE MACRO joined_lines(xs) AS
  nullif(array_to_string(list_filter(list_transform(xs, lambda y: clean(y)), lambda y: y IS NOT NULL), E'\n'), '');
CREATE OR REPLACE MACRO tf_join_lines(xs) AS
  CASE WHEN text_plain(joined_raw(xs)) THEN cell(joined_raw(xs))
       WHEN regexp_full_match(joined_raw(xs), '\n*|[!-~]([ -~]*[!-~])?\n?|[!-~]([ -~]*[!-~])?\n[!-~]([ -~]*[!-~])?')
         THEN cell(nullif(rtrim(joined_raw(xs), E'\n'), ''))
       ELSE struct_pack(v := CASE WHEN has_surrogate(joined_raw(xs)) THEN NULL ELSE joined_lines(xs) END,
                        note := text_note(joined_raw(xs)),
                        bad := coalesce(has_surrogate(joined_raw(xs)), FALSE)) END;
