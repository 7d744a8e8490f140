"""Hand-made pools of names, streets and towns of the two islands, by culture."""

# ruff: noqa: RUF001 - people and clinics type the signs of their own keyboards

GIVEN_FEMALE: dict[str, tuple[str, ...]] = {
    "english": (
        "Emma",
        "Olivia",
        "Margaret",
        "Jean",
        "Sarah",
        "Claire",
        "Hannah",
        "Patricia",
        "Lucy",
        "Joan",
        "Amelia",
    ),
    "irish": ("Aoife", "Niamh", "Caoimhe", "Róisín", "Sinéad", "Gráinne", "Bríd", "Siobhán", "Órla", "Máire"),
    "welsh": ("Siân", "Angharad", "Cerys", "Llinos", "Nerys", "Tŷra"),
    "polish": ("Żaneta", "Agnieszka", "Małgorzata", "Zofia", "Kasia"),
    "baltic": ("Ștefania", "Rūta", "Ilinca", "Živilė", "Ioana"),
    "asian": ("Priya", "Fatima", "Mei Ling", "Ayesha", "Nguyễn"),
}
GIVEN_MALE: dict[str, tuple[str, ...]] = {
    "english": ("James", "Oliver", "William", "Peter", "Thomas", "Harry", "George", "Kenneth", "Noah", "Ian", "Jack"),
    "irish": ("Seán", "Pádraig", "Eoghan", "Oisín", "Ciarán", "Tadhg", "Cormac", "Fionn", "Liam", "Donal"),
    "welsh": ("Llŷr", "Gethin", "Rhys", "Emyr", "Iestyn", "Siôn"),
    "polish": ("Łukasz", "Wojciech", "Paweł", "Michał", "Grzegorz"),
    "baltic": ("Șerban", "Jonas", "Tudor", "Mindaugas", "Andrius"),
    "asian": ("Imran", "Arjun", "Wei", "Mohammed", "Tariq"),
}
FAMILY: dict[str, tuple[str, ...]] = {
    "english": (
        "Smith", "Taylor", "Brown", "Wilson", "Evans-Hughes", "Clarke", "Wright", "Baker", "Turner", "Hill", "Parker",
        "Cooper", "Ward", "de Courcy", "MacDonald", "Fletcher", "Marsh", "Thornton", "Pemberton-Jones", "Lowe",
    ),
    "irish": (
        "O'Brien", "O’Neill", "Ó Súilleabháin", "Ní Bhriain", "Murphy", "Kelly", "Byrne", "McGuinness", "Doherty",
        "Nic Giolla Bhríde", "Gallagher", "O'Connor", "Mac Aodha", "Fitzgerald", "D’Arcy", "Quinn", "Ó hEadhra",
    ),
    "welsh": ("Llewellyn", "ap Rhys", "Pryce", "Gwynne", "Ŵyn", "Bowen", "Morgan"),
    "polish": ("Wiśniewski", "Kowalska", "Wójcik", "Żuk", "Łęcki", "Dąbrowski"),
    "baltic": ("Șerbănescu", "Kazlauskienė", "Țurcanu", "Šimkus", "Popescu"),
    "asian": ("Khan", "Patel", "Nguyen", "Chen", "Begum", "Singh"),
}  # fmt: skip
#: What people are called at home, by the name on their papers.
NICKNAMES: dict[str, str] = {
    "Emma": "Em", "Olivia": "Liv", "Margaret": "Peggy", "Jean": "Jeannie", "Sarah": "Sally", "Claire": "Clairey",
    "Hannah": "Han", "Patricia": "Trish", "Lucy": "Lu", "Joan": "Joanie", "Amelia": "Millie", "Aoife": "Eva",
    "Niamh": "Neevie", "Caoimhe": "Keeva", "Róisín": "Rosie", "Sinéad": "Jane", "Gráinne": "Gráinnín",
    "Bríd": "Bridie", "Siobhán": "Shiv", "Órla": "Orlie", "Máire": "Mary", "Siân": "Shan", "Angharad": "Anghie",
    "Cerys": "Ces", "Llinos": "Llin", "Nerys": "Ner", "Tŷra": "Ty", "Żaneta": "Zanka", "Agnieszka": "Aga",
    "Małgorzata": "Gosia", "Zofia": "Zosia", "Kasia": "Kaśka", "Ștefania": "Fani", "Rūta": "Rutelė", "Ilinca": "Ili",
    "Živilė": "Živa", "Ioana": "Oana", "Priya": "Pri", "Fatima": "Fati", "Ayesha": "Ash", "James": "Jim",
    "Oliver": "Ollie", "William": "Bill", "Peter": "Pete", "Thomas": "Tom", "Harry": "Hal", "George": "Georgie",
    "Kenneth": "Ken", "Noah": "Noe", "Ian": "Iain", "Jack": "Jackie", "Seán": "Johnny", "Pádraig": "Paddy",
    "Eoghan": "Owen", "Oisín": "Ush", "Ciarán": "Kier", "Tadhg": "Tim", "Cormac": "Mac", "Fionn": "Finn",
    "Liam": "Willie", "Donal": "Dan", "Llŷr": "Llyri", "Gethin": "Geth", "Rhys": "Rhysie", "Emyr": "Em",
    "Iestyn": "Iest", "Siôn": "Shôn", "Łukasz": "Łukaszek", "Wojciech": "Wojtek", "Paweł": "Pawełek",
    "Michał": "Misiek", "Grzegorz": "Grzesiek", "Șerban": "Șerbi", "Jonas": "Jonukas", "Tudor": "Tudorel",
    "Mindaugas": "Mindė", "Andrius": "Andžius", "Imran": "Immy", "Arjun": "AJ", "Wei": "Wey", "Mohammed": "Mo",
    "Tariq": "Taz", "Nguyễn": "Nguyen", "Mei Ling": "May",
}  # fmt: skip
CULTURES: tuple[tuple[str, int], ...] = (
    ("english", 55),
    ("irish", 22),
    ("welsh", 6),
    ("polish", 8),
    ("baltic", 4),
    ("asian", 5),
)

