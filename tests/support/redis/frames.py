"""Frames of Redis's protocol: a stream of bytes in whole commands and whole replies."""

LINES = b"+-:_,#("
TEXTS = b"$=!"
LISTS = b"*~>"
MAPS = b"%|"


class _Incomplete(Exception):
    """The stream ends within a frame."""


def split_commands(data: bytes) -> tuple[list[tuple[list[bytes], bytes]], bytes]:
    """Return whole commands, each as its words and its bytes, and the rest of the stream."""
    commands = []
    at = 0
    while at < len(data):
        try:
            words, end = _read_command(data, at)
        except _Incomplete:
            break
        commands.append((words, data[at:end]))
        at = end
    return commands, data[at:]


def split_replies(data: bytes) -> tuple[list[bytes], bytes]:
    """Return whole replies and the rest of the stream."""
    replies = []
    at = 0
    while at < len(data):
        try:
            end = _skip(data, at)
        except _Incomplete:
            break
        replies.append(data[at:end])
        at = end
    return replies, data[at:]


def _read_command(data: bytes, at: int) -> tuple[list[bytes], int]:
    line, at = _line(data, at)
    if not line.startswith(b"*"):
        return line.split() or [b""], at  # an inline command
    words = []
    for _ in range(int(line[1:])):
        head, at = _line(data, at)
        end = at + int(head[1:])
        if end + 2 > len(data):
            raise _Incomplete
        words.append(data[at:end])
        at = end + 2
    return words, at


def _skip(data: bytes, at: int) -> int:
    """Return the end of the reply that begins at a position."""
    line, at = _line(data, at)
    kind = line[0]
    if kind in LINES:
        return at
    size = int(line[1:])
    if kind in TEXTS:
        end = at + size + 2 if size >= 0 else at
        if end > len(data):
            raise _Incomplete
        return end
    if kind not in LISTS + MAPS:
        raise ValueError(f"not a reply: {line!r}")
    for _ in range(max(size, 0) * (2 if kind in MAPS else 1)):
        at = _skip(data, at)
    return _skip(data, at) if kind == ord("|") else at


def _line(data: bytes, at: int) -> tuple[bytes, int]:
    end = data.find(b"\r\n", at)
    if end < 0:
        raise _Incomplete
    return data[at:end], end + 2
