"""Where a workspace keeps what it knows: encrypted staging, journal, audit trail and files, and their keys."""
