-- The number of a next of kin by its form alone: with a country code, or as dialled within the practice's country.
CREATE OR REPLACE MACRO dialled(n, land) AS
  CASE WHEN land = 'GB' AND regexp_full_match(n, '0[1-9][0-9]{8,9}') THEN '+44' || substr(n, 2)
       WHEN land = 'IE' AND regexp_full_match(n, '048[0-9]{8}') THEN '+4428' || substr(n, 4)
       WHEN land = 'IE' AND regexp_full_match(n, '0[1-9][0-9]{6,9}') THEN '+353' || substr(n, 2)
       WHEN regexp_full_match(n, '(\+|00)[1-9][0-9]{7,14}') THEN '+' || regexp_replace(n, '^(\+|00)', '')
       WHEN land = 'GB' AND regexp_full_match(n, '7[0-9]{9}') THEN '+44' || n
       WHEN land = 'IE' AND regexp_full_match(n, '8[0-9]{8}') THEN '+353' || n END;
CREATE OR REPLACE MACRO dialled_digits(c) AS
  CASE WHEN regexp_full_match(c, '[0-9+ ]+') THEN replace(c, ' ', '')
       ELSE regexp_replace(replace(c, '(0)', ''), '[ ().\x{A0}-]', '', 'g') END;
CREATE OR REPLACE MACRO kin_cell(k) AS
  CASE WHEN k.note = 'R-TEXT-SURROGATE' THEN refused(k.note)
       ELSE struct_pack(v := CASE WHEN k.n IS NOT NULL OR k.r IS NOT NULL OR k.c IS NOT NULL
                                  THEN concat_ws('; ', k.n, k.r, coalesce(k.called, k.c)) END,
                        note := coalesce(k.note, CASE WHEN k.c IS NOT NULL AND k.called IS NULL THEN 'R-PHONE-RAW' END),
                        bad := FALSE) END;
CREATE OR REPLACE MACRO kin_parts(name, relationship, c, land, raw) AS
  struct_pack(n := clean(name), r := clean(relationship), c := c,
              called := list_transform([struct_pack(n := dialled_digits(c), land := land)], lambda dial: dialled(dial.n, dial.land))[1],
              note := CASE WHEN NOT text_plain(raw) THEN text_note(raw) END);
CREATE OR REPLACE MACRO kin_parts_of(told) AS
  kin_parts(told.xs[1], told.xs[2], told.c, coalesce(told.practice, told.patient), array_to_string(told.xs, E'\n'));
-- By far the most frequent: three plain texts, the number as dialled in the United Kingdom.
CREATE OR REPLACE MACRO kin_plain(xs, practice_country) AS
  practice_country = 'GB' AND text_plain(xs[1]) AND text_plain(xs[2]) AND regexp_full_match(xs[3], '0[1-9][0-9]{2,4} ?[0-9]{3,4} ?[0-9]{3,4}')
  AND strlen(replace(xs[3], ' ', '')) BETWEEN 10 AND 11;
CREATE OR REPLACE MACRO tf_next_of_kin(xs, practice_country, patient_country) AS
  CASE WHEN coalesce(array_to_string(xs, ''), '') = '' THEN empty_cell()
       WHEN kin_plain(xs, practice_country) THEN cell(xs[1] || '; ' || xs[2] || '; +44' || substr(replace(xs[3], ' ', ''), 2))
       ELSE list_transform(
         list_transform([struct_pack(xs := xs, c := clean(xs[3]), practice := country_code(practice_country), patient := country_code(patient_country))],
                        lambda kin_told: kin_parts_of(kin_told)),
         lambda kin: kin_cell(kin))[1] END;
