"""A Salesforce org that behaves like the real one on the wire."""
