-- A checkbox has no third state: without a value it is false in the org, so it is false here.
CREATE OR REPLACE MACRO tf_boolean(x) AS
  CASE WHEN says_yes(x) THEN cell('true')
       WHEN says_no(x) OR is_blank(x) THEN cell('false')
       ELSE refused('R-BOOL') END;
