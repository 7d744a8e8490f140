"""The clinic's export files, a ZIP or a folder, read behind the same port as its API."""
