"""What people mean by what they write on a small keyboard, in Swedish or English."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from scheduler.messages.rules import Answer


class Wish(StrEnum):
    ANSWER = "answer"
    STOP = "stop"
    START = "start"
    WALKS = "walks"
    HELP = "help"
    WORDS = "words"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a text means. `number` picks from a list; `more` says that it holds words beside the answer."""

    wish: Wish
    answer: Answer | None = None
    number: int | None = None
    more: bool = False


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


YES = _set("ja j jo jaa japp jepp jadå jajamen jajamän javisst yes y yep yeah ok okej okey okay absolut självklart")
YES_PHRASES = frozenset({"kommer", "jag kommer", "vi ses", "i am coming", "i will come", "coming"})
NO = _set("nej n nä nää näe nejdå no nope")
NO_PHRASES = (
    "kan inte", "kan ej", "kommer inte", "kommer ej", "cannot come", "can not come", "cant come", "can t come",
    "förhinder", "fått förhinder", "sjuk", "avboka", "boka av", "sick", "ill",
)  # fmt: skip
NEGATIONS = NO | _set("inte ej not cannot cant aldrig")
COURTESY = _set(
    "tack hej jag vi kommer komma ses det går bra så då gärna klart gör är mig mvh hälsningar tyvärr idag ikväll kväll "
    "i dag till på fått har blivit thanks thank you sorry will come coming am be there today tonight can t kan gå med "
    "den hälsar"
)
STOP = _set("stop stopp stoppa stopall sluta avsluta avregistrera unsubscribe cancel end quit")
START = _set("start starta unstop börja")
WITH_STOP = _set("tack alla all sms skicka texts please mer fler inga")
WALKS = _set("mina mine my pass bokningar walks shifts")
HELP = _set("hjälp hjalp help info")
THUMBS = {"👍": " ja ", "✅": " ja ", "👌": " ja ", "👎": " nej ", "❌": " nej "}
MOST_CHOICES = 9


def meaning(text: str, own_names: Iterable[str] = ()) -> Meaning:
    """Return what a text means. `own_names` are the sender's: a signature is no message."""
    tokens = _tokens(text)
    names = {token for name in own_names for token in _tokens(name)}
    said = [token for token in tokens if token not in names]
    if not said:
        return Meaning(Wish.NOTHING)
    kept = set(said)
    for wish, words in ((Wish.STOP, STOP), (Wish.START, START)):
        if said[0] in words and kept <= words | WITH_STOP:
            return Meaning(wish)
    if said[0] in {"mina", "mine", "my"} and kept <= WALKS:
        return Meaning(Wish.WALKS)
    if said[0] in HELP and len(said) == 1:
        return Meaning(Wish.HELP)
    return _answer(said)


def _answer(said: list[str]) -> Meaning:
    numbers = [int(token) for token in said if token.isdecimal() and 1 <= int(token) <= MOST_CHOICES]
    others = {token for token in said if not token.isdecimal()}
    plain = others <= YES | NO | COURTESY
    number = numbers[0] if len(numbers) == 1 and plain and len(said) - len(others) == 1 else None
    if not others and number is not None:
        return Meaning(Wish.ANSWER, None, number)
    sentence = " ".join(said)
    if said[0] in NO and not others & YES:
        return Meaning(Wish.ANSWER, Answer.NO, number, more=not plain and not _says_no(sentence))
    if _says_no(sentence) and not others & YES:
        return Meaning(Wish.ANSWER, Answer.NO, number)
    if (said[0] in YES or sentence in YES_PHRASES) and not others & NEGATIONS:
        return Meaning(Wish.ANSWER, Answer.YES, number, more=not plain)
    return Meaning(Wish.WORDS, more=True)


def _says_no(sentence: str) -> bool:
    """Return whether it says "I cannot come" and nothing else: "I cannot find you" is no refusal."""
    for phrase in NO_PHRASES:
        if re.search(rf"\b{phrase}\b", sentence):
            rest = set(re.sub(rf"\b{phrase}\b", " ", sentence).split())
            if rest <= COURTESY | NO | {"inte", "att"}:
                return True
    return False


def _tokens(text: str) -> list[str]:
    for sign, word in THUMBS.items():
        text = text.replace(sign, word)
    folded = unicodedata.normalize("NFC", text).casefold()
    return re.findall(r"[^\W_]+", folded)
