"""Formulas of validation rules and automation: parsed by Lark, compiled to SQL over a table of records."""

from chartlift_sandbox.salesforce.formulas.compile import Formula, compile_formula
from chartlift_sandbox.salesforce.formulas.pieces import FormulaError

__all__ = ["Formula", "FormulaError", "compile_formula"]
