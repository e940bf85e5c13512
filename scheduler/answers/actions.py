"""Acting on a text that came in: once, for whoever sent it, with one text as the answer."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, update

from scheduler.answers.deciding import KINDS, OWN_BOOKING, Said, acting_as, is_open, leave
from scheduler.answers.queries import Asked, Sender, Walk, asked, coming_walks, senders, words_of_shift
from scheduler.answers.rules import Meaning, Wish, meaning
from scheduler.bookings import confirming
from scheduler.bookings.rules import NothingOffered, TakenByAnother
from scheduler.kit.refusals import Refusal
from scheduler.kit.upsert import insertion_of_new
from scheduler.messages import standing
from scheduler.messages.actions import Question, Recipient, Text, answer_question, queue, queue_many
from scheduler.messages.cleaning import forget_at_operator
from scheduler.messages.rules import (
    ONE_SEGMENT_CHARACTERS,
    Answer,
    MessageKind,
    QuestionKind,
    Reply,
    allowed_at,
    gsm7_length,
)
from scheduler.messages.tables import Incoming
from scheduler.messages.texts import render
from scheduler.people.reaching import coordinators
from scheduler.people.signing_in import over_limit

ANSWER_LIVES = timedelta(hours=1)
CHOICE_LIVES = timedelta(hours=12)
PASSED_ON_LIVES = timedelta(days=2)
LONGEST_KEPT_CHARACTERS = 1600
MOST_REPLIES_AN_HOUR = 20


@dataclass(frozen=True, slots=True)
class Came:
    """A text that came in. `operator_answered`: the operator has confirmed a STOP or START of its own accord."""

    sid: str
    phone: str
    body: str
    operator_answered: bool = False


def receive(connection: Connection, came: Came, public_url: str, now: datetime) -> bool:
    """Act on a text, in one transaction; False when it was acted on before, or a stranger sent it."""
    known = senders(connection, came.phone, public_url)
    body = came.body.replace("\x00", "")[:LONGEST_KEPT_CHARACTERS]
    row: dict[str, Any] = {
        "sid": came.sid,
        "partnership_id": known[0].partnership_id if known else None,
        "person_id": known[0].person_id if known else None,
        "body": body if known else "",
        "meaning": "stranger",
        "received_at": now,
        "passed_on": False,
    }
    incoming_id = connection.execute(insertion_of_new(connection, Incoming).returning(Incoming.id), row).scalar()
    if incoming_id is None:
        return False
    if not known:
        forget_at_operator(connection, [came.sid], now)
        return False
    understood = meaning(body, (known[0].first_name, known[0].last_name))
    _Acting(connection, incoming_id, came, known, body, now).act(understood)
    return True


@dataclass(frozen=True, slots=True)
class _Acting:
    """One incoming text in hand."""

    connection: Connection
    incoming_id: int
    came: Came
    known: list[Sender]
    body: str
    now: datetime

    def act(self, understood: Meaning) -> None:
        sender = self.known[0]
        match understood.wish:
            case Wish.STOP:
                standing.stop(self.connection, self.came.phone, self.now)
                self._reply(sender, Said(Reply.STOPPED))
            case Wish.START:
                standing.start(self.connection, self.came.phone)
                self._reply(sender, Said(Reply.STARTED))
            case Wish.WALKS:
                self._walks(sender)
            case Wish.HELP:
                self._reply(sender, Said(Reply.HELP))
            case Wish.ANSWER:
                sender = self._answer(understood)
            case Wish.NOTHING:
                self._reply(sender, Said(Reply.UNCLEAR))
            case Wish.WORDS:
                self._reply(sender, Said(Reply.PASSED_ON))
        if understood.more:
            self._pass_on(sender)
        self.connection.execute(
            update(Incoming)
            .where(Incoming.id == self.incoming_id)
            .values(
                meaning=understood.answer or understood.wish,
                passed_on=understood.more,
                person_id=sender.person_id,
                partnership_id=sender.partnership_id,
            )
        )

    def _answer(self, understood: Meaning) -> Sender:
        """Give the answer to the question that it belongs to; return whose it was."""
        questions = asked(self.connection, [one.person_id for one in self.known], self.now)
        if understood.number is not None:
            return self._choose(questions, understood.number, understood.answer)
        assert understood.answer is not None
        plain = [one for one in questions if one.kind is not QuestionKind.CHOICE]
        for question in plain:
            if is_open(self.connection, question, understood.answer, self.now):
                return self._decide(question, understood.answer)
        latest = plain[0] if plain else None
        sender = self._whose(latest)
        if latest is not None:
            answered = latest.answer is not None
            path = f"/bookings/{latest.subject_id}" if latest.kind in OWN_BOOKING else "/nights"
            reply = Reply.ANSWERED_ALREADY if answered else Reply.TOO_LATE
            self._reply(sender, Said(reply, path), latest.shift_id)
        else:
            self._offer_choice(sender, understood.answer)
        return sender

    def _whose(self, question: Asked | None) -> Sender:
        wanted = question.person_id if question is not None else None
        return next((one for one in self.known if one.person_id == wanted), self.known[0])

    def _decide(self, question: Asked, answer: Answer) -> Sender:
        sender = self._whose(question)
        deciding = KINDS[question.kind]
        if question.answer is None and not answer_question(self.connection, question.message_id, answer, self.now):
            self._reply(sender, Said(Reply.ANSWERED_ALREADY), question.shift_id)
            return sender
        verb = deciding.yes if answer is Answer.YES else deciding.no
        said = self._tried(lambda: verb(self.connection, acting_as(sender, self.now), question), question.shift_id)
        self._reply(sender, said, question.shift_id)
        return sender

    def _tried(self, verb: Any, shift_id: int | None) -> Said:  # noqa: ANN401 - any verb without arguments
        try:
            with self.connection.begin_nested():
                said: Said = verb()
        except TakenByAnother:
            return Said(Reply.TAKEN_BY_ANOTHER)
        except NothingOffered:
            return Said(Reply.TOO_LATE)
        except Refusal:
            return Said(Reply.NOT_POSSIBLE, f"/shifts/{shift_id}" if shift_id else "/nights")
        return said

    def _choose(self, questions: list[Asked], number: int, answer: Answer | None) -> Sender:
        lists = [one for one in questions if one.kind is QuestionKind.CHOICE and one.answer is None]
        chosen = lists[0] if lists and lists[0].answer_by > self.now else None
        sender = self._whose(chosen)
        bookings = chosen.choices["bookings"] if chosen is not None else []
        if chosen is None or number > len(bookings):
            self._reply(sender, Said(Reply.UNCLEAR))
            return sender
        wanted = answer or Answer(chosen.choices["answer"])
        booking_id = int(bookings[number - 1])
        shift_id = next(
            (one.shift_id for one in coming_walks(self.connection, sender, self.now) if one.booking_id == booking_id),
            None,
        )
        acting = acting_as(sender, self.now)

        def verb() -> Said:
            if wanted is Answer.NO:
                return leave(self.connection, acting, booking_id)
            confirming.confirm(self.connection, acting, booking_id)
            return Said(Reply.COMING, f"/bookings/{booking_id}")

        if shift_id is None or not answer_question(self.connection, chosen.message_id, wanted, self.now):
            self._reply(sender, Said(Reply.UNCLEAR))
        else:
            self._reply(sender, self._tried(verb, shift_id), shift_id)
        return sender

    def _offer_choice(self, sender: Sender, answer: Answer) -> None:
        walks = coming_walks(self.connection, sender, self.now)
        if not walks:
            self._reply(sender, Said(Reply.NOTHING_ASKED))
            return
        listed, text = _listed(walks, Reply.CHOOSE, sender.language)
        choices = {"answer": answer.value, "bookings": [walk.booking_id for walk in listed]}
        question = Question(QuestionKind.CHOICE, 0, self.now + CHOICE_LIVES, choices)
        self._reply(sender, Said(Reply.CHOOSE), question=question, walks=text)

    def _walks(self, sender: Sender) -> None:
        walks = coming_walks(self.connection, sender, self.now)
        if walks:
            self._reply(sender, Said(Reply.WALKS, "/mine"), walks=_listed(walks, Reply.WALKS, sender.language)[1])
        else:
            self._reply(sender, Said(Reply.NO_WALKS))

    def _reply(
        self,
        sender: Sender,
        said: Said,
        shift_id: int | None = None,
        question: Question | None = None,
        **more: str,
    ) -> None:
        if self.came.operator_answered and said.reply in {Reply.STOPPED, Reply.STARTED, Reply.HELP}:
            return
        # A machine at the other end that answers answers must not go on for ever.
        if over_limit(self.connection, f"answers:{sender.person_id}", MOST_REPLIES_AN_HOUR, self.now):
            return
        words = words_of_shift(self.connection, sender, shift_id) | {
            "link": f"{sender.site}{said.path}",
            "phone": sender.coordinator_phone,
            **more,
        }
        text = Text(
            kind=MessageKind.ANSWER,
            reply=said.reply,
            fact=f"answer:{self.incoming_id}",
            about=f"answer:{self.incoming_id}",
            words=words,
            due_at=self.now,
            deadline_at=self.now + ANSWER_LIVES,
            shift_id=shift_id,
            question=question,
        )
        to = Recipient(sender.phone, sender.language, sender.person_id)
        queue(self.connection, sender.partnership_id, to, text, self.now)

    def _pass_on(self, sender: Sender) -> None:
        """Tell the coordinators what was written; at night only when the sender's walk is near."""
        walks = coming_walks(self.connection, sender, self.now)
        starts_at = walks[0].starts_at if walks else None
        letters = []
        for to in coordinators(self.connection, sender.partnership_id):
            text = Text(
                kind=MessageKind.PASSED_ON,
                fact=f"incoming:{self.incoming_id}:{to.person_id}",
                about=f"incoming:{self.incoming_id}",
                words={
                    "name": f"{sender.first_name} {sender.last_name}",
                    "text": " ".join(self.body.split()),
                    "link": f"{sender.site}/lead/texts",
                },
                due_at=allowed_at(self.now, sender.zone, starts_at),
                deadline_at=self.now + PASSED_ON_LIVES,
                starts_at=starts_at,
            )
            letters.append((sender.partnership_id, to, text))
        queue_many(self.connection, letters, self.now)


def _listed(walks: list[Walk], reply: Reply, language: str) -> tuple[list[Walk], str]:
    """Return as many walks as one segment holds, and them as "1 fre 27 nov 21.00 Centrum, 2 …"."""
    kept: list[Walk] = []
    text = ""
    for number, walk in enumerate(walks, start=1):
        words = walk.words
        entry = f"{number} {words['day']} {words['starts']} {words['area']}"
        longer = f"{text}, {entry}" if text else entry
        if kept and gsm7_length(render(reply, language, {"walks": longer})) > ONE_SEGMENT_CHARACTERS:
            break
        kept.append(walk)
        text = longer
    return kept, text
