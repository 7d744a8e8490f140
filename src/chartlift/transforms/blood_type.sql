CREATE OR REPLACE MACRO blood_words(c) AS
  regexp_replace(replace(replace(replace(upper(c), '−', '-'), '–', '-'), '＋', '+'), '[ .,()_]|RHD|RH|GROUP|TYPE|BLOOD', '', 'g');
CREATE OR REPLACE MACRO blood_cell(w) AS
  CASE WHEN regexp_full_match(w, '(A|B|AB|O|0)(\+|POS|POSITIVE|\+VE|-|NEG|NEGATIVE|-VE)') THEN
         cell(replace(regexp_extract(w, '^(AB|A|B|O|0)', 1), '0', 'O')
              || CASE WHEN contains(w, '+') OR contains(w, 'POS') THEN '+' ELSE '-' END)
       WHEN w IN ('UNKNOWN', 'NOTKNOWN', 'UNK', 'NK') THEN cell('Unknown')
       ELSE refused('R-PICK') END;
CREATE OR REPLACE MACRO tf_blood_type(x) AS
  CASE WHEN x IS NULL OR regexp_full_match(x, '(A|B|AB|O)[+-]') THEN cell(x)
       WHEN is_blank(x) THEN empty_cell()
       ELSE list_transform([blood_words(clean(x))], lambda blood: blood_cell(blood))[1] END;
