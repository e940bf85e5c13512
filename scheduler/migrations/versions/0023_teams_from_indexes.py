"""Teams and clubs are read from indexes alone"""

from collections.abc import Sequence

from alembic import op


revision: str = '0023'
down_revision: str | None = '0022'
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.drop_index('ix_booking_shift_state', 'booking')
    op.create_index('ix_booking_shift_state_person', 'booking', ['shift_id', 'state', 'person_id'])
    op.drop_index('ix_membership_person_state', 'membership')
    op.create_index('ix_membership_person_state_club', 'membership', ['person_id', 'state', 'club_id'])


def downgrade() -> None:
    op.drop_index('ix_membership_person_state_club', 'membership')
    op.create_index('ix_membership_person_state', 'membership', ['person_id', 'state'])
    op.drop_index('ix_booking_shift_state_person', 'booking')
    op.create_index('ix_booking_shift_state', 'booking', ['shift_id', 'state'])
