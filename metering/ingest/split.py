"""Cut a JSON list into its elements without decoding them. Pure.

The compiled decoder does this in the usual case. It gives up a whole list, though, for what only one element holds (half
a surrogate pair, a thousand levels), and makes an object of each of millions of elements before it can be told to stop.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final, NoReturn

# A string (also one that never ends), or one of the characters that structure a document. Possessive: no way back.
_TOKEN: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)|[][{},]', re.DOTALL)
MAX_TOKENS: Final = 2_000_000  # 200 for each of 10,000 events; less than a second
_BLANK: Final = b" \t\n\r"


class NotAList(ValueError):
    """The brackets do not close, something follows them, or there are more than MAX_TOKENS of them."""


def cut_list(body: bytes) -> Iterator[bytes]:
    """The elements of a JSON list, as they stand there: what is between commas need not be JSON (`is_json`).

    body: starts with its bracket. Raises NotAList when its brackets do not add up.
    """
    depth = start = 0
    for count, token in enumerate(_TOKEN.finditer(body)):
        if count > MAX_TOKENS:
            raise NotAList("there is too much in it")
        match body[token.start()]:
            case 0x5B | 0x7B:  # [ {
                depth += 1
                if depth == 1:
                    start = token.end()
            case 0x2C if depth == 1:  # ,
                yield body[start : token.start()]
                start = token.end()
            case 0x5D | 0x7D:  # ] }
                depth -= 1
                if depth == 0:
                    if token[0] != b"]" or body[token.end() :].strip(_BLANK):
                        raise NotAList("something follows the list")
                    last = body[start : token.start()]
                    if last.strip(_BLANK) or body[:start].strip(_BLANK) != b"[":
                        yield last
                    return
    raise NotAList("the list does not end")


def is_json(raw: bytes) -> bool:
    """Is this one JSON value by its grammar (RFC 8259)? Where it is too deep to tell, its brackets decide."""
    try:
        _decoder.decode(raw.decode(errors="replace"))
    except RecursionError:
        return _is_closed(raw)
    except ValueError:
        return False
    return True


def _is_closed(raw: bytes) -> bool:
    try:
        return len(list(cut_list(b"[" + raw + b"]"))) == 1
    except NotAList:
        return False


def _not_a_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a JSON number")


def _number(_text: str) -> int:
    return 0


_decoder: Final = json.JSONDecoder(parse_int=_number, parse_float=_number, parse_constant=_not_a_number)
