-- ISO 3166-1, from the two-letter code. The United Kingdom and Ireland come first, because nearly all rows are theirs.
CREATE OR REPLACE MACRO iso_names() AS MAP {
    'AD': 'Andorra', 'AE': 'United Arab Emirates', 'AF': 'Afghanistan', 'AG': 'Antigua and Barbuda',
    'AI': 'Anguilla', 'AL': 'Albania', 'AM': 'Armenia', 'AO': 'Angola', 'AQ': 'Antarctica', 'AR': 'Argentina',
    'AS': 'American Samoa', 'AT': 'Austria', 'AU': 'Australia', 'AW': 'Aruba', 'AX': 'Åland Islands',
    'AZ': 'Azerbaijan', 'BA': 'Bosnia and Herzegovina', 'BB': 'Barbados', 'BD': 'Bangladesh', 'BE': 'Belgium',
    'BF': 'Burkina Faso', 'BG': 'Bulgaria', 'BH': 'Bahrain', 'BI': 'Burundi', 'BJ': 'Benin',
    'BL': 'Saint Barthélemy', 'BM': 'Bermuda', 'BN': 'Brunei Darussalam', 'BO': 'Bolivia, Plurinational State of',
    'BQ': 'Bonaire, Sint Eustatius and Saba', 'BR': 'Brazil', 'BS': 'Bahamas', 'BT': 'Bhutan', 'BV': 'Bouvet Island',
    'BW': 'Botswana', 'BY': 'Belarus', 'BZ': 'Belize', 'CA': 'Canada', 'CC': 'Cocos (Keeling) Islands',
    'CD': 'Congo, The Democratic Republic of the', 'CF': 'Central African Republic', 'CG': 'Congo',
    'CH': 'Switzerland', 'CI': 'Côte d''Ivoire', 'CK': 'Cook Islands', 'CL': 'Chile', 'CM': 'Cameroon',
    'CN': 'China', 'CO': 'Colombia', 'CR': 'Costa Rica', 'CU': 'Cuba', 'CV': 'Cabo Verde', 'CW': 'Curaçao',
    'CX': 'Christmas Island', 'CY': 'Cyprus', 'CZ': 'Czechia', 'DE': 'Germany', 'DJ': 'Djibouti', 'DK': 'Denmark',
    'DM': 'Dominica', 'DO': 'Dominican Republic', 'DZ': 'Algeria', 'EC': 'Ecuador', 'EE': 'Estonia', 'EG': 'Egypt',
    'EH': 'Western Sahara', 'ER': 'Eritrea', 'ES': 'Spain', 'ET': 'Ethiopia', 'FI': 'Finland', 'FJ': 'Fiji',
    'FK': 'Falkland Islands (Malvinas)', 'FM': 'Micronesia, Federated States of', 'FO': 'Faroe Islands',
    'FR': 'France', 'GA': 'Gabon', 'GB': 'United Kingdom', 'GD': 'Grenada', 'GE': 'Georgia', 'GF': 'French Guiana',
    'GG': 'Guernsey', 'GH': 'Ghana', 'GI': 'Gibraltar', 'GL': 'Greenland', 'GM': 'Gambia', 'GN': 'Guinea',
    'GP': 'Guadeloupe', 'GQ': 'Equatorial Guinea', 'GR': 'Greece',
    'GS': 'South Georgia and the South Sandwich Islands', 'GT': 'Guatemala', 'GU': 'Guam', 'GW': 'Guinea-Bissau',
    'GY': 'Guyana', 'HK': 'Hong Kong', 'HM': 'Heard Island and McDonald Islands', 'HN': 'Honduras', 'HR': 'Croatia',
    'HT': 'Haiti', 'HU': 'Hungary', 'ID': 'Indonesia', 'IE': 'Ireland', 'IL': 'Israel', 'IM': 'Isle of Man',
    'IN': 'India', 'IO': 'British Indian Ocean Territory', 'IQ': 'Iraq', 'IR': 'Iran, Islamic Republic of',
    'IS': 'Iceland', 'IT': 'Italy', 'JE': 'Jersey', 'JM': 'Jamaica', 'JO': 'Jordan', 'JP': 'Japan', 'KE': 'Kenya',
    'KG': 'Kyrgyzstan', 'KH': 'Cambodia', 'KI': 'Kiribati', 'KM': 'Comoros', 'KN': 'Saint Kitts and Nevis',
    'KP': 'Korea, Democratic People''s Republic of', 'KR': 'Korea, Republic of', 'KW': 'Kuwait',
    'KY': 'Cayman Islands', 'KZ': 'Kazakhstan', 'LA': 'Lao People''s Democratic Republic', 'LB': 'Lebanon',
    'LC': 'Saint Lucia', 'LI': 'Liechtenstein', 'LK': 'Sri Lanka', 'LR': 'Liberia', 'LS': 'Lesotho',
    'LT': 'Lithuania', 'LU': 'Luxembourg', 'LV': 'Latvia', 'LY': 'Libya', 'MA': 'Morocco', 'MC': 'Monaco',
    'MD': 'Moldova, Republic of', 'ME': 'Montenegro', 'MF': 'Saint Martin (French part)', 'MG': 'Madagascar',
    'MH': 'Marshall Islands', 'MK': 'North Macedonia', 'ML': 'Mali', 'MM': 'Myanmar', 'MN': 'Mongolia',
    'MO': 'Macao', 'MP': 'Northern Mariana Islands', 'MQ': 'Martinique', 'MR': 'Mauritania', 'MS': 'Montserrat',
    'MT': 'Malta', 'MU': 'Mauritius', 'MV': 'Maldives', 'MW': 'Malawi', 'MX': 'Mexico', 'MY': 'Malaysia',
    'MZ': 'Mozambique', 'NA': 'Namibia', 'NC': 'New Caledonia', 'NE': 'Niger', 'NF': 'Norfolk Island',
    'NG': 'Nigeria', 'NI': 'Nicaragua', 'NL': 'Netherlands', 'NO': 'Norway', 'NP': 'Nepal', 'NR': 'Nauru',
    'NU': 'Niue', 'NZ': 'New Zealand', 'OM': 'Oman', 'PA': 'Panama', 'PE': 'Peru', 'PF': 'French Polynesia',
    'PG': 'Papua New Guinea', 'PH': 'Philippines', 'PK': 'Pakistan', 'PL': 'Poland',
    'PM': 'Saint Pierre and Miquelon', 'PN': 'Pitcairn', 'PR': 'Puerto Rico', 'PS': 'Palestine, State of',
    'PT': 'Portugal', 'PW': 'Palau', 'PY': 'Paraguay', 'QA': 'Qatar', 'RE': 'Réunion', 'RO': 'Romania',
    'RS': 'Serbia', 'RU': 'Russian Federation', 'RW': 'Rwanda', 'SA': 'Saudi Arabia', 'SB': 'Solomon Islands',
    'SC': 'Seychelles', 'SD': 'Sudan', 'SE': 'Sweden', 'SG': 'Singapore',
    'SH': 'Saint Helena, Ascension and Tristan da Cunha', 'SI': 'Slovenia', 'SJ': 'Svalbard and Jan Mayen',
    'SK': 'Slovakia', 'SL': 'Sierra Leone', 'SM': 'San Marino', 'SN': 'Senegal', 'SO': 'Somalia', 'SR': 'Suriname',
    'SS': 'South Sudan', 'ST': 'Sao Tome and Principe', 'SV': 'El Salvador', 'SX': 'Sint Maarten (Dutch part)',
    'SY': 'Syrian Arab Republic', 'SZ': 'Eswatini', 'TC': 'Turks and Caicos Islands', 'TD': 'Chad',
    'TF': 'French Southern Territories', 'TG': 'Togo', 'TH': 'Thailand', 'TJ': 'Tajikistan', 'TK': 'Tokelau',
    'TL': 'Timor-Leste', 'TM': 'Turkmenistan', 'TN': 'Tunisia', 'TO': 'Tonga', 'TR': 'Türkiye',
    'TT': 'Trinidad and Tobago', 'TV': 'Tuvalu', 'TW': 'Taiwan, Province of China',
    'TZ': 'Tanzania, United Republic of', 'UA': 'Ukraine', 'UG': 'Uganda',
    'UM': 'United States Minor Outlying Islands', 'US': 'United States', 'UY': 'Uruguay', 'UZ': 'Uzbekistan',
    'VA': 'Holy See (Vatican City State)', 'VC': 'Saint Vincent and the Grenadines',
    'VE': 'Venezuela, Bolivarian Republic of', 'VG': 'Virgin Islands, British', 'VI': 'Virgin Islands, U.S.',
    'VN': 'Viet Nam', 'VU': 'Vanuatu', 'WF': 'Wallis and Futuna', 'WS': 'Samoa', 'YE': 'Yemen', 'YT': 'Mayotte',
    'ZA': 'South Africa', 'ZM': 'Zambia', 'ZW': 'Zimbabwe'
};
CREATE OR REPLACE MACRO iso_three_letters() AS MAP {
    'AND': 'AD', 'ARE': 'AE', 'AFG': 'AF', 'ATG': 'AG', 'AIA': 'AI', 'ALB': 'AL', 'ARM': 'AM', 'AGO': 'AO',
    'ATA': 'AQ', 'ARG': 'AR', 'ASM': 'AS', 'AUT': 'AT', 'AUS': 'AU', 'ABW': 'AW', 'ALA': 'AX', 'AZE': 'AZ',
    'BIH': 'BA', 'BRB': 'BB', 'BGD': 'BD', 'BEL': 'BE', 'BFA': 'BF', 'BGR': 'BG', 'BHR': 'BH', 'BDI': 'BI',
    'BEN': 'BJ', 'BLM': 'BL', 'BMU': 'BM', 'BRN': 'BN', 'BOL': 'BO', 'BES': 'BQ', 'BRA': 'BR', 'BHS': 'BS',
    'BTN': 'BT', 'BVT': 'BV', 'BWA': 'BW', 'BLR': 'BY', 'BLZ': 'BZ', 'CAN': 'CA', 'CCK': 'CC', 'COD': 'CD',
    'CAF': 'CF', 'COG': 'CG', 'CHE': 'CH', 'CIV': 'CI', 'COK': 'CK', 'CHL': 'CL', 'CMR': 'CM', 'CHN': 'CN',
    'COL': 'CO', 'CRI': 'CR', 'CUB': 'CU', 'CPV': 'CV', 'CUW': 'CW', 'CXR': 'CX', 'CYP': 'CY', 'CZE': 'CZ',
    'DEU': 'DE', 'DJI': 'DJ', 'DNK': 'DK', 'DMA': 'DM', 'DOM': 'DO', 'DZA': 'DZ', 'ECU': 'EC', 'EST': 'EE',
    'EGY': 'EG', 'ESH': 'EH', 'ERI': 'ER', 'ESP': 'ES', 'ETH': 'ET', 'FIN': 'FI', 'FJI': 'FJ', 'FLK': 'FK',
    'FSM': 'FM', 'FRO': 'FO', 'FRA': 'FR', 'GAB': 'GA', 'GBR': 'GB', 'GRD': 'GD', 'GEO': 'GE', 'GUF': 'GF',
    'GGY': 'GG', 'GHA': 'GH', 'GIB': 'GI', 'GRL': 'GL', 'GMB': 'GM', 'GIN': 'GN', 'GLP': 'GP', 'GNQ': 'GQ',
    'GRC': 'GR', 'SGS': 'GS', 'GTM': 'GT', 'GUM': 'GU', 'GNB': 'GW', 'GUY': 'GY', 'HKG': 'HK', 'HMD': 'HM',
    'HND': 'HN', 'HRV': 'HR', 'HTI': 'HT', 'HUN': 'HU', 'IDN': 'ID', 'IRL': 'IE', 'ISR': 'IL', 'IMN': 'IM',
    'IND': 'IN', 'IOT': 'IO', 'IRQ': 'IQ', 'IRN': 'IR', 'ISL': 'IS', 'ITA': 'IT', 'JEY': 'JE', 'JAM': 'JM',
    'JOR': 'JO', 'JPN': 'JP', 'KEN': 'KE', 'KGZ': 'KG', 'KHM': 'KH', 'KIR': 'KI', 'COM': 'KM', 'KNA': 'KN',
    'PRK': 'KP', 'KOR': 'KR', 'KWT': 'KW', 'CYM': 'KY', 'KAZ': 'KZ', 'LAO': 'LA', 'LBN': 'LB', 'LCA': 'LC',
    'LIE': 'LI', 'LKA': 'LK', 'LBR': 'LR', 'LSO': 'LS', 'LTU': 'LT', 'LUX': 'LU', 'LVA': 'LV', 'LBY': 'LY',
    'MAR': 'MA', 'MCO': 'MC', 'MDA': 'MD', 'MNE': 'ME', 'MAF': 'MF', 'MDG': 'MG', 'MHL': 'MH', 'MKD': 'MK',
    'MLI': 'ML', 'MMR': 'MM', 'MNG': 'MN', 'MAC': 'MO', 'MNP': 'MP', 'MTQ': 'MQ', 'MRT': 'MR', 'MSR': 'MS',
    'MLT': 'MT', 'MUS': 'MU', 'MDV': 'MV', 'MWI': 'MW', 'MEX': 'MX', 'MYS': 'MY', 'MOZ': 'MZ', 'NAM': 'NA',
    'NCL': 'NC', 'NER': 'NE', 'NFK': 'NF', 'NGA': 'NG', 'NIC': 'NI', 'NLD': 'NL', 'NOR': 'NO', 'NPL': 'NP',
    'NRU': 'NR', 'NIU': 'NU', 'NZL': 'NZ', 'OMN': 'OM', 'PAN': 'PA', 'PER': 'PE', 'PYF': 'PF', 'PNG': 'PG',
    'PHL': 'PH', 'PAK': 'PK', 'POL': 'PL', 'SPM': 'PM', 'PCN': 'PN', 'PRI': 'PR', 'PSE': 'PS', 'PRT': 'PT',
    'PLW': 'PW', 'PRY': 'PY', 'QAT': 'QA', 'REU': 'RE', 'ROU': 'RO', 'SRB': 'RS', 'RUS': 'RU', 'RWA': 'RW',
    'SAU': 'SA', 'SLB': 'SB', 'SYC': 'SC', 'SDN': 'SD', 'SWE': 'SE', 'SGP': 'SG', 'SHN': 'SH', 'SVN': 'SI',
    'SJM': 'SJ', 'SVK': 'SK', 'SLE': 'SL', 'SMR': 'SM', 'SEN': 'SN', 'SOM': 'SO', 'SUR': 'SR', 'SSD': 'SS',
    'STP': 'ST', 'SLV': 'SV', 'SXM': 'SX', 'SYR': 'SY', 'SWZ': 'SZ', 'TCA': 'TC', 'TCD': 'TD', 'ATF': 'TF',
    'TGO': 'TG', 'THA': 'TH', 'TJK': 'TJ', 'TKL': 'TK', 'TLS': 'TL', 'TKM': 'TM', 'TUN': 'TN', 'TON': 'TO',
    'TUR': 'TR', 'TTO': 'TT', 'TUV': 'TV', 'TWN': 'TW', 'TZA': 'TZ', 'UKR': 'UA', 'UGA': 'UG', 'UMI': 'UM',
    'USA': 'US', 'URY': 'UY', 'UZB': 'UZ', 'VAT': 'VA', 'VCT': 'VC', 'VEN': 'VE', 'VGB': 'VG', 'VIR': 'VI',
    'VNM': 'VN', 'VUT': 'VU', 'WLF': 'WF', 'WSM': 'WS', 'YEM': 'YE', 'MYT': 'YT', 'ZAF': 'ZA', 'ZMB': 'ZM',
    'ZWE': 'ZW'
};
CREATE OR REPLACE MACRO iso_folded() AS
  map_from_entries(list_transform(map_entries(iso_names()), lambda e: struct_pack(k := fold(e.value), v := e.key)));
