"""Areas opened by a decision of the steering group"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op


revision: str = '0017'
down_revision: str | None = '0016'
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_table('steering_opening',
    sa.Column('shift_id', sa.Integer(), nullable=False),
    sa.Column('decision_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['decision_id'], ['steering_decision.id'], name=op.f('fk_steering_opening_decision_id')),
    sa.ForeignKeyConstraint(['shift_id'], ['shift.id'], name=op.f('fk_steering_opening_shift_id')),
    sa.PrimaryKeyConstraint('shift_id', name=op.f('pk_steering_opening'))
    )
    with op.batch_alter_table('steering_opening', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_steering_opening_decision_id'), ['decision_id'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('steering_opening', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_steering_opening_decision_id'))

    op.drop_table('steering_opening')
