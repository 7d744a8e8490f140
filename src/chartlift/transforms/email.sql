-- What the org takes: dot-separated atoms of ASCII, @, at least two domain labels, the last of letters only.
CREATE OR REPLACE MACRO email_pattern() AS
  '[a-z0-9!#$%&''*/=?^_+`{|}~-]+(\.[a-z0-9!#$%&''*/=?^_+`{|}~-]+)*@([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,63}';
CREATE OR REPLACE MACRO email_of(c) AS
  CASE WHEN c IS NULL THEN empty_cell()
       WHEN strlen(c) = length(c) AND regexp_full_match(lower(c), email_pattern()) AND strpos(c, '@') <= 65 THEN cell(lower(c))
       ELSE refused('R-EMAIL') END;
CREATE OR REPLACE MACRO tf_email(x) AS
  CASE WHEN x IS NULL OR regexp_full_match(x, '[a-z0-9_-]{1,20}(\.[a-z0-9_-]{1,20}){0,2}@[a-z0-9]{1,20}(\.[a-z]{2,10}){1,3}') THEN cell(x)
       ELSE list_transform([clean(x)], lambda mail: email_of(mail))[1] END;
