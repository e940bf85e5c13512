"""Invented adults. First names are common ones; last names are made up, so that nobody real is meant."""

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

FIRST_NAMES = (
    "Eva", "Kerstin", "Lars", "Mona", "Anders", "Birgitta", "Björn", "Carina", "Daniel", "Elin", "Fatima", "Göran",
    "Hanna", "Ibrahim", "Jonas", "Karin", "Leila", "Magnus", "Nadia", "Ola", "Pernilla", "Rasmus", "Sara", "Tomas",
    "Ulla", "Viktor", "Ylva", "Åke", "Åsa", "Örjan", "Amina", "Bo", "Camilla", "Dag", "Erika", "Fredrik", "Gunilla",
    "Håkan", "Ingrid", "Johan", "Kajsa", "Lina", "Mikael", "Niklas", "Oskar",
)  # fmt: skip
LAST_NAMES = (
    "Lyktdal", "Stigbäck", "Månvall", "Norrvind", "Gatlund", "Kvällström", "Bergmåne", "Älvstig", "Granlykta",
    "Torgvik", "Broström-Natt", "Skymlund", "Tallnäs", "Vinterbo", "Åbrygga", "Stjärnby", "Fackelgren", "Isälv",
)  # fmt: skip
FIRST_NUMBER = 46701740605
COUNT = 90
TEAM_PHONE = "+46701740698"
COORDINATOR_PHONE = "+46701740699"


@dataclass(frozen=True, slots=True)
class Invented:
    first_name: str
    last_name: str
    phone: str
    born_on: date


def invented_people(random: Random, today: date) -> list[Invented]:
    """Return ninety adults of 19 to 72 years, each with a number of the series for fiction."""
    return [
        Invented(
            first_name=FIRST_NAMES[number % len(FIRST_NAMES)],
            last_name=LAST_NAMES[(number * 7 + number // len(FIRST_NAMES)) % len(LAST_NAMES)],
            phone=f"+{FIRST_NUMBER + number}",
            born_on=today - timedelta(days=random.randrange(19 * 366, 72 * 365)),
        )
        for number in range(COUNT)
    ]
