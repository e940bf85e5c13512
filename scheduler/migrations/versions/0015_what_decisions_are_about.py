"""What decisions are about, and who calls a meeting"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op


revision: str = '0015'
down_revision: str | None = '0014'
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    with op.batch_alter_table('steering_meeting', schema=None) as batch_op:
        batch_op.add_column(sa.Column('organizer_name', sa.String(), server_default=sa.text("''"), nullable=False))
        batch_op.add_column(sa.Column('organizer_email', sa.String(), server_default=sa.text("''"), nullable=False))
    with op.batch_alter_table('steering_decision', schema=None) as batch_op:
        batch_op.add_column(sa.Column('deviations', sa.JSON(), server_default='[]', nullable=False))
    if op.get_bind().dialect.name == 'sqlite':
        # Making the table anew, as Alembic would, is refused while consents point at it.
        op.execute(
            'ALTER TABLE steering_decision ADD COLUMN meeting_id INTEGER '
            'CONSTRAINT fk_steering_decision_meeting_id REFERENCES steering_meeting (id)'
        )
    else:
        op.add_column('steering_decision', sa.Column('meeting_id', sa.Integer(), nullable=True))
        op.create_foreign_key(
            op.f('fk_steering_decision_meeting_id'), 'steering_decision', 'steering_meeting', ['meeting_id'], ['id']
        )


def downgrade() -> None:
    if op.get_bind().dialect.name == 'sqlite':
        # As above: no new table while consents point at it. The reference goes with its column.
        op.execute('ALTER TABLE steering_decision DROP COLUMN meeting_id')
        op.execute('ALTER TABLE steering_decision DROP COLUMN deviations')
    else:
        op.drop_constraint(op.f('fk_steering_decision_meeting_id'), 'steering_decision', type_='foreignkey')
        op.drop_column('steering_decision', 'meeting_id')
        op.drop_column('steering_decision', 'deviations')
    with op.batch_alter_table('steering_meeting', schema=None) as batch_op:
        batch_op.drop_column('organizer_email')
        batch_op.drop_column('organizer_name')
