-- By far the most frequent: all amounts are plain and the lines add up to the total, gross or net of the discount.
CREATE OR REPLACE MACRO invoice_plain(x, discount, paid, due, counts, prices, discounts, totals) AS
  regexp_full_match(concat_ws(' ', x, discount, paid, due, array_to_string(counts, ' '), array_to_string(prices, ' '),
                                   array_to_string(discounts, ' '), array_to_string(totals, ' ')),
                    '(?:[0-9]{1,6}(?:\.[0-9]{1,2})?(?: |$))*');
CREATE OR REPLACE MACRO adds_up(x, discount, totals) AS
  len(totals) = 0 OR list_sum(TRY_CAST(totals AS DECIMAL(8, 2)[])) IN (TRY_CAST(x AS DECIMAL(8, 2)), TRY_CAST(x AS DECIMAL(8, 2)) + TRY_CAST(discount AS DECIMAL(8, 2)));
CREATE OR REPLACE MACRO bad_note(cells) AS list_filter(cells, lambda bad_cell: bad_cell.bad)[1].note;
CREATE OR REPLACE MACRO product_sum(counts, prices) AS
  list_sum(list_transform(counts, lambda count_cell, place: CAST(count_cell.v AS DECIMAL(20, 2)) * CAST(prices[place].v AS DECIMAL(18, 2))));
CREATE OR REPLACE MACRO line_sum(totals) AS list_sum(list_transform(totals, lambda line_cell: CAST(line_cell.v AS DECIMAL(18, 2))));
CREATE OR REPLACE MACRO near(amount, made, discount) AS
  CASE WHEN made IS NULL THEN NULL ELSE abs(amount - made) <= 0.01 OR abs(amount - made + discount) <= 0.01 END;
CREATE OR REPLACE MACRO balanced(amount, discount, product, line) AS
  coalesce(near(amount, product, discount) OR near(amount, line, discount), near(amount, product, discount), near(amount, line, discount), TRUE);
CREATE OR REPLACE MACRO invoice_balance(i) AS
  balanced(CAST(i.header[1].v AS DECIMAL(18, 2)), coalesce(CAST(i.header[2].v AS DECIMAL(18, 2)), 0), product_sum(i.counts, i.prices), line_sum(i.totals));
CREATE OR REPLACE MACRO invoice_cell(i) AS
  CASE WHEN bad_note(list_concat(i.header, i.counts, i.prices, i.discounts, i.totals)) IS NOT NULL THEN
         refused(bad_note(list_concat(i.header, i.counts, i.prices, i.discounts, i.totals)))
       WHEN i.header[1].v IS NULL THEN i.header[1]
       WHEN starts_with(i.header[1].v, '-') THEN noted(i.header[1].v, 'R-MONEY-CREDIT')
       WHEN invoice_balance(i) THEN i.header[1]
       ELSE noted(i.header[1].v, 'R-BAL') END;
CREATE OR REPLACE MACRO plain_product_sum(counts, prices) AS
  list_sum(list_transform(counts, lambda plain_count, place: TRY_CAST(plain_count AS DECIMAL(8, 2)) * TRY_CAST(prices[place] AS DECIMAL(8, 2))));
CREATE OR REPLACE MACRO plain_balanced(x, discount, counts, prices, totals) AS
  balanced(CAST(x AS DECIMAL(18, 2)), coalesce(TRY_CAST(discount AS DECIMAL(18, 2)), 0), plain_product_sum(counts, prices), list_sum(TRY_CAST(totals AS DECIMAL(8, 2)[])));
CREATE OR REPLACE MACRO tq_invoice_total(x, discount, paid, due, counts, prices, discounts, totals) AS
  CASE WHEN amount_plain(x) AND invoice_plain(x, discount, paid, due, counts, prices, discounts, totals) THEN
         CASE WHEN totals IS NOT NULL AND adds_up(x, discount, totals) THEN cell(amount_text(x))
              WHEN plain_balanced(x, discount, counts, prices, totals) THEN cell(amount_text(x))
              ELSE noted(amount_text(x), 'R-BAL') END END;
CREATE OR REPLACE MACRO tf_invoice_total(x, discount, paid, due, counts, prices, discounts, totals) AS
  coalesce(tq_invoice_total(x, discount, paid, due, counts, prices, discounts, totals),
           list_transform([struct_pack(header := money_cells([x, discount, paid, due]), counts := coalesce(quantity_cells(counts), []),
                                        prices := coalesce(money_cells(prices), []), discounts := coalesce(money_cells(discounts), []),
                                        totals := coalesce(money_cells(totals), []))],
                           lambda invoice: invoice_cell(invoice))[1]);
