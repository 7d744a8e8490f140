-- The canonical text of a value, and the small words all other macros are made of. Twin: canonical.py.
-- A macro repeats the text of its argument wherever it uses it. So an argument is either a column or small; what is derived
-- and used more than once is bound by `list_transform([derived], lambda name: …)[1]`; setting that up costs as much as a
-- hundred rows for each vector that has a row for it, and many times that inside another one: rather one after the other. Lambda names are unique in this room.
-- A cell of a transform is STRUCT(v VARCHAR, note VARCHAR, bad BOOLEAN). Cheap tests stand first: one regular expression
-- costs 0.15 us, everything behind it only runs for the few values that need it.

CREATE OR REPLACE MACRO cell(value) AS struct_pack(v := value, note := NULL::VARCHAR, bad := FALSE);
CREATE OR REPLACE MACRO noted(value, code) AS struct_pack(v := value, note := code::VARCHAR, bad := FALSE);
CREATE OR REPLACE MACRO refused(code) AS struct_pack(v := NULL::VARCHAR, note := code::VARCHAR, bad := TRUE);
CREATE OR REPLACE MACRO empty_cell() AS cell(NULL::VARCHAR);

CREATE OR REPLACE MACRO unix_lines(x) AS replace(x, E'\r\n', E'\n');

-- What is canonical as it stands and has no finding: printable ASCII, composed Latin letters but those that mojibake starts with,
-- quotation marks and dashes; TAB and LF inside, no white space at the ends.
CREATE OR REPLACE MACRO text_plain(x) AS regexp_full_match(x,
  '[!-~\x{A3}\x{C0}\x{C1}\x{C4}-\x{24F}\x{1E00}-\x{1EFF}\x{2010}-\x{2015}\x{2018}-\x{201D}\x{2026}]([\t\n -~\x{A3}\x{C0}\x{C1}\x{C4}-\x{24F}\x{1E00}-\x{1EFF}\x{2010}-\x{2015}\x{2018}-\x{201D}\x{2026}]*[!-~\x{A3}\x{C0}\x{C1}\x{C4}-\x{24F}\x{1E00}-\x{1EFF}\x{2010}-\x{2015}\x{2018}-\x{201D}\x{2026}])?');
-- The same for up to four lines, each without white space at its ends; a line end before or behind them does not count.
CREATE OR REPLACE MACRO lines_plain(x) AS regexp_full_match(x,
  '\n?[!-~\x{A3}\x{C0}\x{C1}\x{C4}-\x{24F}\x{1E00}-\x{1EFF}\x{2010}-\x{2015}\x{2018}-\x{201D}\x{2026}]([\t -~\x{A3}\x{C0}\x{C1}\x{C4}-\x{24F}\x{1E00}-\x{1EFF}\x{2010}-\x{2015}\x{2018}-\x{201D}\x{2026}]*[!-~\x{A3}\x{C0}\x{C1}\x{C4}-\x{24F}\x{1E00}-\x{1EFF}\x{2010}-\x{2015}\x{2018}-\x{201D}\x{2026}])?(\n[!-~\x{A3}\x{C0}\x{C1}\x{C4}-\x{24F}\x{1E00}-\x{1EFF}\x{2010}-\x{2015}\x{2018}-\x{201D}\x{2026}]([\t -~\x{A3}\x{C0}\x{C1}\x{C4}-\x{24F}\x{1E00}-\x{1EFF}\x{2010}-\x{2015}\x{2018}-\x{201D}\x{2026}]*[!-~\x{A3}\x{C0}\x{C1}\x{C4}-\x{24F}\x{1E00}-\x{1EFF}\x{2010}-\x{2015}\x{2018}-\x{201D}\x{2026}])?){0,3}\n?');
-- At the ends, Unicode White_Space goes (its C0 part is gone by then, except TAB and LF).
CREATE OR REPLACE MACRO text_cleaned(x) AS
  regexp_replace(nfc_normalize(regexp_replace(unix_lines(x), '[\x00-\x08\x0b-\x1f]', '', 'g')),
                 '^[\t\n \x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}]+|[\t\n \x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}]+$', '', 'g');
