CREATE OR REPLACE MACRO uk_postcode(u) AS
  regexp_full_match(u, 'GIR0AA|[A-PR-UWYZ]([0-9]{1,2}|[A-HK-Y][0-9]{1,2}|[0-9][A-HJKPSTUW]|[A-HK-Y][0-9][ABEHMNPRVWXY])[0-9][ABD-HJLNP-UW-Z]{2}');
CREATE OR REPLACE MACRO eircode(u) AS regexp_full_match(u, '([AC-FHKNPRTV-Y][0-9]{2}|D6W)[0-9AC-FHKNPRTV-Y]{4}');
-- A whole postcode in its usual writing, which is by far the most frequent case.
CREATE OR REPLACE MACRO postcode_plain(x, country) AS
  (country = 'GB' AND regexp_full_match(x, '[A-PR-UWYZ]([0-9]{1,2}|[A-HK-Y][0-9]{1,2}) [0-9][ABD-HJLNP-UW-Z]{2}'))
  OR (country = 'IE' AND regexp_full_match(x, '[AC-FHKNPRTV-Y][0-9]{2} [0-9AC-FHKNPRTV-Y]{4}'));
CREATE OR REPLACE MACRO postcode_cell(c, u, country) AS
  CASE WHEN coalesce(country NOT IN ('GB', 'IE'), FALSE) THEN cell(c)
       WHEN coalesce(country, 'GB') = 'GB' AND uk_postcode(u) THEN cell(left(u, -3) || ' ' || right(u, 3))
       WHEN coalesce(country, 'IE') = 'IE' AND eircode(u) THEN cell(left(u, 3) || ' ' || right(u, 4))
       ELSE noted(c, 'R-POSTCODE') END;
CREATE OR REPLACE MACRO postcode_of(x, country) AS
  CASE WHEN has_surrogate(x) THEN refused('R-TEXT-SURROGATE')
       WHEN is_blank(x) THEN empty_cell()
       ELSE list_transform([struct_pack(c := clean(x), u := regexp_replace(upper(clean(x)), '[ \x{A0}-]', '', 'g'), land := country)],
                           lambda post: postcode_cell(post.c, post.u, post.land))[1] END;
CREATE OR REPLACE MACRO tf_postcode(x, country) AS
  CASE WHEN x IS NULL OR postcode_plain(x, country) THEN cell(x)
       ELSE postcode_of(x, country_code(country)) END;
