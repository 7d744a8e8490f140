-- MIME type -> extensions, the usual one first. By far the most frequent pairs are answered before anything is taken apart.
CREATE OR REPLACE MACRO mime_extensions(mime) AS
  CASE mime
    WHEN 'application/pdf' THEN 'pdf' WHEN 'image/jpeg' THEN 'jpg jpeg jpe jfif' WHEN 'image/jpg' THEN 'jpg jpeg jpe jfif'
    WHEN 'image/png' THEN 'png' WHEN 'image/tiff' THEN 'tif tiff' WHEN 'image/bmp' THEN 'bmp dib' WHEN 'image/gif' THEN 'gif'
    WHEN 'image/webp' THEN 'webp' WHEN 'image/heic' THEN 'heic heif' WHEN 'image/svg+xml' THEN 'svg'
    WHEN 'application/dicom' THEN 'dcm dicom dic' WHEN 'text/plain' THEN 'txt text log' WHEN 'text/csv' THEN 'csv'
    WHEN 'text/html' THEN 'html htm' WHEN 'text/rtf' THEN 'rtf' WHEN 'application/rtf' THEN 'rtf' WHEN 'application/msword' THEN 'doc dot'
    WHEN 'application/vnd.openxmlformats-officedocument.wordprocessingml.document' THEN 'docx' WHEN 'application/vnd.ms-excel' THEN 'xls xlt'
    WHEN 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet' THEN 'xlsx' WHEN 'application/vnd.oasis.opendocument.text' THEN 'odt'
    WHEN 'application/vnd.ms-outlook' THEN 'msg' WHEN 'message/rfc822' THEN 'eml' WHEN 'application/zip' THEN 'zip' WHEN 'application/json' THEN 'json'
    WHEN 'application/xml' THEN 'xml' WHEN 'text/xml' THEN 'xml' WHEN 'audio/mpeg' THEN 'mp3' WHEN 'audio/wav' THEN 'wav'
    WHEN 'video/mp4' THEN 'mp4 m4v' WHEN 'video/quicktime' THEN 'mov qt' END;
CREATE OR REPLACE MACRO mime_type(mime) AS
  CASE WHEN mime IN ('application/octet-stream', 'binary/octet-stream', 'application/x-download') THEN NULL
       WHEN regexp_full_match(mime, '[a-z]+/(x-)?[a-z0-9]{1,10}') THEN regexp_replace(mime, '^[a-z]+/(x-)?', '')
       ELSE mime END;
CREATE OR REPLACE MACRO type_cell(found, mime, known) AS
  CASE WHEN found <> '' THEN noted(found, CASE WHEN NOT contains(' ' || known || ' ', ' ' || found || ' ') THEN 'R-MIME' END)
       ELSE cell(coalesce(split_part(known, ' ', 1), mime_type(mime))) END;
CREATE OR REPLACE MACRO mime_written(mime) AS
  list_transform([clean(split_part(clean(mime), ';', 1))], lambda written_mime: CASE WHEN strlen(written_mime) = length(written_mime) THEN lower(written_mime) ELSE written_mime END)[1];
CREATE OR REPLACE MACRO type_of(x, mime) AS
  list_transform([struct_pack(found := coalesce(lower(substr(name_extension(name_safe(name_trimmed(x))), 2)), ''), mime := mime_written(mime))],
                 lambda typed: type_cell(typed.found, typed.mime, mime_extensions(typed.mime)))[1];
CREATE OR REPLACE MACRO tq_file_type(x, mime) AS
  CASE WHEN mime = 'application/pdf' AND strlen(x) > 4 AND name_plain(x) AND ends_with(x, '.pdf') THEN cell('pdf')
       WHEN mime = 'image/jpeg' AND strlen(x) > 4 AND name_plain(x) AND ends_with(x, '.jpg') THEN cell('jpg')
       WHEN mime = 'image/png' AND strlen(x) > 4 AND name_plain(x) AND ends_with(x, '.png') THEN cell('png') END;
CREATE OR REPLACE MACRO tf_file_type(x, mime) AS
  coalesce(tq_file_type(x, mime),
           CASE WHEN has_surrogate(x) OR has_surrogate(mime) THEN refused('R-TEXT-SURROGATE') ELSE type_of(x, mime) END);
