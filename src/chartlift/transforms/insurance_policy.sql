CREATE OR REPLACE MACRO tf_insurance_policy(x, provider) AS
  CASE WHEN x IS NULL THEN empty_cell()
       WHEN text_plain(x) AND text_plain(provider) THEN cell(x)
       WHEN is_blank(provider) AND NOT is_blank(x) AND text_note(x) IS NULL THEN noted(clean(x), 'R-INSURANCE')
       ELSE text_cell(x) END;
