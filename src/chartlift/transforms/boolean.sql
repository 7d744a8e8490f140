-- A checkbox has no third state: without a value it is false in the org, so it is false here.
CREATE OR REPLACE MACRO tf_boolean(x) AS
  CASE WHEN x = 'true' OR x = 'false' THEN cell(x)
       WHEN is_blank(x) THEN cell('false')
       WHEN truth(x) IS NULL THEN refused('R-BOOL')
       WHEN truth(x) THEN cell('true') ELSE cell('false') END;
