-- Notes that are plain and surely no longer than a field; NULL for all others, which the reference answers.
CREATE OR REPLACE MACRO no_markup(x) AS
  NOT contains(x, '{') AND CASE WHEN contains(x, '<') THEN NOT regexp_matches(x, '<[A-Za-z/!]') ELSE TRUE END;
-- The regular expression of a plain text takes four times as long as the writer of JSON, which shows controls as \u00hh.
CREATE OR REPLACE MACRO ascii_plain(x) AS
  strlen(x) = length(x) AND NOT contains(to_json(x), '\u00') AND NOT contains(x, chr(13)) AND NOT contains(x, chr(8)) AND NOT contains(x, chr(12))
  AND ascii(x) > 32 AND NOT (ends_with(x, ' ') OR ends_with(x, E'\n') OR ends_with(x, E'\t'));
CREATE OR REPLACE MACRO tq_note_text(x, format) AS
  CASE WHEN x IS NULL THEN empty_cell()
       WHEN strlen(x) <= 16384 AND coalesce(format IN ('PLAIN', 'plain', ''), TRUE) AND no_markup(x) THEN
         CASE WHEN ascii_plain(x) THEN cell(x) ELSE text_cell(x) END END;
