CREATE OR REPLACE MACRO tf_consent(x, given_on, status, deceased_on) AS
  CASE WHEN is_deceased(status, deceased_on) THEN cell('false')
       WHEN says_no(x) THEN cell('false')
       WHEN is_blank(x) THEN noted('false', 'R-CONSENT')
       WHEN NOT says_yes(x) THEN refused('R-CONSENT-UNREADABLE')
       WHEN instant_v(given_on) IS NULL THEN refused('R-CONSENT-DATE')
       ELSE cell('true') END;
