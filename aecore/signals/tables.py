"""Tables of numbers from strangers, to be given back as they came; only the numbers that were mended change."""

import math
import re
from array import array
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from aecore.data.own import shown
from aecore.refusal import Refused

MAX_TABLE_BYTES = 32 << 20
MAX_ROWS = 1_000_000
MAX_COLUMNS = 256
DELIMITERS = "\t;,"
MISSING = ("", "na", "n/a", "nan", "null", "none", "-", "?")
"""What stands where a value is missing, in small letters."""


@dataclass(frozen=True)
class Table:
    """A table that was read: ``columns`` are those of numbers, by name, float64 ``(N,)`` with NaN where a value is missing.

    The rest is what it takes to write the file again: its ``rows`` as they stand, blank ones too, the first of them names if
    ``header``; which of them hold numbers (``places``, of each row and of each column), and the marks between and within numbers.
    """

    name: str
    columns: dict[str, np.ndarray]
    rows: tuple[str, ...]
    header: bool
    row_places: np.ndarray
    column_places: dict[str, int]
    delimiter: str
    decimal: str
    newline: str
    encoding: str

    @property
    def signals(self) -> tuple[str, ...]:
        """Columns that vary without only rising or only falling, as a clock or a row number does."""
        return tuple(name for name, values in self.columns.items() if not _is_axis(values))


def read_table(data: bytes, name: str) -> Table:
    """A table from the bytes of a CSV file: comma, semicolon or tab, decimal point or comma, with a line of names or without.

    Columns without a line of names are called "1", "2" and so on. Raises ``Refused`` for what is no text, too large,
    has rows of unequal length or no column of numbers. ``name`` is only used to speak of it.
    """
    name = shown(name)
    if len(data) > MAX_TABLE_BYTES:
        raise Refused("{name} has more than {limit} MB. Cut it into parts, then try again.", name=name, limit=MAX_TABLE_BYTES >> 20)
    text, encoding = _decoded(data, name)
    newline = "\n" if "\n" in text else "\r"
    rows = _rows(text, newline)
    filled = [place for place, row in enumerate(rows) if row.strip()]
    if len(filled) > MAX_ROWS + 1:
        raise Refused("{name} has more than {most} rows. Cut it into parts, then try again.", name=name, most=MAX_ROWS)
    if not filled:
        raise _numberless(name)
    first = rows[filled[0]]
    delimiter = next((each for each in DELIMITERS if each in first), ";")
    titles = [_core(each) for each in _fields(first, delimiter)]
    if len(titles) > MAX_COLUMNS:
        raise Refused("{name} has more than {most} columns. Leave some out, then try again.", name=name, most=MAX_COLUMNS)
    for number, place in enumerate(filled[1:], 2):
        if (count := len(_fields(rows[place], delimiter))) != len(titles):
            raise Refused(
                "Row {row} of {name} has {found} fields, and the first row has {expected}. Correct it, then try again.",
                name=name,
                row=number,
                found=count,
                expected=len(titles),
            )
    decimal, header, found = _numbers([rows[place] for place in filled], delimiter, len(titles))
    if not found:
        raise _numberless(name)
    names = _named(titles) if header else [str(place + 1) for place in range(len(titles))]
    columns = {names[place]: values for place, values in found.items()}
    places = {names[place]: place for place in found}
    return Table(name, columns, tuple(rows), header, np.array(filled[header:]), places, delimiter, decimal, newline, encoding)


def write_table(table: Table, values: Mapping[str, np.ndarray]) -> bytes:
    """The file's bytes with ``values``, by column, float64 ``(N,)``, in place of theirs; a value that is missing stays so.

    A new number has as many places as tell ten thousandths of its column's range, or as the column had.
    """
    rows = list(table.rows)
    places = {table.column_places[name]: (table.columns[name], np.asarray(each), _digits(each)) for name, each in values.items()}
    for number, place in enumerate(table.row_places):
        fields = _fields(rows[place], table.delimiter)
        for column, (before, after, digits) in places.items():
            if not math.isnan(before[number]) and before[number] != after[number]:
                core = _core(fields[column])
                fields[column] = fields[column].replace(core, _written(after[number], core, digits, table.decimal), 1)
        rows[place] = table.delimiter.join(fields)
    return table.newline.join(rows).encode(table.encoding)


