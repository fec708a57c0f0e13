"""What a word of `carboy explain` stands for: a key, a table of keys, or nothing and what was most likely meant."""

import difflib

from carboy.planfile.keys import ANY, Key, Section, all_keys, find, generic, sections


def find_key(word: str) -> Key | None:
    """The key of that name; its last part alone is enough where only one key has it."""
    path = tuple(word.strip("[]").replace("<name>", ANY).split("."))
    if path[:1] == ("tiers",) and len(path) > 2:
        path = path[2:]
    found = find(path)
    if found is None and len(path) == 1:
        same = [key for key in all_keys().values() if key.path[-1] == path[0]]
        return same[0] if len(same) == 1 else None
    return found


def find_section(word: str) -> Section | None:
    """The table of that name: `server`, `processes`, `processes.mail`."""
    path = tuple(word.strip("[]").replace("<name>", ANY).split("."))
    return next((each for each in sections() if each.path and each.path in (path, (*path, ANY), generic(path))), None)


def similar(word: str, more: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Known names that `word` may have meant, the nearest first; names in `more` are known besides the keys."""
    names = [key.name for key in all_keys().values()] + [".".join(each.path) for each in sections() if each.path]
    tails = {name.rpartition(".")[2]: name for name in reversed(names)}
    close = difflib.get_close_matches(word, [*names, *more], n=3, cutoff=0.6)
    close += [tails[tail] for tail in difflib.get_close_matches(word.rpartition(".")[2], tails, n=2, cutoff=0.75)]
    same_tail = [name for name in names if name.rpartition(".")[2] == word]
    return tuple(dict.fromkeys([*same_tail, *close]))[:3]
