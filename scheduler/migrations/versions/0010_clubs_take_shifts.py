"""Clubs take shifts, and their members come first until a day"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op


revision: str = '0010'
down_revision: str | None = '0009'
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_table('club_wish',
    sa.Column('agreement_id', sa.Integer(), nullable=False),
    sa.Column('club_id', sa.Integer(), nullable=False),
    sa.Column('shifts', sa.Integer(), nullable=False),
    sa.CheckConstraint('shifts >= 0', name=op.f('ck_club_wish_shifts')),
    sa.ForeignKeyConstraint(['agreement_id'], ['agreement.id'], name=op.f('fk_club_wish_agreement_id')),
    sa.ForeignKeyConstraint(['club_id'], ['club.id'], name=op.f('fk_club_wish_club_id')),
    sa.PrimaryKeyConstraint('agreement_id', 'club_id', name=op.f('pk_club_wish'))
    )
    op.add_column('shift', sa.Column('members_first_until', sa.DateTime(timezone=True), nullable=True))
    # Written out, since SQLite can add a column that refers to a table only inside ADD COLUMN itself.
    op.execute("ALTER TABLE shift ADD COLUMN reserve_club_id INTEGER CONSTRAINT fk_shift_reserve_club_id REFERENCES club (id)")


def downgrade() -> None:
    op.execute("ALTER TABLE shift DROP COLUMN reserve_club_id")
    op.execute("ALTER TABLE shift DROP COLUMN members_first_until")
    op.drop_table('club_wish')
