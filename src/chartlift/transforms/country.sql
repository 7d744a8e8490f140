-- ISO 3166-1 by two letters, three letters, name and folded name, each list in the same order. They are constants, built once
-- per statement. The United Kingdom and Ireland come first below, because nearly all rows are theirs.
CREATE OR REPLACE MACRO iso_two() AS string_split(
  'AD|AE|AF|AG|AI|AL|AM|AO|AQ|AR|AS|AT|AU|AW|AX|AZ|BA|BB|BD|BE|BF|BG|BH|BI|BJ|BL|BM|BN|BO|BQ|BR|BS|BT|BV|BW|BY|'
  'BZ|CA|CC|CD|CF|CG|CH|CI|CK|CL|CM|CN|CO|CR|CU|CV|CW|CX|CY|CZ|DE|DJ|DK|DM|DO|DZ|EC|EE|EG|EH|ER|ES|ET|FI|FJ|FK|'
  'FM|FO|FR|GA|GB|GD|GE|GF|GG|GH|GI|GL|GM|GN|GP|GQ|GR|GS|GT|GU|GW|GY|HK|HM|HN|HR|HT|HU|ID|IE|IL|IM|IN|IO|IQ|IR|'
  'IS|IT|JE|JM|JO|JP|KE|KG|KH|KI|KM|KN|KP|KR|KW|KY|KZ|LA|LB|LC|LI|LK|LR|LS|LT|LU|LV|LY|MA|MC|MD|ME|MF|MG|MH|MK|'
  'ML|MM|MN|MO|MP|MQ|MR|MS|MT|MU|MV|MW|MX|MY|MZ|NA|NC|NE|NF|NG|NI|NL|NO|NP|NR|NU|NZ|OM|PA|PE|PF|PG|PH|PK|PL|PM|'
  'PN|PR|PS|PT|PW|PY|QA|RE|RO|RS|RU|RW|SA|SB|SC|SD|SE|SG|SH|SI|SJ|SK|SL|SM|SN|SO|SR|SS|ST|SV|SX|SY|SZ|TC|TD|TF|'
  'TG|TH|TJ|TK|TL|TM|TN|TO|TR|TT|TV|TW|TZ|UA|UG|UM|US|UY|UZ|VA|VC|VE|VG|VI|VN|VU|WF|WS|YE|YT|ZA|ZM|ZW', '|');
CREATE OR REPLACE MACRO iso_three() AS string_split(
  'AND|ARE|AFG|ATG|AIA|ALB|ARM|AGO|ATA|ARG|ASM|AUT|AUS|ABW|ALA|AZE|BIH|BRB|BGD|BEL|BFA|BGR|BHR|BDI|BEN|BLM|BMU|'
  'BRN|BOL|BES|BRA|BHS|BTN|BVT|BWA|BLR|BLZ|CAN|CCK|COD|CAF|COG|CHE|CIV|COK|CHL|CMR|CHN|COL|CRI|CUB|CPV|CUW|CXR|'
  'CYP|CZE|DEU|DJI|DNK|DMA|DOM|DZA|ECU|EST|EGY|ESH|ERI|ESP|ETH|FIN|FJI|FLK|FSM|FRO|FRA|GAB|GBR|GRD|GEO|GUF|GGY|'
  'GHA|GIB|GRL|GMB|GIN|GLP|GNQ|GRC|SGS|GTM|GUM|GNB|GUY|HKG|HMD|HND|HRV|HTI|HUN|IDN|IRL|ISR|IMN|IND|IOT|IRQ|IRN|'
  'ISL|ITA|JEY|JAM|JOR|JPN|KEN|KGZ|KHM|KIR|COM|KNA|PRK|KOR|KWT|CYM|KAZ|LAO|LBN|LCA|LIE|LKA|LBR|LSO|LTU|LUX|LVA|'
  'LBY|MAR|MCO|MDA|MNE|MAF|MDG|MHL|MKD|MLI|MMR|MNG|MAC|MNP|MTQ|MRT|MSR|MLT|MUS|MDV|MWI|MEX|MYS|MOZ|NAM|NCL|NER|'
  'NFK|NGA|NIC|NLD|NOR|NPL|NRU|NIU|NZL|OMN|PAN|PER|PYF|PNG|PHL|PAK|POL|SPM|PCN|PRI|PSE|PRT|PLW|PRY|QAT|REU|ROU|'
  'SRB|RUS|RWA|SAU|SLB|SYC|SDN|SWE|SGP|SHN|SVN|SJM|SVK|SLE|SMR|SEN|SOM|SUR|SSD|STP|SLV|SXM|SYR|SWZ|TCA|TCD|ATF|'
  'TGO|THA|TJK|TKL|TLS|TKM|TUN|TON|TUR|TTO|TUV|TWN|TZA|UKR|UGA|UMI|USA|URY|UZB|VAT|VCT|VEN|VGB|VIR|VNM|VUT|WLF|'
  'WSM|YEM|MYT|ZAF|ZMB|ZWE', '|');
