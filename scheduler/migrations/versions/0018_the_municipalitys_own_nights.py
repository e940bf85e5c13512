"""The municipality's own list of nights that matter"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op


revision: str = '0018'
down_revision: str | None = '0017'
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_table('local_night',
    sa.Column('partnership_id', sa.Integer(), nullable=False),
    sa.Column('night', sa.Date(), nullable=False),
    sa.Column('special', sa.Enum('last_school_day', 'home_game', 'local_event', name='special', native_enum=False, length=40), nullable=False),
    sa.ForeignKeyConstraint(['partnership_id'], ['partnership.id'], name=op.f('fk_local_night_partnership_id')),
    sa.PrimaryKeyConstraint('partnership_id', 'night', name=op.f('pk_local_night'))
    )


def downgrade() -> None:
    op.drop_table('local_night')
