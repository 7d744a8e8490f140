CREATE OR REPLACE MACRO tf_insurance_policy(x, provider) AS
  CASE WHEN x IS NULL THEN empty_cell()
       WHEN provider IS NOT NULL AND text_plain(x) AND text_plain(provider) THEN cell(x)
       WHEN provider IS NULL AND text_plain(x) THEN noted(x, 'R-INSURANCE')
       WHEN is_blank(provider) AND NOT is_blank(x) AND text_note(x) IS NULL THEN noted(clean(x), 'R-INSURANCE')
       ELSE text_cell(x) END;
