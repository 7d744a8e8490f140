CREATE OR REPLACE MACRO tf_cost_derived(x, owner, patients, statuses, costs, discounts) AS
  CASE WHEN costs IS NULL THEN cell('false')
       WHEN NOT is_blank(x) THEN cell('false')
       WHEN struct_extract(visit_of(owner, patients, statuses, costs, discounts), 'v') IS NULL THEN cell('false')
       ELSE cell('true') END;