CREATE OR REPLACE MACRO iso_names() AS string_split(
  'Andorra|United Arab Emirates|Afghanistan|Antigua and Barbuda|Anguilla|Albania|Armenia|Angola|Antarctica|'
  'Argentina|American Samoa|Austria|Australia|Aruba|Åland Islands|Azerbaijan|Bosnia and Herzegovina|Barbados|'
  'Bangladesh|Belgium|Burkina Faso|Bulgaria|Bahrain|Burundi|Benin|Saint Barthélemy|Bermuda|Brunei Darussalam|'
  'Bolivia, Plurinational State of|Bonaire, Sint Eustatius and Saba|Brazil|Bahamas|Bhutan|Bouvet Island|Botswana|'
  'Belarus|Belize|Canada|Cocos (Keeling) Islands|Congo, The Democratic Republic of the|Central African Republic|'
  'Congo|Switzerland|Côte d''Ivoire|Cook Islands|Chile|Cameroon|China|Colombia|Costa Rica|Cuba|Cabo Verde|'
  'Curaçao|Christmas Island|Cyprus|Czechia|Germany|Djibouti|Denmark|Dominica|Dominican Republic|Algeria|Ecuador|'
  'Estonia|Egypt|Western Sahara|Eritrea|Spain|Ethiopia|Finland|Fiji|Falkland Islands (Malvinas)|'
  'Micronesia, Federated States of|Faroe Islands|France|Gabon|United Kingdom|Grenada|Georgia|French Guiana|'
  'Guernsey|Ghana|Gibraltar|Greenland|Gambia|Guinea|Guadeloupe|Equatorial Guinea|Greece|'
  'South Georgia and the South Sandwich Islands|Guatemala|Guam|Guinea-Bissau|Guyana|Hong Kong|'
  'Heard Island and McDonald Islands|Honduras|Croatia|Haiti|Hungary|Indonesia|Ireland|Israel|Isle of Man|India|'
  'British Indian Ocean Territory|Iraq|Iran, Islamic Republic of|Iceland|Italy|Jersey|Jamaica|Jordan|Japan|Kenya|'
  'Kyrgyzstan|Cambodia|Kiribati|Comoros|Saint Kitts and Nevis|Korea, Democratic People''s Republic of|'
  'Korea, Republic of|Kuwait|Cayman Islands|Kazakhstan|Lao People''s Democratic Republic|Lebanon|Saint Lucia|'
  'Liechtenstein|Sri Lanka|Liberia|Lesotho|Lithuania|Luxembourg|Latvia|Libya|Morocco|Monaco|Moldova, Republic of|'
  'Montenegro|Saint Martin (French part)|Madagascar|Marshall Islands|North Macedonia|Mali|Myanmar|Mongolia|Macao|'
  'Northern Mariana Islands|Martinique|Mauritania|Montserrat|Malta|Mauritius|Maldives|Malawi|Mexico|Malaysia|'
  'Mozambique|Namibia|New Caledonia|Niger|Norfolk Island|Nigeria|Nicaragua|Netherlands|Norway|Nepal|Nauru|Niue|'
  'New Zealand|Oman|Panama|Peru|French Polynesia|Papua New Guinea|Philippines|Pakistan|Poland|'
  'Saint Pierre and Miquelon|Pitcairn|Puerto Rico|Palestine, State of|Portugal|Palau|Paraguay|Qatar|Réunion|'
  'Romania|Serbia|Russian Federation|Rwanda|Saudi Arabia|Solomon Islands|Seychelles|Sudan|Sweden|Singapore|'
  'Saint Helena, Ascension and Tristan da Cunha|Slovenia|Svalbard and Jan Mayen|Slovakia|Sierra Leone|San Marino|'
  'Senegal|Somalia|Suriname|South Sudan|Sao Tome and Principe|El Salvador|Sint Maarten (Dutch part)|'
  'Syrian Arab Republic|Eswatini|Turks and Caicos Islands|Chad|French Southern Territories|Togo|Thailand|'
  'Tajikistan|Tokelau|Timor-Leste|Turkmenistan|Tunisia|Tonga|Türkiye|Trinidad and Tobago|Tuvalu|'
  'Taiwan, Province of China|Tanzania, United Republic of|Ukraine|Uganda|United States Minor Outlying Islands|'
  'United States|Uruguay|Uzbekistan|Holy See (Vatican City State)|Saint Vincent and the Grenadines|'
  'Venezuela, Bolivarian Republic of|Virgin Islands, British|Virgin Islands, U.S.|Viet Nam|Vanuatu|'
  'Wallis and Futuna|Samoa|Yemen|Mayotte|South Africa|Zambia|Zimbabwe', '|');
