CREATE OR REPLACE MACRO declared_scheme(x) AS
  CASE WHEN x = 'NHS' THEN x
       ELSE list_transform([fold(x)], lambda folded: CASE folded WHEN 'nhs' THEN 'NHS' WHEN 'chi' THEN 'CHI' WHEN 'hc' THEN 'H&C'
                                                            WHEN 'hcn' THEN 'H&C' WHEN 'ihi' THEN 'IHI' END)[1] END;
CREATE OR REPLACE MACRO scheme_cell(x, declared, ranged) AS
  CASE WHEN is_blank(x) THEN
         CASE WHEN ranged IS NULL THEN noted(NULL::VARCHAR, 'R-NHS-RANGE') ELSE cell(ranged) END
       WHEN declared IS NULL THEN refused('R-PICK')
       WHEN declared = ranged THEN cell(declared)
       ELSE noted(declared, 'R-NHS-RANGE') END;
CREATE OR REPLACE MACRO scheme_of(x, number) AS
  CASE WHEN number.bad THEN refused(number.note)
       WHEN number.v IS NULL THEN empty_cell()
       ELSE list_transform([struct_pack(declared := declared_scheme(x), ranged := health_scheme(CAST(number.v AS BIGINT)))],
                           lambda schemes: scheme_cell(x, schemes.declared, schemes.ranged))[1] END;
CREATE OR REPLACE MACRO tf_health_number_type(x, number) AS
  CASE WHEN number IS NULL THEN empty_cell()
       WHEN x = 'NHS' AND nhs_usual(number) THEN cell(x)
       ELSE list_transform([tf_nhs_number(number)], lambda checked: scheme_of(x, checked))[1] END;
