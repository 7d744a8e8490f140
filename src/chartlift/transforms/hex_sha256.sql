CREATE OR REPLACE MACRO hex_of(c) AS
  CASE WHEN c IS NULL THEN empty_cell()
       WHEN strlen(c) = 64 AND regexp_full_match(c, '[0-9a-fA-F]*') THEN cell(lower(c))
       ELSE refused('R-HASH') END;
CREATE OR REPLACE MACRO tf_hex_sha256(x) AS
  CASE WHEN x IS NULL OR (strlen(x) = 64 AND regexp_full_match(x, '[0-9a-f]*')) THEN cell(x)
       ELSE list_transform([clean(x)], lambda hex_c: hex_of(hex_c))[1] END;
