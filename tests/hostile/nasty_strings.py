"""Texts that break careless code: the same two hundred or so for every test.

None of them looks like a piece of our own program (a path, a trace), so that such a piece in an
error text can only come from the program.
"""

from collections.abc import Iterator

_ENDS_OF_LINES = (
    "\n",
    "\r",
    "\r\n",
    "\x0b",
    "\x0c",
    "\x1c",
    "\x1d",
    "\x1e",
    "\x85",
    "\u2028",
    "\u2029",
)
_INVISIBLE = (
    *("\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u034f", "\u061c", "\u180e"),
    *("\u202a", "\u202b", "\u202c", "\u202d", "\u202e", "\u2066", "\u2067", "\u2068", "\u2069"),
    *("\U000e0001", "\U000e0041", "\ufff9", "\ufffa", "\ufffb"),
)
_ESCAPES = (
    *("\x1b[31mred", "\x1b]0;title\x07", "\x1b[2J\x1b[H", "\x9b31m", "\x1bc", "\x08" * 20),
    *("%s%s%n%x", "{0}{1!r}", "{0.__init__}", "${jndi:ldap:x}", "$(reboot)", "`id`", "%0d%0a"),
    *("\\n\\r", "\\x1b[0m", "\\u202e", '"},{"event":"forged"', "[bold]markup[-bold]", "'\"`;--"),
    *("<script>alert(1)<-script>", "' OR 1=1 --", "--help", "-rf", "NUL", "con", "null", "NaN"),
)
_NOT_NORMAL = ("e\u0301", "\u212b", "\u1e9b\u0323", "\ufb01", "\u0345\u03b1", "a\u0323\u0307")
_ODD = (
    *("", " ", "  ", "\t", "\x00", "a\x00b", "\x7f", "\uffff", "\ufffe", "\ufdd0", "\U0010ffff"),
    *("\u00e9", "\u05d0\u05d1", "\u0627\u0644", "\u4e2d\u6587", "\U0001f600", "\u0131", "\u1e9e"),
    *("\U0001f468\u200d\U0001f469\u200d\U0001f467", "Z" + "\u0300" * 50, "0", "-1", "1e309"),
)
_LONG = (
    "x" * 64,
    "x" * 65,
    "x" * 128,
    "x" * 129,
    "x" * 200,
    "x" * 201,
    "\u00e9" * 64,
    "\u4e2d" * 43,
)


def _all() -> Iterator[str]:
    for end in _ENDS_OF_LINES:
        yield from (end, f"a{end}b", f'a{end}{{"event":"listening","level":"error"}}', end * 40)
    for character in _INVISIBLE:
        yield from (character, f"a{character}b", f"{character}a")
    yield from (chr(code) for code in range(32))
    yield from (f"sku{chr(code)}7" for code in range(0x7F, 0xA0))
    yield from (*_ESCAPES, *_NOT_NORMAL, *_ODD, *_LONG)


NASTY_STRINGS: tuple[str, ...] = tuple(dict.fromkeys(_all()))
LONE_SURROGATES = ("\ud800", "a\udfff", "\ud83d")
"""What no wire carries, but what Python strings can hold."""
