"""A faithful sandbox of a Salesforce org and an AeronaClinic practice; shares no code with chartlift."""
