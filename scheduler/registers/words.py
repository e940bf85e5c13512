"""What is wrong with a file or a row, and what to do, in the reader's language."""

from scheduler.kit.language import gettext
from scheduler.registers.rules import Fault, Field, Problem


def problem_words(problem: str) -> str:
    """Return why a file cannot be used, and what to do."""
    return {
        Problem.NONE: gettext("Choose a file first."),
        Problem.EMPTY: gettext("The file is empty. Open it and look, then choose it again."),
        Problem.NO_ROWS: gettext("The file has headings but no people below them. Fetch the list once more."),
        Problem.TOO_LARGE: gettext("The file is larger than 5 MB. Remove pictures and columns that are not needed."),
        Problem.TOO_MANY_ROWS: gettext(
            "The list has more than 5,000 rows, which is the most at a time. Divide it into several files."
        ),
        Problem.PASSWORD: gettext("The file has a password. Save a copy without one and choose that."),
        Problem.NOT_A_TABLE: gettext(
            "That is no list, whatever the file's name says. Choose a CSV or Excel file (.csv, .xlsx)."
        ),
        Problem.WEB_PAGE: gettext(
            "The file is a web page that is called a spreadsheet. Open it in Excel and save it as .xlsx."
        ),
        Problem.BROKEN: gettext(
            "The file cannot be read; it may be damaged. Open it in Excel, save it anew as .xlsx and choose that."
        ),
    }[Problem(problem)]


def field_words(field: Field) -> str:
    return {
        Field.FIRST_NAME: gettext("First name"),
        Field.LAST_NAME: gettext("Last name"),
        Field.FULL_NAME: gettext("Whole name, if it stands in one column"),
        Field.PHONE: gettext("Mobile number"),
        Field.OTHER_PHONE: gettext("Mobile number, where the first is empty"),
        Field.BORN_ON: gettext("Date of birth or identity number"),
        Field.CLUB: gettext("Club, if the list holds several"),
    }[field]


def lacking_words(field: Field) -> str:
    """Return what to choose a column for."""
    return {
        Field.FULL_NAME: gettext("Say where the names stand: in one column, or first and last name in two."),
        Field.PHONE: gettext("Say where the mobile numbers stand."),
        Field.BORN_ON: gettext("Say where the dates of birth or identity numbers stand."),
    }[field]


def fault_words(fault: Fault) -> str:
    """Return what is wrong with a row."""
    return {
        Fault.TOO_YOUNG: gettext("Under 18"),
        Fault.NO_FIRST_NAME: gettext("The first name is missing"),
        Fault.NO_LAST_NAME: gettext("The last name is missing"),
        Fault.NAME_TOO_LONG: gettext("The name is longer than 60 characters"),
        Fault.NAME_UNREADABLE: gettext("The name has characters that were lost on the way"),
        Fault.NAME_FORMULA: gettext("The name begins like a formula"),
        Fault.NO_PHONE: gettext("The mobile number is missing"),
        Fault.PHONE_NOT_A_NUMBER: gettext("The number is not a whole telephone number"),
        Fault.PHONE_NOT_MOBILE: gettext("The number is a landline"),
        Fault.PHONE_FOREIGN: gettext("The number is foreign"),
        Fault.SHARED_PHONE: gettext("Two people have the same number"),
        Fault.PHONE_OF_ANOTHER: gettext("Somebody with another name has the number in Lykta"),
        Fault.NO_BIRTH_DATE: gettext("The date of birth is missing"),
        Fault.NOT_A_DATE: gettext("The date of birth is not a date"),
        Fault.CHECK_DIGIT: gettext("The identity number has a wrong digit"),
        Fault.FUTURE: gettext("The date of birth is still to come"),
        Fault.TOO_OLD: gettext("The date of birth is more than 110 years ago"),
        Fault.UNKNOWN_CLUB: gettext("The club is not one of those here"),
        Fault.OTHER_CLUB: gettext("The person belongs to another club"),
    }[fault]


def remedy_words(fault: Fault) -> str:
    """Return what to do about it."""
    return {
        Fault.TOO_YOUNG: gettext("Only adults walk. They stay out, and nothing needs mending."),
        Fault.NO_FIRST_NAME: gettext("Fill it in. If names stand in one column, choose that below."),
        Fault.NO_LAST_NAME: gettext("Fill it in. If names stand in one column, choose that below."),
        Fault.NAME_TOO_LONG: gettext("Shorten it."),
        Fault.NAME_UNREADABLE: gettext("Type it again, and save the file as .xlsx or as CSV with UTF-8."),
        Fault.NAME_FORMULA: gettext("Take away the sign in front (=, +, - or @)."),
        Fault.NO_PHONE: gettext("Fill it in: Lykta signs people in and reminds them by text."),
        Fault.PHONE_NOT_A_NUMBER: gettext("Type it like 070-174 06 05."),
        Fault.PHONE_NOT_MOBILE: gettext("Type a mobile number, since we send texts to it."),
        Fault.PHONE_FOREIGN: gettext("Only Swedish mobile numbers work."),
        Fault.SHARED_PHONE: gettext("Find out whose it is; each one needs a number of one's own."),
        Fault.PHONE_OF_ANOTHER: gettext("Check the number with the person. The coordinator can change an old one."),
        Fault.NO_BIRTH_DATE: gettext("Fill it in: who walks must be 18."),
        Fault.NOT_A_DATE: gettext("Type it like 1990-05-31."),
        Fault.CHECK_DIGIT: gettext("Check it with the person, or write only the date, like 1990-05-31."),
        Fault.FUTURE: gettext("Check the year."),
        Fault.TOO_OLD: gettext("Check the year."),
        Fault.UNKNOWN_CLUB: gettext("Mend the name, or choose below that no column says the club."),
        Fault.OTHER_CLUB: gettext("Only that club's contact or the coordinator can bring the person in."),
    }[fault]


SHOW = {
    "field_words": field_words,
    "fault_words": fault_words,
    "remedy_words": remedy_words,
    "lacking_words": lacking_words,
}
