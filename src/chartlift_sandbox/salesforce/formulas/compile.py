"""From the text of a formula to SQL over one row of a table named `r`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedInput, UnexpectedToken

from chartlift_sandbox.salesforce.formulas.functions import FUNCTIONS, MANY
from chartlift_sandbox.salesforce.formulas.names import Names, Objects
from chartlift_sandbox.salesforce.formulas.pieces import FormulaError, Piece, expect, same_kind
from chartlift_sandbox.salesforce.schema import SObject
from chartlift_sandbox.salesforce.store import literal

MAX_CHARS = 3_900
MAX_DEPTH = 150
_ORDER_KINDS = frozenset({"number", "date", "datetime", "time", "text"})
_KNOWN_GAPS = frozenset({"VLOOKUP", "HYPERLINK", "IMAGE", "GETSESSIONID", "PARENTGROUPVAL", "PREVGROUPVAL"})
_SAVE_WORDS = frozenset({"ISCHANGED", "PRIORVALUE", "ISNEW", "ISCLONE", "TODAY", "NOW", "CASESAFEID"})
_RESULTS = {"boolean": "true or false", "text": "Text", "number": "Number", "date": "Date", "datetime": "Date/Time"}


@dataclass(frozen=True, slots=True)
class Formula:
    """A compiled formula.

    Attributes:
        sql: An expression over the row `r`: its fields, `o:` columns for their values before the save, `_new`.
        kind: boolean, text, number, date, datetime, time.
        reads: Fields of the record that it looks at.
        params: Names of the parameters it binds: who, org, held, today, now.
    """

    sql: str
    kind: str
    reads: frozenset[str]
    params: frozenset[str]


@cache
def _parser() -> Lark:
    grammar = Path(__file__).with_name("grammar.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", lexer="contextual")


def _parsed(text: str) -> Tree[Token] | Token:
    if len(text) > MAX_CHARS:
        raise FormulaError(
            f"Formula is too long ({len(text):,} characters). Maximum length is {MAX_CHARS:,} characters."
        )
    try:
        return _parser().parse(text)
    except UnexpectedCharacters as error:
        raise FormulaError(f"Syntax error.  Found '{text[error.pos_in_stream or 0]}'") from error
    except UnexpectedToken as error:
        shown = "end of formula" if error.token.type == "$END" else f"'{error.token}'"
        missing = " Missing ')'" if error.token.type == "$END" and text.count("(") > text.count(")") else ""
        raise FormulaError(f"Syntax error.{missing or f'  Found {shown}'}") from error
    except (UnexpectedEOF, UnexpectedInput) as error:
        raise FormulaError("Syntax error.") from error


def compile_formula(schema: Objects, sobject: SObject, text: str, result: str | None = "boolean") -> Formula:
    """Compile a formula over an object; `result` is the kind it must have, None takes any.

    Raises:
        FormulaError: in the words with which Setup would refuse it.
    """
    names = Names(schema, sobject)
    piece = _Compiler(names).piece(_parsed(text), 0)
    if result is not None and piece.kind != result and not (piece.kind == "null" and result != "boolean"):
        kind = _RESULTS.get(piece.kind, piece.kind.title())
        message = f"Formula result is data type ({kind}), incompatible with expected data type ({_RESULTS[result]})."
        raise FormulaError(message)
    return Formula(piece.sql, piece.kind, frozenset(names.reads), frozenset(names.params))


class _Compiler:
    """One walk over the tree of a formula."""

    def __init__(self, names: Names) -> None:
        self._names = names

    def piece(self, tree: Tree[Token] | Token, depth: int) -> Piece:
        assert isinstance(tree, Tree)
        if depth > MAX_DEPTH:
            raise FormulaError("Formula is nested too deeply")
        if tree.data == "function":
            return self._function(tree, depth)
        if tree.data in {"number", "string", "name"}:
            return self._leaf(tree.data, str(tree.children[0]))
        operators = [str(one) for one in tree.children if isinstance(one, Token)]
        given = [self.piece(one, depth + 1) for one in tree.children if isinstance(one, Tree)]
        return self._operation(str(tree.data), operators[0] if operators else "", given)

    def _leaf(self, kind: str, text: str) -> Piece:
        if kind == "number":
            return Piece(f"CAST({text} AS DOUBLE)", "number")
        if kind == "string":
            return Piece(literal(_unescaped(text[1:-1])), "text")
        return self._names.resolve(text)

    def _operation(self, name: str, sign: str, given: list[Piece]) -> Piece:
        if name in {"either", "both"}:
            word = {"either": "OR", "both": "AND"}[name]
            left, right = (expect(f"operator '{word}'", one, "boolean") for one in given)
            return Piece(f"({left} {word} {right})", "boolean")
        if name == "not_":
            return Piece(f"(NOT {expect('operator !', given[0], 'boolean')})", "boolean")
        if name == "signed":
            return Piece(f"({sign}{expect(f'operator {sign}', given[0], 'number')})", "number")
        if name == "joined":
            left, right = (expect("operator '&'", one, "text") for one in given)
            return Piece(f"({left} || {right})", "text")
        if name == "power":
            left, right = (expect("operator '^'", one, "number") for one in given)
            return Piece(f"power({left}, {right})", "number")
        return _compared(sign, given) if name == "compared" else _arithmetic(sign, given)

    def _function(self, tree: Tree[Token], depth: int) -> Piece:
        name, *arguments = tree.children
        word = str(name).upper()
        trees = [one for one in arguments if one is not None]
        known = FUNCTIONS.get(word)
        if word in _SAVE_WORDS:
            return self._about_the_save(word, trees, depth)
        if known is None:
            hint = "is not supported in validation rules here." if word in _KNOWN_GAPS else ". Check spelling."
            raise FormulaError(f"Unknown function {word}{hint}" if hint.startswith(".") else f"Function {word} {hint}")
        _count(word, len(trees), known.least, known.most)
        return known.make(f"function '{word}()'", [self.piece(one, depth + 1) for one in trees])

    def _about_the_save(self, word: str, trees: list[Tree[Token] | Token], depth: int) -> Piece:
        """Functions that need the moment, or what the record was before."""
        takes = 1 if word in {"ISCHANGED", "PRIORVALUE", "CASESAFEID"} else 0
        _count(word, len(trees), takes, takes)
        if word in {"TODAY", "NOW"}:
            return Piece(self._names.use(word.lower()), "date" if word == "TODAY" else "datetime")
        if word == "ISNEW":
            return Piece('r."_new"', "boolean")
        if word == "ISCLONE":
            return Piece("false", "boolean")
        given = self.piece(trees[0], depth + 1)
        if word == "CASESAFEID":
            return Piece(expect("function 'CASESAFEID()'", given, "text"), "text")
        if given.field is None:
            raise FormulaError(f"Function {word} takes a field of the record")
        now, before = given.sql, self._names.before(self._names.own(given.field))
        return before if word == "PRIORVALUE" else Piece(f"({now} IS DISTINCT FROM {before.sql})", "boolean")


def _count(word: str, given: int, least: int, most: int) -> None:
    if least <= given <= most:
        return
    expected = f"at least {least}" if most == MANY else str(least if given < least else most)
    raise FormulaError(f"Incorrect number of parameters for function '{word}()'. Expected {expected}, received {given}")


def _unescaped(text: str) -> str:
    out, marks = [], iter(text)
    for sign in marks:
        following = next(marks, "") if sign == "\\" else sign
        out.append({"n": "\n", "t": "\t", "r": "\r"}.get(following, following) if sign == "\\" else sign)
    return "".join(out)


def _compared(sign: str, given: list[Piece]) -> Piece:
    what = f"operator '{sign}'"
    for one in given:
        if one.kind in {"picklist", "multipicklist"}:
            expect(what, one, "text")
    kind = same_kind(what, given)
    left, right = (("''" if kind == "text" and one.kind == "null" else one.sql) for one in given)
    if sign in {"=", "=="}:
        return Piece(f"({left} IS NOT DISTINCT FROM {right})", "boolean")
    if sign in {"<>", "!="}:
        return Piece(f"({left} IS DISTINCT FROM {right})", "boolean")
    if kind not in _ORDER_KINDS:
        expect(what, next((one for one in given if one.kind == kind), given[0]), "number")
    return Piece(f"coalesce({left} {sign} {right}, false)", "boolean")


_DAYS = "try_cast(floor(least(greatest({0}, -1000000), 1000000)) AS INT)"
_SECONDS = "to_seconds(try_cast(round(least(greatest({0}, -1000000), 1000000) * 86400) AS BIGINT))"


def _arithmetic(sign: str, given: list[Piece]) -> Piece:
    what, (left, right) = f"operator '{sign}'", given
    if sign == "+" and left.kind == right.kind == "text":
        return Piece(f"({left.sql} || {right.sql})", "text")
    if sign == "-" and left.kind == right.kind and left.kind in {"date", "datetime"}:
        days = f"date_diff('day', {right.sql}, {left.sql})"
        exact = f"epoch({left.sql}) / 86400 - epoch({right.sql}) / 86400"
        return Piece(f"CAST({days if left.kind == 'date' else exact} AS DOUBLE)", "number")
    if sign in {"+", "-"} and left.kind in {"date", "datetime"}:
        step = (_DAYS if left.kind == "date" else _SECONDS).format(expect(what, right, "number"))
        return Piece(f"({left.sql} {sign} {step})", left.kind)
    a, b = expect(what, left, "number"), expect(what, right, "number")
    return Piece(f"({a} / nullif({b}, 0))" if sign == "/" else f"({a} {sign} {b})", "number")
