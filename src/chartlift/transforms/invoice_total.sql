-- By far the most frequent: all amounts are plain and the lines add up to the total, gross or net of the discount.
CREATE OR REPLACE MACRO invoice_plain(x, discount, paid, due, counts, prices, discounts, totals) AS
  regexp_full_match(concat_ws(' ', x, discount, paid, due, array_to_string(counts, ' '), array_to_string(prices, ' '),
                                   array_to_string(discounts, ' '), array_to_string(totals, ' ')),
                    '(?:[0-9]{1,6}(?:\.[0-9]{1,2})?(?: |$))*');
CREATE OR REPLACE MACRO adds_up(x, discount, totals) AS
  len(totals) = 0 OR list_sum(TRY_CAST(totals AS DECIMAL(8, 2)[])) IN (TRY_CAST(x AS DECIMAL(8, 2)), TRY_CAST(x AS DECIMAL(8, 2)) + TRY_CAST(discount AS DECIMAL(8, 2)));
CREATE OR REPLACE MACRO money_cells(texts) AS coalesce(list_transform(texts, lambda any_amount: tf_money(any_amount)), []);
CREATE OR REPLACE MACRO quantity_cells(texts) AS coalesce(list_transform(texts, lambda any_count: tf_quantity(any_count)), []);
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
CREATE OR REPLACE MACRO tf_invoice_total(x, discount, paid, due, counts, prices, discounts, totals) AS
  CASE WHEN x IS NOT NULL AND totals IS NOT NULL AND invoice_plain(x, discount, paid, due, counts, prices, discounts, totals)
            AND adds_up(x, discount, totals) THEN cell(number_text(CAST(x AS DECIMAL(18, 2))))
       ELSE list_transform([struct_pack(header := money_cells([x, discount, paid, due]), counts := quantity_cells(counts), prices := money_cells(prices),
                                        discounts := money_cells(discounts), totals := money_cells(totals))],
                           lambda invoice: invoice_cell(invoice))[1] END;
