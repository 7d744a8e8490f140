CREATE OR REPLACE MACRO id_number(i) AS CASE WHEN regexp_full_match(i, '[0-9]{1,18}') THEN TRY_CAST(i AS BIGINT) END;
-- The treatment of a course that carries what belongs to the course: the one with the lowest id.
CREATE OR REPLACE MACRO carries_course(treatment_id, work) AS
  coalesce(id_number(treatment_id) = list_min(list_transform(work, lambda work_id: id_number(work_id))), FALSE);
CREATE OR REPLACE MACRO before_split(day) AS coalesce(day < '2022-11-25', TRUE);
CREATE OR REPLACE MACRO after_split(day) AS coalesce(day >= '2022-11-25', TRUE);
CREATE OR REPLACE MACRO band_says(units, band, day) AS
  CASE band WHEN '1' THEN units = '1'
            WHEN '2' THEN units = '3' AND before_split(day)
            WHEN '2a' THEN units = '3' AND after_split(day)
            WHEN '2b' THEN units = '5' AND after_split(day)
            WHEN '2c' THEN units = '7' AND after_split(day)
            WHEN '3' THEN units = '12'
            WHEN 'u' THEN units IN ('1.2', '1')
            WHEN 'urgent' THEN units IN ('1.2', '1')
            WHEN 'na' THEN units = '0'
            ELSE FALSE END;
CREATE OR REPLACE MACRO uda_plain(units, band, accepted_on) AS
  CASE WHEN units IN ('5.0', '5') AND band = '2b' THEN day_plain(accepted_on) AND after_split(accepted_on)
       WHEN units IN ('1.0', '1') THEN band = '1'
       WHEN units IN ('3.0', '3') AND band = '2a' THEN day_plain(accepted_on) AND after_split(accepted_on)
       WHEN units IN ('12.0', '12') THEN band = '3'
       WHEN units IN ('7.0', '7') AND band = '2c' THEN day_plain(accepted_on) AND after_split(accepted_on)
       ELSE FALSE END;
CREATE OR REPLACE MACRO uda_judged(u) AS
  CASE WHEN u.units.v IS NULL OR u.band IS NULL OR band_says(u.units.v, u.band, u.day) THEN u.units
       ELSE noted(u.units.v, 'R-UDA') END;
CREATE OR REPLACE MACRO uda_quick(borne, band, accepted_on) AS
  CASE WHEN borne IS NULL THEN empty_cell() WHEN uda_plain(borne, band, accepted_on) THEN cell(split_part(borne, '.', 1)) END;
CREATE OR REPLACE MACRO uda_cell(borne, band, accepted_on) AS
  list_transform([struct_pack(units := figure_of(clean(borne), 10000), band := fold(band),
                              day := CASE WHEN accepted_on IS NOT NULL THEN day_text(accepted_on) END)],
                 lambda uda_read: uda_judged(uda_read))[1];
CREATE OR REPLACE MACRO tq_uda(x, own, course_id, treatment_id, work, band, accepted_on) AS
  CASE WHEN course_id IS NULL OR is_blank(course_id) THEN uda_quick(own, band, accepted_on)
       WHEN carries_course(treatment_id, work) THEN uda_quick(x, band, accepted_on)
       ELSE empty_cell() END;
CREATE OR REPLACE MACRO tf_uda(x, own, course_id, treatment_id, work, band, accepted_on) AS
  coalesce(tq_uda(x, own, course_id, treatment_id, work, band, accepted_on),
           uda_cell(CASE WHEN course_id IS NULL OR is_blank(course_id) THEN own ELSE x END, band, accepted_on));
