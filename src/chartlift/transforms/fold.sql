-- Two codes or names are the same word if they fold alike: case, punctuation and blanks do not count. Twin: fold.py.
-- The Unicode functions stop at a NUL.
CREATE OR REPLACE MACRO without_nul(x) AS replace(x, chr(0), ' ');
CREATE OR REPLACE MACRO fold(x) AS
  CASE WHEN x IS NULL THEN x
       WHEN regexp_full_match(x, '[A-Za-z0-9]+') THEN lower(x)
       WHEN regexp_full_match(x, '[A-Za-z0-9_ ]+') THEN nullif(lower(replace(replace(x, '_', ''), ' ', '')), '')
       ELSE nullif(regexp_replace(lower(nfc_normalize(without_nul(x))), '[^\p{L}\p{N}]', '', 'g'), '') END;

-- A name as part of a key: a-z, 0-9 and single dashes, at most 40 characters. Where letters had to be left out or it was
-- too long, eight hex digits of the folded name keep two names apart.
CREATE OR REPLACE MACRO slug_words(x) AS
  trim(regexp_replace(lower(strip_accents(nfc_normalize(without_nul(x)))), '[^a-z0-9]+', '-', 'g'), '-');
CREATE OR REPLACE MACRO slug_lossy(x) AS
  regexp_matches(lower(strip_accents(nfc_normalize(without_nul(x)))), '[^\x00-\x7f]') OR strlen(slug_words(x)) > 40 OR slug_words(x) = '';
CREATE OR REPLACE MACRO slug(x) AS
  CASE WHEN fold(x) IS NULL THEN NULL
       WHEN slug_lossy(x) THEN trim(left(slug_words(x), 31) || '-' || left(md5(fold(x)), 8), '-')
       ELSE slug_words(x) END;
