"""``make catalogs``: collect the messages of the code, bring each language up to date, compile it.

Babel's functions rather than its ``pybabel`` command: that one takes the "% o" in "100 % of" for a
printf format, so no translation of it can pass, and it stamps its files with the time of day.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from bot.slack.text import LOCALES

CODE = Path(__file__).resolve().parents[1]
CATALOGS = CODE / "locale"
POT = CATALOGS / "backout.pot"
#: Languages with a catalog; English is what the code says.
TRANSLATED = tuple(locale for locale in LOCALES if locale != "en")

#: The functions whose first argument is a message: `Words.say`, `Words.plain`, and the bare marker.
_KEYWORDS = dict.fromkeys(("say", "plain", "N_"))
#: The sandbox speaks for Slack and Google, in their language.
_NOT_OURS = frozenset({"sandbox", "__pycache__"})
#: Only what `gettext` needs; a date or a tool's version would change with every run.
_HEADER = 'msgid ""\nmsgstr ""\n"Language: {locale}\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n\n'
#: Babel puts a date into what it compiles; always the same one: the guide's.
_EPOCH = datetime(2025, 10, 21, tzinfo=UTC)
_WIDTH = 100


def po_path(locale: str) -> Path:
    """Return where the translations of `locale` are written by people."""
    return CATALOGS / locale / "LC_MESSAGES" / "backout.po"


def mo_path(locale: str) -> Path:
    """Return where the translations of `locale` are read by the bot."""
    return po_path(locale).with_suffix(".mo")


def extract() -> Catalog:
    """Return every message in the code, without its place: a moved line changes no catalog."""
    found = extract_from_dir(
        CODE,
        method_map=[("**.py", "python")],
        keywords=_KEYWORDS,
        directory_filter=lambda folder: Path(folder).name not in _NOT_OURS,
    )
    catalog = Catalog(fuzzy=False)
    for _, _, message, _, _ in found:
        catalog.add(message)
    return catalog


def load(path: Path, *, locale: str | None = None) -> Catalog:
    """Read a ``.pot`` or ``.po`` file; an empty catalog when there is none yet."""
    content = path.read_bytes() if path.exists() else b""
    return read_po(BytesIO(content), locale=locale)


def updated(catalog: Catalog, template: Catalog) -> Catalog:
    """Bring `catalog` up to date with `template`: new messages come empty, gone ones go.

    Nothing is guessed: a translation of a similar sentence can say the opposite of the new one.
    """
    catalog.update(template, no_fuzzy_matching=True)
    catalog.obsolete.clear()
    return catalog


def pot_bytes(template: Catalog) -> bytes:
    """Return `template` as a ``.pot`` file, sorted."""
    return _written(template)


def po_bytes(catalog: Catalog, locale: str) -> bytes:
    """Return `catalog` as a ``.po`` file, sorted."""
    return _HEADER.format(locale=locale).encode() + _written(catalog)


def mo_bytes(catalog: Catalog) -> bytes:
    """Return `catalog` as `gettext` reads it."""
    catalog.creation_date = catalog.revision_date = _EPOCH
    compiled = BytesIO()
    write_mo(compiled, catalog)
    return compiled.getvalue()


def _written(catalog: Catalog) -> bytes:
    for message in catalog:
        message.flags.discard("python-format")
    written = BytesIO()
    write_po(written, catalog, width=_WIDTH, omit_header=True, sort_output=True)
    return written.getvalue()


def untranslated(catalog: Catalog) -> Iterable[Message]:
    """Return the messages that nobody has translated yet."""
    return (message for message in catalog if message.id and not message.string)


def main() -> None:
    """Write all catalogs, and say what is still to be translated."""
    template = extract()
    POT.write_bytes(pot_bytes(template))
    for locale in TRANSLATED:
        catalog = updated(load(po_path(locale), locale=locale), template)
        mo_path(locale).parent.mkdir(parents=True, exist_ok=True)
        po_path(locale).write_bytes(po_bytes(catalog, locale))
        mo_path(locale).write_bytes(mo_bytes(load(po_path(locale), locale=locale)))
        missing = list(untranslated(catalog))
        print(f"{locale}: {len(catalog)} messages, {len(missing)} not translated yet")
        for message in missing:
            print(f"  {message.id!r}")


if __name__ == "__main__":
    main()
