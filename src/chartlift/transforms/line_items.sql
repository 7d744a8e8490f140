-- By far the most frequent: plain descriptions, whole quantities, totals of two decimals.
CREATE OR REPLACE MACRO texts_plain(joined) AS regexp_full_match(joined,
  '[!-~\x{A3}\x{C0}\x{C1}\x{C4}-\x{24F}\x{1E00}-\x{1EFF}\x{2010}-\x{2015}\x{2018}-\x{201D}\x{2026}](?:[\t -~\x{A3}\x{C0}\x{C1}\x{C4}-\x{24F}\x{1E00}-\x{1EFF}\x{2010}-\x{2015}\x{2018}-\x{201D}\x{2026}]*[!-~\x{A3}\x{C0}\x{C1}\x{C4}-\x{24F}\x{1E00}-\x{1EFF}\x{2010}-\x{2015}\x{2018}-\x{201D}\x{2026}])?(?:\n[!-~\x{A3}\x{C0}\x{C1}\x{C4}-\x{24F}\x{1E00}-\x{1EFF}\x{2010}-\x{2015}\x{2018}-\x{201D}\x{2026}](?:[\t -~\x{A3}\x{C0}\x{C1}\x{C4}-\x{24F}\x{1E00}-\x{1EFF}\x{2010}-\x{2015}\x{2018}-\x{201D}\x{2026}]*[!-~\x{A3}\x{C0}\x{C1}\x{C4}-\x{24F}\x{1E00}-\x{1EFF}\x{2010}-\x{2015}\x{2018}-\x{201D}\x{2026}])?)*');
CREATE OR REPLACE MACRO item_line(description, count, total) AS nullif(concat_ws(' ', description, 'x ' || count, '= ' || total), '');
CREATE OR REPLACE MACRO counts_plain(counts) AS regexp_full_match(array_to_string(counts, ' '), '[1-9][0-9]{0,5}(?: [1-9][0-9]{0,5})*');
CREATE OR REPLACE MACRO totals_plain(totals) AS
  regexp_full_match(array_to_string(totals, ' '), '(?:0|[1-9][0-9]{0,8})\.[0-9]{2}(?: (?:0|[1-9][0-9]{0,8})\.[0-9]{2})*');
CREATE OR REPLACE MACRO items_plain(x, counts, totals) AS counts_plain(counts) AND totals_plain(totals) AND texts_plain(array_to_string(x, E'\n'));
CREATE OR REPLACE MACRO number_texts(texts) AS
  list_transform(list_transform(texts, lambda item_written: clean(item_written)), lambda item_c: canon_number(item_c));
CREATE OR REPLACE MACRO count_texts(counts) AS CASE WHEN counts IS NULL THEN [] WHEN counts_plain(counts) THEN counts ELSE number_texts(counts) END;
-- A total has two decimals, as money is written; what has more keeps them, what is no number stays.
CREATE OR REPLACE MACRO pence_text(t) AS
  CASE WHEN regexp_full_match(t, '-?[0-9]+') THEN t || '.00' WHEN regexp_full_match(t, '-?[0-9]+\.[0-9]') THEN t || '0' ELSE t END;
CREATE OR REPLACE MACRO total_texts(totals) AS
  CASE WHEN totals IS NULL THEN []
       WHEN totals_plain(totals) THEN list_transform(totals, lambda plain_total: plain_total)
       ELSE list_transform(list_transform(totals, lambda total_cell: coalesce(tf_money(total_cell).v, canon_number(clean(total_cell)))),
                           lambda total_text: pence_text(total_text)) END;
CREATE OR REPLACE MACRO items_raw(x, counts, totals) AS
  concat_ws(E'\n', CASE WHEN len(x) > 0 THEN array_to_string(x, E'\n') END, CASE WHEN len(counts) > 0 THEN array_to_string(counts, E'\n') END,
                   CASE WHEN len(totals) > 0 THEN array_to_string(totals, E'\n') END);
CREATE OR REPLACE MACRO items_slow(x, counts, totals) AS
  nullif(array_to_string(list_transform(list_zip(list_transform(x, lambda told: clean(told)), count_texts(counts), total_texts(totals)),
                                        lambda item_parts: item_line(item_parts[1], item_parts[2], item_parts[3])), E'\n'), '');
CREATE OR REPLACE MACRO items_noted(raw, lines) AS
  CASE WHEN has_surrogate(raw) THEN refused('R-TEXT-SURROGATE') ELSE struct_pack(v := lines, note := marks_apart_note(raw), bad := FALSE) END;
CREATE OR REPLACE MACRO items_quick(x, counts, totals) AS
  array_to_string(list_transform(x, lambda item, place: item || coalesce(' x ' || counts[place], '') || coalesce(' = ' || totals[place], '')), E'\n');
CREATE OR REPLACE MACRO tq_line_items(x, counts, totals) AS
  CASE WHEN items_plain(x, counts, totals) AND list_count(x) = len(x) THEN cell(items_quick(x, counts, totals))
       WHEN coalesce(len(x), 0) = 0 THEN empty_cell() END;
CREATE OR REPLACE MACRO tf_line_items(x, counts, totals) AS
  coalesce(tq_line_items(x, counts, totals), items_noted(items_raw(x, counts, totals), items_slow(x, counts, totals)));