CREATE OR REPLACE MACRO filled(derived) AS list_transform([derived], lambda text: CASE WHEN text <> '' THEN text END)[1];
-- Nothing but controls and white space: what cleaning leaves nothing of.
CREATE OR REPLACE MACRO is_blank(x) AS
  coalesce(regexp_full_match(x, '[\x00- \x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}]*'), TRUE);
CREATE OR REPLACE MACRO clean(x) AS
  CASE WHEN x IS NULL OR text_plain(x) THEN x WHEN is_blank(x) THEN NULL ELSE text_cleaned(x) END;
-- The mark of half a character, see surrogates.py.
CREATE OR REPLACE MACRO has_surrogate(x) AS regexp_matches(x, '\x{FDD0}');
CREATE OR REPLACE MACRO has_control(x) AS regexp_matches(unix_lines(x), '[\x00-\x08\x0b-\x1f]');
-- UTF-8 that was read as Windows-1252: the lead characters of two and three bytes before a continuation.
CREATE OR REPLACE MACRO has_mojibake(x) AS
  regexp_matches(x, '[\x{C2}\x{C3}][\x{80}-\x{BF}\x{192}\x{2013}-\x{203A}\x{20AC}]|\x{E2}\x{20AC}');
-- The finding of a text that has no mark.
CREATE OR REPLACE MACRO marks_apart_note(x) AS
  CASE WHEN has_control(x) THEN 'R-TEXT-CONTROL' WHEN has_mojibake(x) THEN 'R-TEXT-MOJIBAKE' END;
CREATE OR REPLACE MACRO text_note(x) AS
  CASE WHEN has_surrogate(x) THEN 'R-TEXT-SURROGATE' ELSE marks_apart_note(x) END;
CREATE OR REPLACE MACRO text_cell(x) AS
  CASE WHEN x IS NULL OR text_plain(x) THEN cell(x)
       WHEN has_surrogate(x) THEN refused('R-TEXT-SURROGATE')
       ELSE struct_pack(v := CASE WHEN NOT is_blank(x) THEN text_cleaned(x) END, note := marks_apart_note(x), bad := FALSE) END;

-- A truth value as written in JSON or in an export file; NULL where it is neither.
CREATE OR REPLACE MACRO says_yes(x) AS
  CASE WHEN x = 'true' THEN TRUE ELSE regexp_full_match(x, '[\x00- \x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}]*([Tt][Rr][Uu][Ee]|[Yy][Ee][Ss]|[Yy]|1)[\x00- \x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}]*') END;
CREATE OR REPLACE MACRO says_no(x) AS
  CASE WHEN x = 'false' THEN TRUE ELSE regexp_full_match(x, '[\x00- \x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}]*([Ff][Aa][Ll][Ss][Ee]|[Nn][Oo]|[Nn]|0)[\x00- \x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}]*') END;
CREATE OR REPLACE MACRO truth(x) AS CASE WHEN says_yes(x) THEN TRUE WHEN says_no(x) THEN FALSE END;

-- Length as the org counts it: UTF-16 units, each line end counted as two.
CREATE OR REPLACE MACRO units(x) AS
  length(unix_lines(x)) + length(regexp_replace(x, '[^\x{10000}-\x{10FFFF}]+', '', 'g'))
  + strlen(unix_lines(x)) - strlen(replace(unix_lines(x), E'\n', ''));
CREATE OR REPLACE MACRO fits(x, n) AS
  CASE WHEN x IS NULL OR strlen(x) * 2 <= n THEN TRUE
       WHEN strlen(x) <= n AND NOT contains(x, E'\n') THEN TRUE
       ELSE units(x) <= n END;

-- A number without exponent, sign of zero or trailing zeros; noise below 1e-9 is rounded away. What is no number stays.
CREATE OR REPLACE MACRO number_text(d) AS
  CASE WHEN d = 0 THEN '0' ELSE rtrim(rtrim(CAST(d AS VARCHAR), '0'), '.') END;
