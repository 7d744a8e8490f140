"""SOQL: grammar, compiler to DuckDB and results."""

from chartlift_sandbox.salesforce.soql.execute import prepare, run
from chartlift_sandbox.salesforce.soql.parse import parse
from chartlift_sandbox.salesforce.soql.result import QueryResult

__all__ = ["QueryResult", "parse", "prepare", "run"]
