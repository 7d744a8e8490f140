CREATE OR REPLACE MACRO tf_alert_text(x) AS
  CASE WHEN x IS NULL THEN empty_cell()
       WHEN fits(clean(x), 255) THEN text_cell(x)
       WHEN has_surrogate(x) THEN refused('R-TEXT-SURROGATE')
       ELSE refused('R-LEN-ALERT') END;
