"""SOSL: the language of FIND, what it means for a record, and the search service over REST."""
