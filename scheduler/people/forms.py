"""Forms of the people room. Each turns what was typed into values that the rules have accepted."""

from datetime import date
from typing import Any

from flask_wtf import FlaskForm
from wtforms import BooleanField, HiddenField, StringField
from wtforms.validators import ValidationError

from scheduler.kit.language import LANGUAGES, gettext
from scheduler.kit.phone import to_e164
from scheduler.kit.refusals import Invalid
from scheduler.people.rules import birth_date, clean_name


def problem_sentence(refusal: Invalid) -> str:
    """Return what is wrong with one field, and what to do, in the language of this request."""
    sentences = {
        ("phone", "empty"): gettext("Type your mobile number."),
        ("phone", "not_a_number"): gettext("That is not a whole mobile number. Type it like 070-174 06 05."),
        ("phone", "not_mobile"): gettext("That is a landline. Type a mobile number, since we send texts to it."),
        ("phone", "foreign"): gettext("Only Swedish mobile numbers work. Type one like 070-174 06 05."),
        ("phone", "taken"): gettext("Somebody else has that number already."),
        ("born_on", "empty"): gettext("Type your date of birth, like 1990-05-31."),
        ("born_on", "identity_number"): gettext(
            "Type only the date, like 1990-05-31. We never keep identity numbers, so the last four digits are gone."
        ),
        ("born_on", "short_year"): gettext("Type the year with four digits, like 1990-05-31."),
        ("born_on", "not_a_date"): gettext("There is no such date. Type it like 1990-05-31."),
        ("born_on", "future"): gettext("That date is still to come. Type your date of birth."),
        ("born_on", "too_old"): gettext("Check the year: that is more than 110 years ago."),
        ("born_on", "too_young"): gettext("You must be 18 to walk. Welcome back when you have turned 18!"),
        ("first_name", "empty"): gettext("Type your first name."),
        ("last_name", "empty"): gettext("Type your last name."),
    }
    general = {
        "too_long": gettext("That name is too long. Use at most 60 characters."),
        "unreadable": gettext("The name has characters that cannot be shown. Type it again."),
    }
    return sentences.get((refusal.field, refusal.problem)) or general[refusal.problem]


class SignInForm(FlaskForm):
    phone = StringField()
    next = HiddenField()
    kept = HiddenField()

    e164 = ""

    def validate_phone(self, field: StringField) -> None:
        try:
            self.e164 = to_e164(field.data or "")
        except Invalid as refusal:
            raise ValidationError(problem_sentence(refusal)) from None


class CodeForm(FlaskForm):
    code = StringField()

    def validate_code(self, field: StringField) -> None:
        if not any(character.isdecimal() for character in field.data or ""):
            raise ValidationError(gettext("Type the six digits from the text."))


class NameFields(FlaskForm):
    first_name = StringField()
    last_name = StringField()
    language = StringField()

    def validate_first_name(self, field: StringField) -> None:
        field.data = _name("first_name", field)

    def validate_last_name(self, field: StringField) -> None:
        field.data = _name("last_name", field)

    def validate_language(self, field: StringField) -> None:
        if field.data not in LANGUAGES:
            raise ValidationError(gettext("Choose a language."))


class MeForm(NameFields):
    """A person's own details on the page "me"."""


class JoinForm(NameFields):
    phone = StringField()
    born_on = StringField()
    values = BooleanField()

    e164 = ""
    birth_date: date

    def __init__(self, today: date, **more: Any) -> None:  # noqa: ANN401 - WTForms' own keywords
        super().__init__(**more)
        self.today = today

    def validate_phone(self, field: StringField) -> None:
        try:
            self.e164 = to_e164(field.data or "")
        except Invalid as refusal:
            raise ValidationError(problem_sentence(refusal)) from None

    def validate_born_on(self, field: StringField) -> None:
        try:
            self.birth_date = birth_date(field.data or "", self.today)
        except Invalid as refusal:
            if refusal.problem == "identity_number":
                field.data = _without_last_four(field.data)
            raise ValidationError(problem_sentence(refusal)) from None

    def validate_values(self, field: BooleanField) -> None:
        if not field.data:
            raise ValidationError(gettext("Tick the box if you share the values; everybody who walks does."))


def _without_last_four(typed: str) -> str:
    return typed.strip()[:-4].rstrip("-+ ")


def _name(name: str, field: StringField) -> str:
    try:
        return clean_name(name, field.data or "")
    except Invalid as refusal:
        raise ValidationError(problem_sentence(refusal)) from None
