CREATE OR REPLACE MACRO surfaces_of(c) AS
  CASE WHEN c IS NULL THEN empty_cell()
       WHEN regexp_full_match(c, '([Ll][Aa]|[MOIDBFLPmoidbflp])+') THEN cell(upper(c))
       ELSE refused('R-SURF') END;
CREATE OR REPLACE MACRO tf_surfaces(x) AS
  CASE WHEN x IS NULL OR regexp_full_match(x, '[MOIDBFLP]+') THEN cell(x)
       ELSE list_transform([clean(x)], lambda surfaces_c: surfaces_of(surfaces_c))[1] END;
