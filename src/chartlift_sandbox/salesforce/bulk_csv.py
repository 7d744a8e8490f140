"""CSV as Bulk API 2.0 reads and writes it. Columns stay text; nothing walks the rows in Python.

Sources: Bulk API 2.0 guide (valid CSV, result sets) and recorded jobs of real orgs.
"""

import csv
import io
import math

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

DELIMITERS = {"BACKQUOTE": "`", "CARET": "^", "COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "TAB": "\t"}
LINE_ENDINGS = {"LF": "\n", "CRLF": "\r\n"}
HEADER_CHARS = 32_000
RECORD_CHARS = 400_000
FIELD_CHARS = 131_072
RECORD_FIELDS = 5_000
SET_NULL = "\x00null"
"""What the engine reads as "make this field empty"; the wire says `#N/A`."""
_BLOCK_BYTES = 1 << 20
"""Measured: Arrow reads these three times as fast as blocks of 16 MB; a record must not be longer than two of them."""
_STRADDLING = "straddles two block boundaries"
_JAVA_PLAIN = (1e-3, 1e7)
_GOLDEN = -7046029254386353131


class BulkDataError(ValueError):
    """Data that fails the whole job; the text is the job's `errorMessage`."""


def read_header(body: bytes, delimiter: str, line_ending: str, *, skip_bom: bool = True) -> tuple[list[str], int]:
    """Column names and the offset of the first data byte.

    Raises:
        BulkDataError: no header, too long, too many columns, or line ends that differ from those of the job.
    """
    end, quoted = 0, False
    start = 3 if skip_bom and body.startswith(b"\xef\xbb\xbf") else 0
    while True:
        newline = body.find(b"\n", end)
        stop = len(body) if newline < 0 else newline
        quoted ^= body.count(b'"', end, stop) % 2 == 1
        end = stop + 1
        if newline < 0 or not quoted:
            break
    line = body[start:stop]
    if not line.strip():
        raise BulkDataError("InvalidBatch : Failed to parse CSV header: no header line")
    if newline >= 0 and line.endswith(b"\r") != (line_ending == "CRLF"):
        raise BulkDataError(
            f"ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is {line_ending}"
        )
    text = _decode(line.rstrip(b"\r"))
    if len(text) > HEADER_CHARS:
        raise BulkDataError(f"InvalidBatch : Failed to parse CSV header: longer than {HEADER_CHARS} characters")
    names = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    if len(names) > RECORD_FIELDS:
        raise BulkDataError(f"InvalidBatch : Failed to parse CSV header: more than {RECORD_FIELDS} columns")
    return names, min(end, len(body))


def _decode(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        raise BulkDataError("ClientInputError : Invalid UTF-8 data") from error


def check_header(names: list[str]) -> None:
    """Refuses a name given twice (whatever its case) and an empty one.

    Raises:
        BulkDataError: naming the column.
    """
    seen: set[str] = set()
    for name in names:
        if not name.strip():
            raise BulkDataError(f"InvalidBatch : Field name not found : {name}")
        if name.lower() in seen:
            raise BulkDataError(f"InvalidBatch : Duplicate field name : {name}")
        seen.add(name.lower())


def parse(body: bytes, delimiter: str, line_ending: str, *, skip_bom: bool = True) -> pa.Table:
    """The upload as text columns, empty cells as empty texts.

    Raises:
        BulkDataError: anything that makes a real org fail the job before it looks at single rows.
    """
    names, offset = read_header(body, delimiter, line_ending, skip_bom=skip_bom)
    check_header(names)
    rest = pa.py_buffer(body).slice(offset)
    if body.count(b'"', offset) % 2:  # every quote of a well-formed file has its match
        raise BulkDataError("InvalidBatch : Failed to parse CSV: a quoted cell is not closed")
    if not rest.size:
        return pa.table({name: pa.array([], pa.string()) for name in names})
    try:
        table = _read(rest, names, delimiter, _BLOCK_BYTES)
    except pa.ArrowInvalid as error:
        reason = "Invalid UTF-8 data" if "UTF8" in str(error) else "rows do not have the columns of the header"
        raise BulkDataError(f"InvalidBatch : Failed to parse CSV: {reason}") from error
    _check_sizes(table, body)
    return table


def _read(data: pa.Buffer, names: list[str], delimiter: str, block: int) -> pa.Table:
    try:
        return arrow_csv.read_csv(
            pa.BufferReader(data),
            # one thread: the second core is the loader's, and more threads cost more than they save
            read_options=arrow_csv.ReadOptions(column_names=names, block_size=block, use_threads=False),
            parse_options=arrow_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False, check_utf8=True
            ),
        )
    except pa.ArrowInvalid as error:
        if _STRADDLING in str(error) and block < data.size:
            return _read(data, names, delimiter, data.size)
        raise


def _check_sizes(table: pa.Table, body: bytes) -> None:
    if len(body) <= FIELD_CHARS or not table.num_rows:
        return
    total: pa.ChunkedArray | None = None
    for name, column in zip(table.column_names, table.columns, strict=True):
        size = pc.binary_length(column)
        if pc.max(size).as_py() > FIELD_CHARS and pc.max(pc.utf8_length(column)).as_py() > FIELD_CHARS:
            raise BulkDataError(f"ClientInputError : Field {name} is longer than {FIELD_CHARS} characters")
        total = size if total is None else pc.add(total, size)
    if (pc.max(total).as_py() or 0) <= RECORD_CHARS:  # never more characters than bytes
        return
    lengths = [pc.utf8_length(column) for column in table.columns]
    total = lengths[0]
    for one in lengths[1:]:
        total = pc.add(total, one)
    if pc.max(total).as_py() > RECORD_CHARS:
        raise BulkDataError(f"ClientInputError : A record is longer than {RECORD_CHARS} characters")


def to_engine(table: pa.Table) -> pa.Table:
    """Empty cells (quoted or not) become NULL = not given; `#N/A` becomes the engine's mark for "make empty"."""
    columns = []
    for column in table.columns:
        plain = pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)
        marked = pc.equal(plain, "#N/A")
        columns.append(pc.if_else(marked, SET_NULL, plain) if pc.any(marked).as_py() else plain)
    return pa.table(columns, names=table.column_names)


