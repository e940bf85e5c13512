"""Who may lead a walk, and whose extract from the register a coordinator has seen"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op


revision: str = '0019'
down_revision: str | None = '0018'
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    with op.batch_alter_table('person', schema=None) as batch_op:
        batch_op.add_column(sa.Column('may_lead_since', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('extract_seen_on', sa.Date(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table('person', schema=None) as batch_op:
        batch_op.drop_column('extract_seen_on')
        batch_op.drop_column('may_lead_since')