def _decoded(data: bytes, name: str) -> tuple[str, str]:
    """Text and its encoding: UTF-8 or UTF-16 by their marks, UTF-8, or else Latin 1; ``Refused`` for what is no text."""
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"", "utf-8"), (b"", "latin-1")):
        try:
            text = data.decode(encoding) if data.startswith(mark) else "\0"
        except UnicodeDecodeError:
            continue
        if not re.search("[\x00-\x08\x0e-\x1f\x7f]", text):
            return text, encoding
    raise Refused("{name} is not a table of text. Save it as CSV, then try again.", name=name)


def _rows(text: str, newline: str) -> list[str]:
    """Lines, those joined that one quoted field goes through."""
    rows: list[str] = []
    open_rows: list[str] = []
    quotes = 0
    for line in text.split(newline):
        open_rows.append(line)
        quotes += line.count('"')
        if quotes % 2 == 0:
            rows.append(newline.join(open_rows))
            open_rows = []
    return rows + ([newline.join(open_rows)] if open_rows else [])


def _fields(row: str, delimiter: str) -> list[str]:
    """The fields of a row as they stand, quotes and all."""
    if '"' not in row:
        return row.split(delimiter)
    pieces = row.split('"')  # those at odd places are within quotes
    marked = '"'.join(piece if place % 2 else piece.replace(delimiter, "\0") for place, piece in enumerate(pieces))
    return marked.split("\0")


def _core(field: str) -> str:
    """A field without the spaces and quotes around it."""
    return field.strip().strip('"').strip()


def _number(field: str, decimal: str) -> float:
    """The number in a field, NaN where it is missing; raises ``ValueError`` for anything else."""
    core = _core(field)
    if core.lower() in MISSING:
        return math.nan
    if decimal == ",":
        if "." in core:
            raise ValueError
        core = core.replace(",", ".")
    value = float(core)
    if "_" in core or not math.isfinite(value):
        raise ValueError
    return value


def _numbers(rows: list[str], delimiter: str, count: int) -> tuple[str, bool, dict[int, np.ndarray]]:
    """The decimal mark that gives more columns of numbers; whether the first row holds names; those columns by place."""
    best: tuple[str, bool, dict[int, np.ndarray]] = (".", False, {})
    for decimal in "." if delimiter == "," else ".,":
        header = False
        for field in _fields(rows[0], delimiter):
            try:
                header |= math.isnan(_number(field, decimal)) and bool(_core(field)) and len(rows) > 1 and count == 1
            except ValueError:
                header = True
        columns = {place: array("d") for place in range(count)}
        for row in rows[header:]:
            fields = _fields(row, delimiter)
            for place in tuple(columns):
                try:
                    columns[place].append(_number(fields[place], decimal))
                except ValueError:
                    del columns[place]
        found = {place: values for place, each in columns.items() if np.isfinite(values := np.array(each)).any()}
        if len(found) > len(best[2]):
            best = (decimal, header, found)
    return best


def _named(titles: list[str]) -> list[str]:
    """A name for each column: its title; its number where it has none; with its number where the title has been taken."""
    names: list[str] = []
    for number, title in enumerate(titles, 1):
        title = shown(title.replace("/", "\u2215")) or str(number)
        names.append(title if title not in names else f"{title} ({number})")
    return names


def _is_axis(values: np.ndarray) -> bool:
    steps = np.diff(values[np.isfinite(values)])
    return bool((steps > 0).all() or (steps < 0).all() or (steps == 0).all())


def _digits(values: np.ndarray) -> int:
    """Decimal places that tell ten thousandths of the range of ``values``, or of the one value that they have."""
    present = values[np.isfinite(values)]
    spread = (float(np.ptp(present / 2)) or float(np.abs(present).max())) if len(present) else 0.0
    return max(0, 4 - math.floor(math.log10(spread))) if spread > 0 else 0


def _written(value: float, before: str, digits: int, decimal: str) -> str:
    fraction = re.split("[eE]", before.replace(",", "."))[0].partition(".")[2]
    places = max(digits, len(fraction))
    text = f"{value:.{places}f}" if places <= 15 and abs(value) < 1e15 else repr(float(value))
    return text.replace(".", decimal)


def _numberless(name: str) -> Refused:
    return Refused("{name} has no column of numbers. Choose another file.", name=name)
