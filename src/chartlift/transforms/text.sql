CREATE OR REPLACE MACRO tf_text(x) AS text_cell(x);
