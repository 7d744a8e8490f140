-- Dead is dead as soon as one of the two says so, even if it cannot be read.
CREATE OR REPLACE MACRO is_deceased(status, deceased_on) AS
  CASE WHEN status = 'ACTIVE' AND deceased_on IS NULL THEN FALSE
       ELSE coalesce(fold(status) = 'deceased', FALSE) OR NOT is_blank(deceased_on) END;
CREATE OR REPLACE MACRO tf_opt_out(x, status, deceased_on) AS
  CASE WHEN is_deceased(status, deceased_on) THEN cell('true')
       WHEN x = 'true' THEN cell('false')
       WHEN x = 'false' THEN cell('true')
       WHEN is_blank(x) THEN noted('true', 'R-CONSENT')
       WHEN truth(x) IS NULL THEN refused('R-CONSENT-UNREADABLE')
       WHEN truth(x) THEN cell('false') ELSE cell('true') END;
