-- Teeth in FDI. By far the most frequent: one tooth in FDI or Palmer, and no quadrant beside it or that of the tooth.
CREATE OR REPLACE MACRO corner_number(corner) AS CASE corner WHEN 'UR' THEN 1 WHEN 'UL' THEN 2 WHEN 'LL' THEN 3 WHEN 'LR' THEN 4 END;
CREATE OR REPLACE MACRO corner_name(n) AS CASE n WHEN 1 THEN 'UR' WHEN 2 THEN 'UL' WHEN 3 THEN 'LL' WHEN 4 THEN 'LR' END;
CREATE OR REPLACE MACRO quadrant_number(folded) AS
  CASE WHEN regexp_full_match(folded, 'q[1-4]') THEN TRY_CAST(right(folded, 1) AS INTEGER) ELSE corner_number(upper(folded)) END;
CREATE OR REPLACE MACRO tooth_notation(folded) AS
  CASE WHEN folded IN ('fdi', 'iso') THEN 'fdi'
       WHEN folded IN ('palmer', 'zsigmondypalmer', 'zsigmondy') THEN 'palmer'
       WHEN folded = 'universal' THEN 'universal' END;
CREATE OR REPLACE MACRO palmer_tooth(t) AS
  CASE WHEN regexp_full_match(t, '[UL][LR][1-8]') THEN corner_number(left(t, 2)) || right(t, 1)
       WHEN regexp_full_match(t, '[UL][LR][A-E]') THEN (corner_number(left(t, 2)) + 4) || strpos('ABCDE', right(t, 1)) END;
-- Universal goes once around the mouth; its numbers and letters are places in these lists.
CREATE OR REPLACE MACRO universal_tooth(t) AS
  CASE WHEN regexp_full_match(t, '0?[1-9]|[12][0-9]|3[0-2]') THEN
         substr('1817161514131211212223242526272838373635343332314142434445464748', 2 * TRY_CAST(t AS INTEGER) - 1, 2)
       WHEN regexp_full_match(t, '[A-T]') THEN
         substr('5554535251616263646575747372718182838485', 2 * strpos('ABCDEFGHIJKLMNOPQRST', t) - 1, 2) END;
CREATE OR REPLACE MACRO fdi_tooth(t, notation) AS
  CASE WHEN notation = 'fdi' THEN CASE WHEN regexp_full_match(t, '[1-4][1-8]|[5-8][1-5]') THEN t END
       WHEN notation = 'palmer' THEN palmer_tooth(t)
       WHEN notation = 'universal' THEN universal_tooth(t) END;
CREATE OR REPLACE MACRO tooth_range(low, high) AS
  CASE WHEN left(low, 1) = left(high, 1) THEN
         list_transform(CASE WHEN low <= high THEN range(CAST(low AS BIGINT), CAST(high AS BIGINT) + 1)
                             ELSE range(CAST(low AS BIGINT), CAST(high AS BIGINT) - 1, -1) END, lambda in_range: CAST(in_range AS VARCHAR))
       ELSE [NULL::VARCHAR] END;
CREATE OR REPLACE MACRO tooth_joined(written, notation) AS
  CASE WHEN notation = 'palmer' THEN regexp_replace(written, '([UL][LR])[ \t\n]+([1-8A-E])', '\1\2', 'g') ELSE written END;
CREATE OR REPLACE MACRO tooth_written(c) AS
  regexp_replace(replace(regexp_replace(c, '[\x{2013}\x{2014}]', '-', 'g'), chr(160), ' '), '[ \t\n]*-[ \t\n]*', '-', 'g');
CREATE OR REPLACE MACRO tooth_tokens(t) AS
  CASE WHEN strlen(t.written) > length(t.written) THEN ['?']
       ELSE list_filter(string_split_regex(tooth_joined(upper(t.written), t.notation), '[ \t\n,&]+'), lambda tooth_token: tooth_token <> '') END;
-- A word in three steps: the two ends of a range (or one tooth), their codes, and what lies between.
CREATE OR REPLACE MACRO tooth_placed(token, notation, corner) AS
  CASE WHEN notation = 'palmer' AND corner IS NOT NULL AND regexp_full_match(token, '[1-8A-E](-.*)?') THEN corner || token ELSE token END;