CREATE OR REPLACE MACRO iso_folded() AS string_split(
  'andorra|unitedarabemirates|afghanistan|antiguaandbarbuda|anguilla|albania|armenia|angola|antarctica|argentina|'
  'americansamoa|austria|australia|aruba|ålandislands|azerbaijan|bosniaandherzegovina|barbados|bangladesh|'
  'belgium|burkinafaso|bulgaria|bahrain|burundi|benin|saintbarthélemy|bermuda|bruneidarussalam|'
  'boliviaplurinationalstateof|bonairesinteustatiusandsaba|brazil|bahamas|bhutan|bouvetisland|botswana|belarus|'
  'belize|canada|cocoskeelingislands|congothedemocraticrepublicofthe|centralafricanrepublic|congo|switzerland|'
  'côtedivoire|cookislands|chile|cameroon|china|colombia|costarica|cuba|caboverde|curaçao|christmasisland|cyprus|'
  'czechia|germany|djibouti|denmark|dominica|dominicanrepublic|algeria|ecuador|estonia|egypt|westernsahara|'
  'eritrea|spain|ethiopia|finland|fiji|falklandislandsmalvinas|micronesiafederatedstatesof|faroeislands|france|'
  'gabon|unitedkingdom|grenada|georgia|frenchguiana|guernsey|ghana|gibraltar|greenland|gambia|guinea|guadeloupe|'
  'equatorialguinea|greece|southgeorgiaandthesouthsandwichislands|guatemala|guam|guineabissau|guyana|hongkong|'
  'heardislandandmcdonaldislands|honduras|croatia|haiti|hungary|indonesia|ireland|israel|isleofman|india|'
  'britishindianoceanterritory|iraq|iranislamicrepublicof|iceland|italy|jersey|jamaica|jordan|japan|kenya|'
  'kyrgyzstan|cambodia|kiribati|comoros|saintkittsandnevis|koreademocraticpeoplesrepublicof|korearepublicof|'
  'kuwait|caymanislands|kazakhstan|laopeoplesdemocraticrepublic|lebanon|saintlucia|liechtenstein|srilanka|'
  'liberia|lesotho|lithuania|luxembourg|latvia|libya|morocco|monaco|moldovarepublicof|montenegro|'
  'saintmartinfrenchpart|madagascar|marshallislands|northmacedonia|mali|myanmar|mongolia|macao|'
  'northernmarianaislands|martinique|mauritania|montserrat|malta|mauritius|maldives|malawi|mexico|malaysia|'
  'mozambique|namibia|newcaledonia|niger|norfolkisland|nigeria|nicaragua|netherlands|norway|nepal|nauru|niue|'
  'newzealand|oman|panama|peru|frenchpolynesia|papuanewguinea|philippines|pakistan|poland|saintpierreandmiquelon|'
  'pitcairn|puertorico|palestinestateof|portugal|palau|paraguay|qatar|réunion|romania|serbia|russianfederation|'
  'rwanda|saudiarabia|solomonislands|seychelles|sudan|sweden|singapore|sainthelenaascensionandtristandacunha|'
  'slovenia|svalbardandjanmayen|slovakia|sierraleone|sanmarino|senegal|somalia|suriname|southsudan|'
  'saotomeandprincipe|elsalvador|sintmaartendutchpart|syrianarabrepublic|eswatini|turksandcaicosislands|chad|'
  'frenchsouthernterritories|togo|thailand|tajikistan|tokelau|timorleste|turkmenistan|tunisia|tonga|türkiye|'
  'trinidadandtobago|tuvalu|taiwanprovinceofchina|tanzaniaunitedrepublicof|ukraine|uganda|'
  'unitedstatesminoroutlyingislands|unitedstates|uruguay|uzbekistan|holyseevaticancitystate|'
  'saintvincentandthegrenadines|venezuelabolivarianrepublicof|virginislandsbritish|virginislandsus|vietnam|'
  'vanuatu|wallisandfutuna|samoa|yemen|mayotte|southafrica|zambia|zimbabwe', '|');