STREETS: dict[str, tuple[str, ...]] = {
    "GB": ("Ormeau Road", "Station Street", "Heol y Bont", "Church Lane", "St. John’s Terrace", "Mill Brow",
    "High Street",
           "Cliftonville Avenue", "The Crescent", "Old Brewery Yard"),
    "IE": ("Sráid an Chaisleáin", "Main Street", "Bóthar na Trá", "Patrick Street", "Seapoint Avenue", "Quay Street",
           "Ard na Gréine", "Dublin Road", "Upper O'Connell Street"),
}  # fmt: skip
#: (town, county, postcode area or routing key)
TOWNS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "GB-NI": (("Belfast", "Antrim", "BT7"), ("Newry", "Down", "BT34"), ("Lisburn", "Antrim", "BT28")),
    "GB": (("Cardiff", "South Glamorgan", "CF10"), ("London", "Greater London", "W1G"), ("Leeds", "West Yorkshire",
    "LS6"),
           ("Chester", "Cheshire", "CH2")),
    "IE": (("Dublin", "Dublin", "D02"), ("Dundalk", "Louth", "A91"), ("Galway", "Galway", "H91"), ("Cork", "Cork",
    "T12"),
           ("Dublin", "Dublin", "D6W")),
}  # fmt: skip
INWARD_LETTERS = "ABDEFGHJLNPQRSTUWXYZ"
EIRCODE_SIGNS = "0123456789ACDEFHKNPRTVWXY"

ALLERGENS = (
    "Penicillin",
    "Latex",
    "Ibuprofen",
    "Lidocaine",
    "Nickel",
    "Amoxicillin",
    "Elastoplast",
    "Nuts",
    "Chlorhexidine",
)
REACTIONS = ("Rash", "Anaphylaxis", "Swelling", "Nausea", None, "Hives", "Wheeze")
CONDITIONS = (
    "Type 2 diabetes",
    "Hypertension",
    "Asthma",
    "Epilepsy",
    "Atrial fibrillation",
    "Pregnancy",
    "Angina",
    "Crohn’s disease",
    "Sjögren’s syndrome",
    "Osteoporosis",
)
MEDICINES = (
    ("Metformin", "500 mg twice daily"),
    ("Warfarin", "3 mg"),
    ("Alendronic acid", "70 mg weekly"),
    ("Salbutamol", "100 µg as needed"),
    ("Amlodipine", "5 mg"),
    ("Apixaban", None),
)
INSURERS = ("Denplan", "Bupa", "VHI", "Laya", "Simplyhealth", "Irish Life")
EXEMPTIONS = ("UNDER_18", "MATERNITY", "HC2", "HC3", "UNIVERSAL_CREDIT", "FT_EDUCATION_18")
NOTE_PHRASES = (
    "Text reminder sent",
    "Prefers mornings",
    "Nervous pt, allow extra time",
    "Pt running 10 min late",
    "Bring completed med hx form",
    "Rang to confirm – no answer",
    "LA needed. Check INR first.",
    "Mum will attend with child",
    "X-rays due (bitewings)",
    "Wheelchair user: ground-floor surgery",
    "Pain UR quadrant since Tuesday",
    "Fee explained: £76.60",
)
