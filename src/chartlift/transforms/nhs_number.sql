-- Ten digits with weights 10 to 2 and the check digit: together a multiple of 11. A check of ten is never valid.
CREATE OR REPLACE MACRO mod_eleven(n) AS
  ((n // 1000000000) % 10 * 10 + (n // 100000000) % 10 * 9 + (n // 10000000) % 10 * 8 + (n // 1000000) % 10 * 7
   + (n // 100000) % 10 * 6 + (n // 10000) % 10 * 5 + (n // 1000) % 10 * 4 + (n // 100) % 10 * 3 + (n // 10) % 10 * 2
   + n % 10) % 11;
CREATE OR REPLACE MACRO health_digits(x) AS
  CASE WHEN regexp_full_match(x, '[0-9 -]{9,20}') THEN replace(replace(x, ' ', ''), '-', '')
       ELSE regexp_replace(clean(x), '[\s\x{A0}\x{2009}\x{202F}\x{2010}-\x{2015}-]', '', 'g') END;
-- England and Wales 4, 6, 7 (9 for tests), Scotland up to 3112…, Northern Ireland 32 to 39, Ireland 80 to 85.
CREATE OR REPLACE MACRO health_scheme(n) AS
  CASE WHEN n >= 9000000000 OR n BETWEEN 4000000000 AND 4999999999 OR n BETWEEN 6000000000 AND 7999999999 THEN 'NHS'
       WHEN n BETWEEN 100000000 AND 3112999999 THEN 'CHI'
       WHEN n BETWEEN 3200000000 AND 3999999999 THEN 'H&C'
       WHEN n BETWEEN 8000000000 AND 8599999999 THEN 'IHI' END;
CREATE OR REPLACE MACRO health_cell(d, n) AS
  CASE WHEN n IS NULL OR strlen(d) NOT IN (9, 10) THEN refused('R-NHS')
       WHEN n % 1111111111 = 0 THEN refused('R-NHS-REPEATED')
       WHEN mod_eleven(n) <> 0 THEN refused('R-NHS')
       WHEN strlen(d) = 9 THEN noted('0' || d, 'R-NHS-PADDED')
       WHEN health_scheme(n) IS NULL THEN noted(d, 'R-NHS-RANGE')
       ELSE cell(d) END;
CREATE OR REPLACE MACRO health_number(d) AS
  CASE WHEN regexp_full_match(d, '[0-9]{9,10}') THEN CAST(d AS BIGINT) END;
CREATE OR REPLACE MACRO health_usual(n) AS
  mod_eleven(n) = 0 AND n % 1111111111 <> 0 AND (n >= 3200000000 OR n <= 3112999999);
CREATE OR REPLACE MACRO health_slow(x, d) AS
  CASE WHEN is_blank(x) THEN empty_cell()
       ELSE list_transform([health_number(d)], lambda n: health_cell(d, n))[1] END;
-- A valid number of a range of the NHS, in its usual writing.
CREATE OR REPLACE MACRO nhs_usual(x) AS
  regexp_full_match(x, '[4679][0-9]{2} ?[0-9]{3} ?[0-9]{4}')
  AND list_transform([TRY_CAST(replace(x, ' ', '') AS BIGINT)], lambda nhs_n: mod_eleven(nhs_n) = 0 AND nhs_n % 1111111111 <> 0)[1];
CREATE OR REPLACE MACRO tf_nhs_number(x) AS
  CASE WHEN x IS NULL THEN empty_cell()
       WHEN regexp_full_match(x, '[34679][0-9]{2} ?[0-9]{3} ?[0-9]{4}')
            AND list_transform([TRY_CAST(replace(x, ' ', '') AS BIGINT)], lambda usual: health_usual(usual))[1]
         THEN cell(replace(x, ' ', ''))
       ELSE list_transform([health_digits(x)], lambda digits: health_slow(x, digits))[1] END;
