# SPDX-License-Identifier: GPL-2.0
"""As much of YAML as kfreeze.yaml is written in; anything else is refused.

Block mappings, block sequences, literal blocks, plain scalars that may go on
in deeper lines, comments on lines of their own.
"""

import re

KEY = re.compile(r"([\w-]+):(?: (.*))?$")
NOT_PLAIN = tuple("[]{}&*!|>'\"%@`#-?")


def load(text):
    """The document as dicts, lists, strings, numbers and truth values."""
    lines = []
    for line in text.splitlines():
        stripped = line.strip()
        if stripped and stripped[0] != "#" and stripped != "---":
            lines.append((len(line) - len(line.lstrip()), stripped))
    value, rest = block(lines)
    if rest:
        raise ValueError(f"{rest[0][1]}: not expected here")
    return value


def block(lines):
    """The sequence or mapping that starts here, and the lines after it."""
    if lines[0][1] == "-" or lines[0][1].startswith("- "):
        return sequence(lines)
    return mapping(lines)


def deeper(lines, indent):
    """How many of the next lines belong to what is indented by INDENT."""
    for number, (depth, _) in enumerate(lines):
        if depth <= indent:
            return number
    return len(lines)


def sequence(lines):
    indent, items = lines[0][0], []
    while lines and lines[0][0] == indent:
        text, lines = lines[0][1], lines[1:]
        if text[0] != "-":
            raise ValueError(f"{text}: not an item")
        end = deeper(lines, indent)
        items.append(value_of(text[2:], lines[:end]))
        lines = lines[end:]
    return items, lines


def mapping(lines):
    indent, result = lines[0][0], {}
    while lines and lines[0][0] == indent:
        match = KEY.match(lines[0][1])
        if not match or match[1] in result:
            raise ValueError(f"{lines[0][1]}: not a key, or there twice")
        end = 1 + deeper(lines[1:], indent)
        result[match[1]] = value_of(match[2], lines[1:end])
        lines = lines[end:]
    return result, lines


def value_of(text, lines):
    """What is behind a key or a dash: TEXT, and the deeper LINES."""
    if not text:
        value, rest = block(lines)
        if rest:
            raise ValueError(f"{rest[0][1]}: indented otherwise")
        return value
    if text == "|":
        return "".join(line + "\n" for _, line in lines)
    if text.startswith(NOT_PLAIN) or ": " in text or " #" in text:
        raise ValueError(f"{text}: not a plain scalar")
    return scalar(" ".join([text, *(line for _, line in lines)]))


def scalar(text):
    if re.fullmatch(r"-?\d+", text):
        return int(text)
    return {"true": True, "false": False}.get(text, text)
