-- The number of a next of kin by its form alone: with a country code, or as dialled within the practice's country.
CREATE OR REPLACE MACRO dialled(n, land) AS
  CASE WHEN regexp_full_match(n, '(\+|00)[1-9][0-9]{7,14}') THEN '+' || regexp_replace(n, '^(\+|00)', '')
       WHEN land = 'GB' AND regexp_full_match(n, '0[1-9][0-9]{8,9}') THEN '+44' || substr(n, 2)
       WHEN land = 'GB' AND regexp_full_match(n, '7[0-9]{9}') THEN '+44' || n
       WHEN land = 'IE' AND regexp_full_match(n, '048[0-9]{8}') THEN '+4428' || substr(n, 4)
       WHEN land = 'IE' AND regexp_full_match(n, '0[1-9][0-9]{6,8}') THEN '+353' || substr(n, 2)
       WHEN land = 'IE' AND regexp_full_match(n, '8[0-9]{8}') THEN '+353' || n END;
CREATE OR REPLACE MACRO kin_number(c, land) AS
  coalesce(dialled(regexp_replace(replace(c, '(0)', ''), '[ ().\x{A0}-]', '', 'g'), land), c);
CREATE OR REPLACE MACRO kin_text(name, relationship, c, called) AS
  nullif(concat_ws('; ', clean(name), clean(relationship), called), '');
CREATE OR REPLACE MACRO kin_cell(name, relationship, c, called, note) AS
  CASE WHEN note = 'R-TEXT-SURROGATE' THEN refused(note)
       ELSE struct_pack(v := kin_text(name, relationship, c, called),
                        note := coalesce(note, CASE WHEN NOT regexp_full_match(called, '\+[0-9]+') THEN 'R-PHONE-RAW' END),
                        bad := FALSE) END;
CREATE OR REPLACE MACRO tf_next_of_kin(xs, practice_country, patient_country) AS
  CASE WHEN xs[1] IS NULL AND xs[2] IS NULL AND xs[3] IS NULL THEN empty_cell()
       ELSE list_transform([struct_pack(n := xs[1], r := xs[2], c := clean(xs[3]),
                                        called := kin_number(clean(xs[3]), coalesce(country_code(practice_country), country_code(patient_country))),
                                        note := text_note(array_to_string(xs, chr(10))))],
                           lambda kin: kin_cell(kin.n, kin.r, kin.c, kin.called, kin.note))[1] END;
