"""Every table of every room, for the migrations and for tests that compare them."""

from scheduler.bookings import tables as _bookings
from scheduler.calendars import tables as _calendars
from scheduler.gaps import tables as _gaps
from scheduler.kit import audit as _audit
from scheduler.kit import heartbeat as _heartbeat
from scheduler.kit.mapping import Base
from scheduler.messages import tables as _messages
from scheduler.money import tables as _money
from scheduler.nights import tables as _nights
from scheduler.partnership import tables as _partnership
from scheduler.people import tables as _people
from scheduler.registers import tables as _registers
from scheduler.reports import tables as _reports
from scheduler.steering import tables as _steering
from scheduler.walks import tables as _walks

ROOMS = (
    *(_audit, _heartbeat, _partnership, _messages, _people, _nights, _bookings, _calendars, _walks, _gaps),
    *(_money, _reports, _steering, _registers),
)
METADATA = Base.metadata
