-- The list usually has its first value in its first place.
CREATE OR REPLACE MACRO first_filled(xs) AS list_filter(xs, lambda y: NOT is_blank(y))[1];
CREATE OR REPLACE MACRO tf_first(xs) AS
  CASE WHEN text_plain(xs[1]) THEN cell(xs[1])
       ELSE list_transform([first_filled(xs)], lambda chosen: text_cell(chosen))[1] END;