def java_double(text: str) -> str:
    """A number as Java's Double.toString writes it; text that is no number comes back as it is.

    >>> java_double("912260031"), java_double("120"), java_double("0.00012")
    ('9.12260031E8', '120.0', '1.2E-4')
    """
    try:
        value = float(text)
    except ValueError:
        return text
    if not math.isfinite(value):
        return text
    if value == 0 or _JAVA_PLAIN[0] <= abs(value) < _JAVA_PLAIN[1]:
        return format(value, "f") if "e" in repr(value) else repr(value)
    mantissa, _, exponent = f"{value!r}".partition("e")
    if not exponent:
        digits = mantissa.replace("-", "").replace(".", "").lstrip("0").rstrip("0")
        power = math.floor(math.log10(abs(value)))
        power += 1 if abs(value) >= 10.0 ** (power + 1) else 0
    else:
        digits, power = mantissa.replace("-", "").replace(".", "").rstrip("0"), int(exponent)
    return f"{'-' if value < 0 else ''}{digits[0]}.{digits[1:] or '0'}E{power}"


def echo_doubles(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column of numbers re-formatted as the successful results of a real org show them."""
    encoded = column.combine_chunks().dictionary_encode()
    words = pa.array([java_double(word) for word in encoded.dictionary.to_pylist()], pa.string())
    return pa.chunked_array([pc.take(words, encoded.indices)])


def shuffled(rows: int, seed: int) -> pa.Array:
    """A repeatable order of row numbers: results do not keep the order of the upload."""
    keys = pc.bit_wise_xor(pc.multiply(pa.array(range(1, rows + 1), pa.int64()), _GOLDEN), pa.scalar(seed, pa.int64()))
    return pc.sort_indices(keys)


def header_line(names: list[str], quoted: int, delimiter: str) -> str:
    """The header: the first `quoted` names in quotes, the echoed ones as plain as they can be."""
    plain = [name if not set(name) & {'"', delimiter, "\n", "\r"} else _quote(name) for name in names[quoted:]]
    return delimiter.join([*(_quote(name) for name in names[:quoted]), *plain])


def _quote(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def head(names: list[str], *, quoted: int, delimiter: str, line_ending: str) -> bytes:
    """The first line of a result set; see `header_line`."""
    return (header_line(names, quoted, delimiter) + LINE_ENDINGS[line_ending]).encode()


def rows(table: pa.Table, *, delimiter: str, line_ending: str) -> bytes:
    """Rows of a result set: every cell in quotes, line ends as the job wants them."""
    if not table.num_rows:
        return b""
    filled = [pc.fill_null(column, "") for column in table.columns]
    if line_ending == "LF":
        sink = pa.BufferOutputStream()
        options = arrow_csv.WriteOptions(include_header=False, delimiter=delimiter, quoting_style="all_valid")
        arrow_csv.write_csv(pa.table(filled, names=table.column_names), sink, write_options=options)
        return sink.getvalue().to_pybytes()
    cells = [pc.binary_join_element_wise('"', pc.replace_substring(c, '"', '""'), '"', "") for c in filled]
    lines = pc.binary_join_element_wise(*cells, delimiter)
    return LINE_ENDINGS[line_ending].join([*lines.to_pylist(), ""]).encode()
