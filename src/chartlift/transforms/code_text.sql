-- Upper case, letter for letter; a text with a letter that has no single capital stays as it is.
CREATE OR REPLACE MACRO capitals(c) AS
  CASE WHEN regexp_matches(c, '[\x{DF}\x{1F80}-\x{1FFF}]') THEN c ELSE nfc_normalize(upper(c)) END;
CREATE OR REPLACE MACRO code_cell(answer) AS
  CASE WHEN answer.v IS NULL THEN answer ELSE struct_pack(v := capitals(answer.v), note := answer.note, bad := FALSE) END;
CREATE OR REPLACE MACRO tf_code_text(x) AS
  CASE WHEN x IS NULL OR regexp_full_match(x, '[0-9A-Z][0-9A-Z_.-]*') THEN cell(x)
       ELSE list_transform([text_cell(x)], lambda code_text: code_cell(code_text))[1] END;
