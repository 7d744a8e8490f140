CREATE OR REPLACE MACRO tq_cost_derived(x, owner, patients, statuses, costs, discounts) AS
  CASE WHEN costs IS NULL OR NOT is_blank(x) THEN cell('false')
       WHEN visit_plain(statuses, costs, discounts)
         THEN cell(CASE WHEN visit_sum(owner, patients, statuses, costs, discounts) IS NULL THEN 'false' ELSE 'true' END) END;
CREATE OR REPLACE MACRO tf_cost_derived(x, owner, patients, statuses, costs, discounts) AS
  coalesce(tq_cost_derived(x, owner, patients, statuses, costs, discounts),
           cell(CASE WHEN struct_extract(visit_of(owner, patients, statuses, costs, discounts), 'v') IS NULL THEN 'false' ELSE 'true' END));
