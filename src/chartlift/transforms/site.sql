CREATE OR REPLACE MACRO tf_site(x, listed, written) AS
  CASE WHEN x IS NULL OR is_blank(x) THEN empty_cell()
       WHEN listed IS NULL OR written IS NULL OR listed = written OR is_blank(written) OR fold(listed) = fold(written) THEN cell(clean(x))
       ELSE noted(clean(x), 'R-SITE-NAME') END;
