"""Every route for every kind of visitor: the status that each gets."""

KINDS = ("nobody", "pending", "volunteer", "contact", "coordinator", "municipality")
MEMBER = dict.fromkeys(KINDS, 200) | {"nobody": 303}
PUBLIC = dict.fromkeys(KINDS, 200)
LEADING = {"nobody": 303, "pending": 403, "volunteer": 403, "contact": 403, "coordinator": 200, "municipality": 403}
NUMBERS = LEADING | {"municipality": 200}
CLUBS = LEADING | {"contact": 200}
POSTS = dict.fromkeys(KINDS) | {"nobody": 403}  # None: the rules decide, never 403 for the table
READERS = ("coordinator", "municipality")
LEADS = dict.fromkeys(KINDS, 403)
TEAM = dict.fromkeys(KINDS, 404) | {"nobody": 403}
BOOKERS = ("volunteer", "contact", "coordinator")

MATRIX = {
    "finding.home": ("/", PUBLIC),
    "finding.nights": ("/nights", MEMBER),
    "finding.night": ("/nights/2026-11-27", MEMBER),
    "finding.shift": ("/shifts/{shift}", MEMBER),
    "bookings.mine": ("/mine", MEMBER),
    "bookings.several": ("/bookings", MEMBER),
    "people.me": ("/me", MEMBER),
    "calendars.mine": ("/me/calendar", MEMBER),
    "calendars.shared": ("/me/calendar/needs/0", NUMBERS),
    # Somebody else's walk is no file of mine, whoever asks.
    "calendars.one_walk": ("/bookings/{booking}/calendar.ics", dict.fromkeys(KINDS, 404) | {"nobody": 303}),
    "people.joined": ("/joined", MEMBER),
    "personal.data": ("/me/data", MEMBER),
    "personal.data_file": ("/me/data.json", MEMBER),
    "personal.ask": ("/me/forget", MEMBER),
    "personal.forgotten": ("/forgotten", PUBLIC),
    "people.sign_in": ("/sign-in", dict.fromkeys(KINDS, 303) | {"nobody": 200}),
    "people.code": ("/sign-in/code", dict.fromkeys(KINDS, 303)),
    "people.join": ("/join/{invitation}", PUBLIC),
    "people.members": ("/lead/members", CLUBS),
    "people.invitation": ("/lead/clubs/{club}/invitation", CLUBS),
    "person.sheet": ("/lead/people/{person}", LEADING),
    "numbers.note": ("/lead/people/{person}/number", LEADING),
    # A link that was never sent asks nothing, whoever opens it.
    "numbers.changed": ("/number", PUBLIC),
    "numbers.question": ("/number/never-sent", dict.fromkeys(KINDS, 410)),
    "gaps.gaps": ("/lead", NUMBERS),
    "gaps.shift": ("/lead/shifts/{shift}", LEADING),
    "my_texts.choices": ("/me/texts", MEMBER),
    "my_texts.number": ("/me/number", MEMBER),
    "my_texts.code": ("/me/number/code", dict.fromkeys(KINDS, 303)),
    "sendings.texts": ("/lead/texts", LEADING),
    "sendings.new": ("/lead/texts/new", LEADING),
    "sendings.of_shift": ("/lead/texts/shifts/{shift}", LEADING),
    "sendings.of_person": ("/lead/texts/people/{person}", LEADING),
    # Who is not on the shift has no evening on it; coordinators may write the note of any.
    "walks.walk": ("/shifts/{shift}/walk", dict.fromkeys(KINDS, 404) | {"nobody": 303}),
    "walks.note": ("/shifts/{shift}/note", dict.fromkeys(KINDS, 404) | {"nobody": 303, "coordinator": 200}),
    "walks.noted": ("/shifts/{shift}/noted", dict.fromkeys(KINDS, 404) | {"nobody": 303, "coordinator": 303}),
    "walks.board": ("/lead/now", LEADING),
    "shifts.change": ("/lead/shifts/{shift}/change", LEADING),
    "shifts.call_off": ("/lead/shifts/{shift}/call-off", LEADING),
    "shifts.reinstate": ("/lead/shifts/{shift}/reinstate", LEADING),
    "shifts.take_off": ("/lead/shifts/{shift}/people/{person}/off", LEADING),
    "shifts.copy": ("/lead/shifts/{shift}/copy?to=2026-12-20", LEADING),
    "shifts.areas": ("/lead/nights/2026-11-27/areas", LEADING),
    # A contact of one club is led to its page.
    "clubs.clubs": ("/lead/clubs", LEADING | {"contact": 303}),
    "clubs.club": ("/lead/clubs/{club}", CLUBS),
    "clubs.statement": (
        "/lead/clubs/{club}/statements/999999.pdf",
        CLUBS | dict.fromkeys(("contact", "coordinator"), 404),
    ),
    "clubs.proposal": ("/lead/clubs/proposal", LEADING),
    "clubs.leaving": ("/lead/clubs/{club}/end", LEADING),
    "folk.people": ("/lead/people", CLUBS),
    "welcome.welcome": ("/welcome", MEMBER),
    "registers.start": ("/lead/people/import", CLUBS),
    # A list that is gone, or somebody else's, is no list.
    "registers.preview": ("/lead/people/import/999999", CLUBS | dict.fromkeys(("contact", "coordinator"), 410)),
    "folk.end": ("/lead/memberships/{membership}/end", CLUBS),
    "doubles.suggested": ("/lead/people/doubles", LEADING),
    "doubles.search": ("/lead/people/{person}/double", LEADING),
    "doubles.preview": ("/lead/people/{person}/double/{friend}", LEADING),
    "leading.season": ("/lead/season", LEADING),
    "leading.plan": ("/lead/season/plan", LEADING),
    "leading.story": ("/lead/log", LEADING),
    "gaps.asking": ("/lead/shifts/{shift}/asking", LEADING),
    "gaps.autopilot_page": ("/lead/autopilot", LEADING),
    "demo.sms": ("/demo/sms", PUBLIC),
    "demo.sign_in": ("/demo/sign-in/nobody-plays-this", dict.fromkeys(KINDS, 404)),
    # A booking of somebody else's does not exist, whoever asks.
    "bookings.booking": ("/bookings/{booking}", dict.fromkeys(KINDS, 404) | {"nobody": 303}),
    "bookings.leave": ("/bookings/{booking}/leave", dict.fromkeys(KINDS, 404) | {"nobody": 303}),
    "bookings.pick": ("/bookings/{booking}/hand-over", dict.fromkeys(KINDS, 404) | {"nobody": 303}),
}
ONLY_LEADING = dict.fromkeys(KINDS, 403) | {"coordinator": 404}
CLUBS_ONLY = dict.fromkeys(KINDS, 403)
POST_MATRIX = {
    "bookings.book": (
        "/shifts/{shift}/bookings",
        {"nobody": 403, "pending": 409, "volunteer": 303, "contact": 303, "coordinator": 303, "municipality": 409},
    ),
    "bookings.book_several": ("/bookings", dict.fromkeys(KINDS, 422) | {"nobody": 403}),
    **{
        f"bookings.{verb}": (f"/bookings/{{booking}}/{path}", dict.fromkeys(KINDS, 404) | {"nobody": 403})
        for verb, path in (
            ("cancel", "cancel"),
            ("cannot_come", "cannot-come"),
            ("hand_over", "hand-over"),
            ("keep", "keep"),
            ("accept", "accept"),
            ("decline", "decline"),
            ("auto_take", "auto-take"),
        )
    },
    "bookings.take_over": ("/bookings/{offered}/take-over", dict.fromkeys(KINDS, 404) | {"nobody": 403}),
    "bookings.refuse_take_over": ("/bookings/{offered}/refuse-take-over", dict.fromkeys(KINDS, 404) | {"nobody": 403}),
    # Those who have booked the shift above are on it, days too early.
    "walks.step": ("/shifts/{shift}/walk", TEAM | dict.fromkeys(BOOKERS, 422)),
    "walks.checklist": ("/shifts/{shift}/checklist", TEAM | dict.fromkeys(BOOKERS, 409)),
    "walks.write_note": ("/shifts/{shift}/note", TEAM | dict.fromkeys(BOOKERS, 422)),
    # No note of theirs asks for anything.
    "walks.settle_follow_up": ("/lead/follow-ups/{shift}", dict.fromkeys(KINDS, 403) | {"coordinator": 422}),
    "gaps.ask": ("/lead/shifts/{shift}/asking", dict.fromkeys(KINDS, 403) | {"coordinator": 303}),
    "gaps.stop": ("/lead/shifts/{shift}/asking/stop", dict.fromkeys(KINDS, 403) | {"coordinator": 303}),
    "gaps.change_autopilot": ("/lead/autopilot", dict.fromkeys(KINDS, 403) | {"coordinator": 422}),
    # Without the operator's signature nobody gets in.
    "answers.inbound": ("/sms/inbound", dict.fromkeys(KINDS, 403)),
    "messages.status": ("/sms/status/1/1-x", dict.fromkeys(KINDS, 403)),
    "my_texts.choose": ("/me/texts", dict.fromkeys(KINDS, 303) | {"nobody": 403}),
    "my_texts.send_code": ("/me/number", dict.fromkeys(KINDS, 422) | {"nobody": 403}),
    "my_texts.check_code": ("/me/number/code", dict.fromkeys(KINDS, 303) | {"nobody": 403}),
    "numbers.ask": ("/lead/people/{person}/number", dict.fromkeys(KINDS, 403) | {"coordinator": 422}),
    "numbers.answer": ("/number/never-sent", dict.fromkeys(KINDS, 410)),
    "sendings.use_number": (
        "/lead/texts/people/{person}/use-number",
        dict.fromkeys(KINDS, 403) | {"coordinator": 303},
    ),
    "sendings.again": ("/lead/texts/999999/again", dict.fromkeys(KINDS, 403) | {"coordinator": 409}),
    "sendings.take_back": ("/lead/texts/999999/take-back", dict.fromkeys(KINDS, 403) | {"coordinator": 404}),
    "sendings.read": ("/lead/texts/read/999999", dict.fromkeys(KINDS, 403) | {"coordinator": 404}),
    "sendings.resume": ("/lead/texts/resume", dict.fromkeys(KINDS, 403) | {"coordinator": 303}),
    "sendings.plan": ("/lead/texts/plan", dict.fromkeys(KINDS, 403) | {"coordinator": 422}),
    "sendings.send": ("/lead/texts/new", dict.fromkeys(KINDS, 403) | {"coordinator": 422}),
    "demo.answer": ("/demo/sms", dict.fromkeys(KINDS, 422)),
    "people.send_code": ("/sign-in", dict.fromkeys(KINDS, 422)),
    "people.check_code": ("/sign-in/code", dict.fromkeys(KINDS, 303)),
    "people.sign_out": ("/sign-out", dict.fromkeys(KINDS, 303)),
    "people.choose_language": ("/language", dict.fromkeys(KINDS, 303)),
    "people.join": ("/join/{invitation}", dict.fromkeys(KINDS, 422)),
    "people.me": ("/me", dict.fromkeys(KINDS, 303) | {"nobody": 403}),
    "calendars.change_own_address": ("/me/calendar/address", dict.fromkeys(KINDS, 303) | {"nobody": 403}),
    "calendars.change_shared_address": (
        "/me/calendar/needs/0/address",
        dict.fromkeys(KINDS, 403) | {"coordinator": 303, "municipality": 303},
    ),
    "calendars.choose_alarm": ("/me/calendar/alarm", dict.fromkeys(KINDS, 303) | {"nobody": 403}),
    "personal.forget": ("/me/forget", dict.fromkeys(KINDS, 422) | {"nobody": 403}),
    "people.end_device": ("/me/devices/999999/end", dict.fromkeys(KINDS, 404) | {"nobody": 403}),
    "shifts.save": ("/lead/shifts/{shift}/change", ONLY_LEADING | {"coordinator": 422}),
    "shifts.call_off": ("/lead/shifts/999999/call-off", ONLY_LEADING),
    "shifts.reinstate": ("/lead/shifts/{shift}/reinstate", ONLY_LEADING | {"coordinator": 409}),
    "shifts.publish": ("/lead/shifts/{shift}/publish", ONLY_LEADING | {"coordinator": 303}),
    "shifts.copy": ("/lead/shifts/{shift}/copy", ONLY_LEADING | {"coordinator": 422}),
    "shifts.put_on": ("/lead/shifts/{shift}/people", ONLY_LEADING | {"coordinator": 422}),
    "shifts.take_off": ("/lead/shifts/999999/people/999999/off", ONLY_LEADING),
    "shifts.open_area": ("/lead/nights/2026-11-27/areas", ONLY_LEADING | {"coordinator": 422}),
    "clubs.end": ("/lead/clubs/{club}/end", ONLY_LEADING | {"coordinator": 422}),
    "clubs.begin": ("/lead/clubs/{club}/begin", ONLY_LEADING | {"coordinator": 303}),
    "clubs.wish": ("/lead/clubs/{club}/wish", dict.fromkeys(KINDS, 403) | {"contact": 422, "coordinator": 422}),
    "clubs.take": (
        "/lead/clubs/{club}/shifts/999999/take",
        dict.fromkeys(KINDS, 403) | {"contact": 404, "coordinator": 404},
    ),
    "clubs.settle": (
        "/lead/clubs/{club}/shifts/999999/back",
        dict.fromkeys(KINDS, 403) | {"contact": 404, "coordinator": 404},
    ),
    "clubs.share": ("/lead/clubs/proposal", ONLY_LEADING | {"coordinator": 422}),
    "person.give_role": ("/lead/people/{person}/roles", ONLY_LEADING | {"coordinator": 422}),
    "person.take_role": ("/lead/people/{person}/roles/take", ONLY_LEADING | {"coordinator": 422}),
    "person.note": ("/lead/people/{person}/note", ONLY_LEADING | {"coordinator": 303}),
    "person.lead": ("/lead/people/{person}/lead", ONLY_LEADING | {"coordinator": 422}),
    "person.extract": ("/lead/people/{person}/extract", ONLY_LEADING | {"coordinator": 422}),
    "welcome.answer": ("/welcome/999999/yes", dict.fromkeys(KINDS, 409) | {"nobody": 403}),
    "registers.read": ("/lead/people/import", CLUBS_ONLY | {"contact": 422, "coordinator": 422}),
    "registers.export": ("/lead/people/export", CLUBS_ONLY | {"contact": 422, "coordinator": 422}),
    **{
        f"registers.{name}": (
            f"/lead/people/import/999999{path}",
            CLUBS_ONLY | {"contact": 410, "coordinator": 410},
        )
        for name, path in (("bring_in", ""), ("columns", "/columns"), ("drop", "/drop"))
    },
    "folk.approve": ("/lead/people/approve", dict.fromkeys(KINDS, 403) | {"contact": 422, "coordinator": 422}),
    "folk.end": (
        "/lead/memberships/999999/end",
        dict.fromkeys(KINDS, 403) | {"contact": 404, "coordinator": 404},
    ),
    "leading.write_plan": ("/lead/season/plan", ONLY_LEADING | {"coordinator": 422}),
    "leading.settle": ("/lead/season/999999/undo", ONLY_LEADING),
    "leading.publish_on": ("/lead/season/999999/publish-on", ONLY_LEADING),
    "leading.swap": ("/lead/season/swap", ONLY_LEADING | {"coordinator": 422}),
    "people.decide": ("/lead/members/999999/approve", dict.fromkeys(KINDS, 403) | {"contact": 404, "coordinator": 404}),
}  # fmt: skip
MATRIX |= {
    "walks.tonight": ("/tonight", PUBLIC),
    "walks.offline": ("/offline", PUBLIC),
    "money.accounts": ("/accounts", PUBLIC),
    "money.accounts_csv": ("/accounts.csv", PUBLIC),
    "money.accounts_json": ("/accounts.json", PUBLIC),
    "money.money": ("/lead/money", NUMBERS),
    "money.entries": ("/lead/money/entries", NUMBERS),
    "money.new_purchase": ("/lead/money/purchases/new", LEADING),
    "local_nights.own": ("/lead/season/own", NUMBERS),
    "money.payouts": ("/lead/money/payouts", NUMBERS),
    "money.payouts_csv": ("/lead/money/payouts.csv", NUMBERS),
    "money.shift": ("/lead/money/shifts/999999", LEADING | dict.fromkeys(READERS, 404)),
    "money.statement": ("/lead/money/payouts/999999.pdf", LEADING | dict.fromkeys(READERS, 404)),
    "reports.reports": ("/lead/reports", NUMBERS),
    "reports.live": ("/lead/reports/month/2026-11-01", NUMBERS),
    "reports.live_paper": ("/lead/reports/month/2026-11-01.pdf", NUMBERS),
    "reports.frozen": ("/lead/reports/999999", LEADING | dict.fromkeys(READERS, 404)),
    "reports.paper": ("/lead/reports/999999.xlsx", LEADING | dict.fromkeys(READERS, 404)),
    "reports.reader": ("/read/a-secret-that-never-was", dict.fromkeys(KINDS, 404)),
    "steering.steering": ("/lead/steering", NUMBERS),
    "steering.meeting": ("/lead/steering/meetings/999999", LEADING | dict.fromkeys(READERS, 404)),
    "steering.areas": ("/lead/steering/areas/2026-11-27", LEADING),
    "steering.own_file": ("/lead/steering/meetings/999999/own.ics", LEADING | dict.fromkeys(READERS, 404)),
    "steering.meeting_file": ("/lead/steering/meetings/999999.ics", LEADING | dict.fromkeys(READERS, 404)),
    "money.receipt": ("/lead/money/purchases/999999/receipt", LEADING | dict.fromkeys(READERS, 404)),
}
POST_MATRIX |= {
    "local_nights.add": ("/lead/season/own", LEADS | dict.fromkeys(READERS, 422)),
    "local_nights.remove": ("/lead/season/own/remove", LEADS | dict.fromkeys(READERS, 422)),
    "money.settle": ("/lead/money/settle", LEADS | {"coordinator": 303}),
    "money.name_host": ("/lead/money/shifts/999999/host", LEADS | {"coordinator": 422}),
    "money.buy": ("/lead/money/purchases/new", LEADS | {"coordinator": 422}),
    "money.freeze": ("/lead/money/payouts", LEADS | {"coordinator": 422}),
    "reports.freeze": ("/lead/reports/month/2026-11-01", LEADS | {"coordinator": 409}),
    "reports.make_link": ("/lead/reports/links", LEADS | {"coordinator": 422}),
    "reports.end_link": ("/lead/reports/links/999999/end", LEADS | {"coordinator": 404}),
    **{
        f"steering.{name}": (f"/lead/steering/{path}", LEADS | dict.fromkeys(READERS, status))
        for name, path, status in (
            ("add_member", "members", 422),
            ("remove_member", "members/999999/remove", 404),
            ("take_seat", "members/999999/mine", 404),
            ("call_meeting", "meetings", 422),
            ("change_meeting", "meetings/999999", 404),
            ("cancel_meeting", "meetings/999999/cancel", 404),
            ("propose", "decisions", 422),
            ("answer", "decisions/999999/answer", 422),
            ("renew", "renew", 409),
            ("change_rate", "rate", 422),
        )
    },
    "steering.open_area": ("/lead/steering/areas/2026-11-27", LEADS | {"coordinator": 422}),
    "money.take_back": ("/lead/money/purchases/999999/take-back", LEADS | {"coordinator": 404}),
}
# The last: the outsider and the friend are one person afterwards.
POST_MATRIX["doubles.merge"] = ("/lead/people/{person}/double/{friend}", ONLY_LEADING | {"coordinator": 303})
FRAME = {"static", "worker", "favicon", "robots", "healthz", "readyz"}
