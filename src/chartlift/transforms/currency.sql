CREATE OR REPLACE MACRO tf_currency(x) AS
  CASE WHEN x IS NULL OR x = 'GBP' OR x = 'EUR' THEN cell(x) ELSE tf_code_text(x) END;
