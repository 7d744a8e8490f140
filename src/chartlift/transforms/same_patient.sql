-- A reference to something of a patient: bad if that patient is another one than the row's own.
CREATE OR REPLACE MACRO tf_same_patient(x, ours, theirs) AS
  CASE WHEN ours <> theirs AND NOT is_blank(x) THEN refused('R-REF') ELSE text_cell(x) END;