CREATE OR REPLACE MACRO tooth_end(one, n, notation, first) AS
  CASE WHEN n = 2 AND notation = 'palmer' AND regexp_full_match(one, '[1-8A-E]') THEN left(first, 2) || one ELSE one END;
CREATE OR REPLACE MACRO tooth_ends(t) AS
  list_transform(list_transform(tooth_tokens(t), lambda tooth_word: string_split(tooth_placed(tooth_word, t.notation, corner_name(t.number)), '-')),
                 lambda tooth_pair: list_transform(tooth_pair, lambda tooth_one, tooth_nth: tooth_end(tooth_one, tooth_nth, t.notation, tooth_pair[1])));
CREATE OR REPLACE MACRO tooth_code(one, notation) AS
  CASE WHEN regexp_full_match(one, 'FM|[UL]/?A|[UL][LR]|Q[1-4]') THEN one ELSE fdi_tooth(one, notation) END;
CREATE OR REPLACE MACRO tooth_span(codes) AS
  CASE WHEN len(codes) = 1 THEN codes
       WHEN len(codes) = 2 AND regexp_full_match(codes[1] || codes[2], '[1-8]{4}') THEN tooth_range(codes[1], codes[2])
       ELSE [NULL::VARCHAR] END;
CREATE OR REPLACE MACRO tooth_places(codes) AS
  list_transform(list_filter(codes, lambda digits: regexp_full_match(digits, '[0-9]+')),
                 lambda placed: (TRY_CAST(left(placed, 1) AS INTEGER) - 1) % 4 + 1);
CREATE OR REPLACE MACRO tooth_note(places, number) AS
  CASE WHEN number IS NULL OR len(places) = 0 OR list_contains(places, number) THEN NULL ELSE 'R-TOOTH-QUADRANT' END;
CREATE OR REPLACE MACRO teeth_cell(v, known, places, number) AS
  CASE WHEN NOT known OR v = '' OR strlen(v) > 20 THEN refused('R-TOOTH')
       ELSE struct_pack(v := v, note := tooth_note(places, number)::VARCHAR, bad := FALSE) END;
CREATE OR REPLACE MACRO teeth_read(codes) AS
  struct_pack(v := array_to_string(codes, ','), known := list_count(codes) = len(codes), places := tooth_places(codes));
CREATE OR REPLACE MACRO teeth_of(t) AS
  list_transform(list_transform([flatten(list_transform(
      list_transform(tooth_ends(t), lambda ends: list_transform(ends, lambda tooth_last: tooth_code(tooth_last, t.notation))),
      lambda tooth_codes: tooth_span(tooth_codes)))],
    lambda teeth: teeth_read(teeth)), lambda read_teeth: teeth_cell(read_teeth.v, read_teeth.known, read_teeth.places, t.number))[1];
CREATE OR REPLACE MACRO tooth_told(c, notation, quadrant) AS
  struct_pack(c := c, written := tooth_written(c), notation := tooth_notation(fold(notation)), quadrant := fold(quadrant),
              number := quadrant_number(fold(quadrant)), nowhere := is_blank(quadrant));
CREATE OR REPLACE MACRO tooth_cell(t) AS
  CASE WHEN t.c IS NULL AND t.nowhere THEN empty_cell()
       WHEN t.c IS NULL AND t.number IS NOT NULL THEN cell(upper(t.quadrant))
       WHEN t.c IS NULL OR t.notation IS NULL THEN refused('R-TOOTH')
       ELSE teeth_of(t) END;
CREATE OR REPLACE MACRO tq_tooth(xs) AS
  CASE WHEN xs[1] IS NULL AND xs[3] IS NULL THEN empty_cell()
       WHEN xs[2] = 'FDI' AND regexp_full_match(xs[1], '[1-4][1-8]|[5-8][1-5]')
            AND (xs[3] IS NULL OR xs[3] = corner_name((CAST(ascii(xs[1]) AS INTEGER) - 49) % 4 + 1)) THEN cell(xs[1])
       WHEN xs[2] = 'PALMER' AND regexp_full_match(xs[1], '[UL][LR][1-8A-E]') AND (xs[3] IS NULL OR xs[3] = left(xs[1], 2)) THEN cell(palmer_tooth(xs[1])) END;
CREATE OR REPLACE MACRO tf_tooth(xs) AS
  coalesce(tq_tooth(xs), list_transform([tooth_told(clean(xs[1]), xs[2], xs[3])], lambda tooth: tooth_cell(tooth))[1]);
