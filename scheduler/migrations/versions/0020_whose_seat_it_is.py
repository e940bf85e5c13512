"""Whose seat in the steering group it is"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op


revision: str = '0020'
down_revision: str | None = '0019'
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    with op.batch_alter_table('steering_member', schema=None) as batch_op:
        batch_op.add_column(sa.Column('person_id', sa.Integer(), nullable=True))
        batch_op.create_foreign_key(batch_op.f('fk_steering_member_person_id'), 'person', ['person_id'], ['id'])
        batch_op.create_index(batch_op.f('ix_steering_member_person_id'), ['person_id'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('steering_member', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_steering_member_person_id'))
        batch_op.drop_constraint(batch_op.f('fk_steering_member_person_id'), type_='foreignkey')
        batch_op.drop_column('person_id')
