-- The list usually has its first value in its first place.
CREATE OR REPLACE MACRO first_filled(xs) AS list_filter(xs, lambda y: NOT is_blank(y))[1];
CREATE OR REPLACE MACRO tq_first(xs) AS
  CASE WHEN text_plain(xs[1]) THEN cell(xs[1])
       WHEN xs[1] IS NULL AND text_plain(xs[2]) THEN cell(xs[2])
       WHEN list_count(xs) = 0 THEN empty_cell() END;
CREATE OR REPLACE MACRO tf_first(xs) AS
  coalesce(tq_first(xs), list_transform([first_filled(xs)], lambda chosen: text_cell(chosen))[1]);
