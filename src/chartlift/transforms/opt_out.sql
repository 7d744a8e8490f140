-- Dead is dead as soon as one of the two says so, even if it cannot be read.
CREATE OR REPLACE MACRO is_deceased(status, deceased_on) AS
  CASE WHEN regexp_matches(status, '[Dd][Ee][Cc][Ee][Aa][Ss][Ee][Dd]') THEN TRUE
       WHEN deceased_on IS NULL THEN FALSE ELSE NOT is_blank(deceased_on) END;
CREATE OR REPLACE MACRO tf_opt_out(x, status, deceased_on) AS
  CASE WHEN is_deceased(status, deceased_on) OR says_no(x) THEN cell('true')
       WHEN says_yes(x) THEN cell('false')
       WHEN is_blank(x) THEN noted('true', 'R-CONSENT')
       ELSE refused('R-CONSENT-UNREADABLE') END;