CREATE OR REPLACE MACRO country_of_folded(f) AS
  CASE WHEN f IN ('gb', 'uk', 'unitedkingdom') THEN 'GB'
       WHEN f IN ('ie', 'ireland') THEN 'IE'
       WHEN strlen(f) = 2 AND iso_names()[upper(f)] IS NOT NULL THEN upper(f)
       ELSE coalesce(iso_three_letters()[upper(f)], iso_folded()[f]) END;
-- Two letters, three letters or the name -> two letters; NULL if it is none of these.
CREATE OR REPLACE MACRO country_code(x) AS
  CASE WHEN x = 'GB' OR x = 'IE' THEN x
       ELSE list_transform([fold(x)], lambda land: country_of_folded(land))[1] END;
CREATE OR REPLACE MACRO country_cell(x, code) AS
  CASE WHEN code IS NULL THEN struct_pack(v := clean(x), note := 'R-COUNTRY', bad := FALSE) ELSE cell(iso_names()[code]) END;
CREATE OR REPLACE MACRO tf_country(x) AS
  CASE WHEN x = 'GB' THEN cell('United Kingdom')
       WHEN x = 'IE' THEN cell('Ireland')
       WHEN x IS NULL OR is_blank(x) THEN empty_cell()
       WHEN has_surrogate(x) THEN refused('R-TEXT-SURROGATE')
       ELSE list_transform([country_code(x)], lambda code: country_cell(x, code))[1] END;