CREATE OR REPLACE MACRO country_of_folded(f) AS
  CASE WHEN f IN ('gb', 'uk', 'unitedkingdom') THEN 'GB'
       WHEN f IN ('ie', 'ireland') THEN 'IE'
       WHEN strlen(f) = 2 THEN iso_two()[nullif(list_position(iso_two(), upper(f)), 0)]
       WHEN strlen(f) = 3 THEN iso_two()[nullif(list_position(iso_three(), upper(f)), 0)]
       ELSE iso_two()[nullif(list_position(iso_folded(), f), 0)] END;
-- Two letters, three letters or the name -> two letters; NULL if it is none of these.
CREATE OR REPLACE MACRO country_code(x) AS
  CASE WHEN x = 'GB' OR x = 'IE' THEN x
       ELSE list_transform([fold(x)], lambda land: country_of_folded(land))[1] END;
CREATE OR REPLACE MACRO country_name(code) AS iso_names()[nullif(list_position(iso_two(), code), 0)];
CREATE OR REPLACE MACRO country_cell(x, name) AS
  CASE WHEN name IS NULL THEN struct_pack(v := clean(x), note := 'R-COUNTRY', bad := FALSE) ELSE cell(name) END;
CREATE OR REPLACE MACRO tf_country(x) AS
  CASE WHEN x = 'GB' THEN cell('United Kingdom')
       WHEN x = 'IE' THEN cell('Ireland')
       WHEN is_blank(x) THEN empty_cell()
       WHEN has_surrogate(x) THEN refused('R-TEXT-SURROGATE')
       ELSE list_transform(
         list_transform([struct_pack(x := x, code := country_code(x))],
                        lambda nation: struct_pack(x := nation.x, name := country_name(nation.code))),
         lambda named: country_cell(named.x, named.name))[1] END;
