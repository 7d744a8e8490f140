"""Named switches: what an administrator can turn on or off, and what no public source settles.

The defaults are the documented behaviour where there is one, else the stricter reading, so that a loader which
passes here is not surprised elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class OrgSettings:
    """Switches of one org."""

    set_audit_fields: bool = True
    """Setup, User Interface: the two audit permissions exist and can be granted."""
    duplicate_rule_contact: bool = True
    """Active rule on Contact: same first name, last name and e-mail. Blocks unless the caller may save anyway."""
    line_break_counts_two: bool = True
    """In text areas a line end counts two against the limit, because it may be kept as CR LF."""
    picklist_ignores_case: bool = True
    """Restricted picklists match values in any case and store the defined spelling."""
    date_accepts_z: bool = True
    """Dates may carry a trailing Z, as two samples of the Bulk guide do."""
    datetime_without_zone: bool = False
    """Date-times without a zone are read as UTC instead of being refused."""
    future_created_date: bool = False
    """CreatedDate may lie in the future."""
    system_administrator_sees_opt_outs: bool = False
    """Profiles grant the opt-out checkboxes of Contact from the start."""
    contacts_to_multiple_accounts: bool = True
    """Contacts to Multiple Accounts: AccountContactRelation exists and follows the contacts."""
    account_teams: bool = True
    """Account Teams: AccountTeamMember exists."""
    territories: bool = True
    """Sales Territories: territories, their models and associations exist."""
    keep_previous_account_relation: bool = False
    """A contact that changes its account stays related to the old one, indirectly."""
    archive_after_days: int = 365
    """Closed tasks and past events older than this are archived."""
    person_accounts: bool = False
    """Person Accounts: cannot be turned off again."""
    multi_currency: bool = False
    """Several currencies, GBP the corporate one: cannot be turned off again."""
    state_country_picklists: bool = False
    """State and Country picklists: addresses take listed places only; cannot be turned off again."""
    query_lag_s: float = 0.0
    """Queries do not see records that were created within the last so many virtual seconds."""
    bulk_query_java_doubles: bool = True
    """Numbers in the results of query jobs are written as Java writes a double."""
    bulk_query_z_datetimes: bool = True
    """Date-times in the results of query jobs end in Z, not in +0000 as in REST."""
    bulk_skips_bom: bool = True
    """A byte order mark before the header of an upload is skipped instead of becoming part of the first name."""
    text_area_line_ends: str = "as_sent"
    """What the line ends of text areas are when they are read back: as_sent, lf or crlf."""
    event_max_days: int = 14
    """Longest event in days; 0 for no limit."""
    email_message_locked_once_sent: bool = True
    """EmailMessage takes no more changes once its status is not Draft."""
    value_set_deploy_deactivates: bool = True
    """Entries left out of a deployed value set become inactive instead of staying as they are."""
    deploy_unpacked_mb: int = 400
    """Size of the files of a deployment once they are unpacked; newer pages say 600."""
    refuse_unknown_accept: bool = True
    """REST answers 406 where the Accept header names only types that it cannot serve."""
    newest_api_version: int = 67
    """Newest API version that the org offers."""
    recycle_bin_days: int = 15
    """How long a deleted record can be restored."""
    recycle_bin_per_mb: int = 25
    """Deleted records that the bin holds per megabyte of data storage; the oldest make room."""
    parallel_lock_rows: int = 0
    """Size of the batches of a parallel Bulk job that get into each other's way at a shared parent; 0: never."""
    modify_all_passes_locks: bool = False
    """Who may modify all records of an object also changes those that an approval process has locked."""
    sharing: bool = True
    """Sharing defaults hold: who neither owns a record nor stands above its owner needs View All or Modify All."""
    owner_needs_read: bool = False
    """A record goes only to users who may read its object; else TRANSFER_REQUIRES_READ (no source says when)."""
    file_max_mb: int = 2_048
    """Largest version of a file; REST documents 2 GB by multipart."""
    attachment_max_mb: int = 500
    """Largest attachment or classic document."""
    duplicate_result_key: str = "duplicateResult"
    """Key of what REST tells about duplicates; orgs were seen to write it without the l, at least up to version 54."""
    rest_parses_types: bool = False
    """REST refuses a body with a date, number or checkbox that is none (JSON_PARSER_ERROR) instead of its record."""
    bulk_takes_base64: bool = False
    """Bulk jobs take the contents of files as base64 cells; real ones know no such column."""
    content_links_need_filter: bool = True
    """ContentDocumentLink is queried by ContentDocumentId or LinkedEntityId (or Id) only."""
    max_collection: int = 200
    """Records per collection call."""
