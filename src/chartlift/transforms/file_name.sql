CREATE OR REPLACE MACRO name_plain(x) AS regexp_full_match(x,
  '[!#-)+-.0-9;=@-[\]-{}~\x{A3}\x{C0}\x{C1}\x{C4}-\x{24F}\x{1E00}-\x{1EFF}\x{2010}-\x{2015}\x{2018}-\x{201D}\x{2026}](?:[ !#-)+-.0-9;=@-[\]-{}~\x{A3}\x{C0}\x{C1}\x{C4}-\x{24F}\x{1E00}-\x{1EFF}\x{2010}-\x{2015}\x{2018}-\x{201D}\x{2026}]*[!#-)+-\-0-9;=@-[\]-{}~\x{A3}\x{C0}\x{C1}\x{C4}-\x{24F}\x{1E00}-\x{1EFF}\x{2010}-\x{2015}\x{2018}-\x{201D}\x{2026}])');
-- The Unicode functions stop at a NUL, so another control stands for it.
CREATE OR REPLACE MACRO name_trimmed(x) AS
  regexp_replace(nfc_normalize(replace(unix_lines(x), chr(0), chr(1))),
                 '^[\t\n \x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}]+|[\t\n \x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}]+$', '', 'g');
CREATE OR REPLACE MACRO name_end(name) AS
  regexp_replace(name, '[.\t\n \x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}]+$', '');
CREATE OR REPLACE MACRO name_safe(name) AS name_end(regexp_replace(name, '[\x00-\x1f\x7f-\x{9f}"*/:<>?\\|]', '_', 'g'));
CREATE OR REPLACE MACRO name_extension(name) AS regexp_extract(name, '^(?s:.+)(\.[A-Za-z0-9]{1,10})$', 1);
CREATE OR REPLACE MACRO name_units(name) AS length(name) + length(regexp_replace(name, '[^\x{10000}-\x{10FFFF}]', '', 'g'));
CREATE OR REPLACE MACRO name_head(name, room) AS
  left(name, list_max(list_filter(range(0, 256), lambda head: name_units(left(name, head)) <= room)));
CREATE OR REPLACE MACRO name_cut(name) AS
  CASE WHEN name_units(name) <= 255 THEN name
       ELSE name_end(name_head(left(name, length(name) - length(name_extension(name))), 255 - length(name_extension(name))) || name_extension(name)) END;
CREATE OR REPLACE MACRO name_cell(name, v) AS
  struct_pack(v := nullif(v, ''), note := CASE WHEN v <> name THEN 'R-FILENAME' WHEN v <> '' AND has_mojibake(name) THEN 'R-TEXT-MOJIBAKE' END, bad := FALSE);
CREATE OR REPLACE MACRO name_of(x) AS
  list_transform(list_transform([name_trimmed(x)], lambda name: struct_pack(name := name, v := name_safe(name))),
                 lambda named: name_cell(named.name, name_cut(named.v)))[1];
CREATE OR REPLACE MACRO tq_file_name(x) AS CASE WHEN x IS NULL OR (strlen(x) <= 255 AND name_plain(x)) THEN cell(x) END;
CREATE OR REPLACE MACRO tf_file_name(x) AS
  coalesce(tq_file_name(x), CASE WHEN has_surrogate(x) THEN refused('R-TEXT-SURROGATE') ELSE name_of(x) END);
