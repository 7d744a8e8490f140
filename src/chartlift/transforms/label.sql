-- Codes are ASCII; what is not, is no code and stays as it is.
CREATE OR REPLACE MACRO title_word(w) AS upper(left(w, 1)) || lower(substr(w, 2));
CREATE OR REPLACE MACRO title_words(c) AS
  filled(array_to_string(list_transform(list_filter(string_split(replace(c, '_', ' '), ' '), lambda w: w <> ''), lambda w: title_word(w)), ' '));
CREATE OR REPLACE MACRO tf_label(x) AS
  CASE WHEN x IS NULL OR regexp_full_match(x, '[A-Z][a-z]*') THEN cell(x)
       WHEN regexp_full_match(x, '[A-Z]+') THEN cell(title_word(x))
       WHEN regexp_full_match(x, '[A-Z]+_[A-Z]+') THEN cell(title_word(split_part(x, '_', 1)) || ' ' || title_word(split_part(x, '_', 2)))
       WHEN has_surrogate(x) THEN refused('R-TEXT-SURROGATE')
       WHEN strlen(x) > length(x) THEN cell(clean(x))
       ELSE cell(title_words(clean(x))) END;