CREATE OR REPLACE MACRO canon_number(x) AS
  CASE WHEN x IS NULL OR regexp_full_match(x, '0|-?[1-9][0-9]{0,17}(\.[0-9]{0,7}[1-9])?|-?0\.[0-9]{0,7}[1-9]') THEN x
       WHEN regexp_full_match(x, '(-?[1-9][0-9]{0,17}|0)\.[0-9]{1,9}') THEN rtrim(rtrim(x, '0'), '.')
       WHEN regexp_full_match(x, '[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?') THEN
         list_transform([TRY_CAST(TRY_CAST(x AS DECIMAL(38, 12)) AS DECIMAL(38, 9))],
                        lambda number: coalesce(number_text(number), x))[1]
       ELSE clean(x) END;
CREATE OR REPLACE MACRO canon_boolean(x) AS
  CASE WHEN x = 'true' OR x = 'false' THEN x ELSE coalesce(CAST(truth(x) AS VARCHAR), clean(x)) END;
CREATE OR REPLACE MACRO canon_date(x) AS
  CASE WHEN regexp_full_match(x, '[0-9]{4}-[0-9]{2}-[0-9]{2}') THEN x
       WHEN regexp_full_match(x, '[0-9]{4}-[0-9]{2}-[0-9]{2}T00:00:00(\.0+)?(Z|[+-]00:?00)?') THEN left(x, 10)
       ELSE clean(x) END;
CREATE OR REPLACE MACRO zone_minutes(z) AS
  CASE WHEN z = 'Z' THEN 0
       ELSE CAST(left(z, 1) || '1' AS INTEGER)
            * (CAST(substr(z, 2, 2) AS INTEGER) * 60 + CAST(right(z, 2) AS INTEGER)) END;
CREATE OR REPLACE MACRO canon_datetime_parts(p) AS
  strftime(TRY_CAST(p.day || ' ' || p.time AS TIMESTAMP) - to_minutes(CAST(zone_minutes(p.zone) AS BIGINT)), '%Y-%m-%dT%H:%M:%S')
  || '.' || rpad(substr(p.fraction, 2, 3), 3, '0') || 'Z';
CREATE OR REPLACE MACRO stamp_pattern() AS
  '([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:?[0-9]{2})';
CREATE OR REPLACE MACRO canon_datetime(x) AS
  CASE WHEN x IS NULL OR regexp_full_match(x, '[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z') THEN x
       WHEN regexp_full_match(x, '[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}\+0000') THEN left(x, 23) || 'Z'
       WHEN regexp_full_match(x, stamp_pattern()) THEN
         coalesce(list_transform([regexp_extract(x, stamp_pattern(), ['day', 'time', 'fraction', 'zone'])],
                                 lambda stamp: canon_datetime_parts(stamp))[1], clean(x))
       ELSE clean(x) END;
CREATE OR REPLACE MACRO canon_text(x) AS clean(x);
CREATE OR REPLACE MACRO canon_email(x) AS lower(clean(x));
-- 15 characters get the three that make an id safe where case is ignored: five case bits each, lowest first.
CREATE OR REPLACE MACRO case_bits(part) AS
  substr('ABCDEFGHIJKLMNOPQRSTUVWXYZ012345', 1
    + CASE WHEN substr(part, 1, 1) BETWEEN 'A' AND 'Z' THEN 1 ELSE 0 END
    + CASE WHEN substr(part, 2, 1) BETWEEN 'A' AND 'Z' THEN 2 ELSE 0 END
    + CASE WHEN substr(part, 3, 1) BETWEEN 'A' AND 'Z' THEN 4 ELSE 0 END
    + CASE WHEN substr(part, 4, 1) BETWEEN 'A' AND 'Z' THEN 8 ELSE 0 END
    + CASE WHEN substr(part, 5, 1) BETWEEN 'A' AND 'Z' THEN 16 ELSE 0 END, 1);
CREATE OR REPLACE MACRO canon_id(x) AS
  CASE WHEN strlen(x) = 15 AND regexp_full_match(x, '[0-9A-Za-z]{15}')
       THEN x || case_bits(substr(x, 1, 5)) || case_bits(substr(x, 6, 5)) || case_bits(substr(x, 11, 5))
       ELSE clean(x) END;
CREATE OR REPLACE MACRO text_sha256(x) AS sha256(clean(x));
