"""What the operator holds"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op


revision: str = '0014'
down_revision: str | None = '0013'
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_table('sending_rest',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('since', sa.DateTime(timezone=True), nullable=False),
    sa.Column('begun_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sending_rest'))
    )
    op.create_table('lost_text',
    sa.Column('sid', sa.String(), nullable=False),
    sa.Column('to_phone', sa.String(), nullable=False),
    sa.Column('body', sa.String(), nullable=False),
    sa.Column('status', sa.String(), nullable=False),
    sa.Column('left_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('copied_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('noted_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('sid', name=op.f('pk_lost_text'))
    )
    with op.batch_alter_table('lost_text', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_lost_text_to_phone'), ['to_phone'], unique=False)

    op.create_table('redaction',
    sa.Column('sid', sa.String(), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('tries', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.PrimaryKeyConstraint('sid', name=op.f('pk_redaction'))
    )
    with op.batch_alter_table('redaction', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_redaction_due_at'), ['due_at'], unique=False)

    with op.batch_alter_table('message', schema=None) as batch_op:
        batch_op.create_index('ix_message_sid', ['sid'], unique=False)

    # Whose words we have forgotten already, the operator has not.
    op.execute(
        "INSERT INTO redaction (sid, due_at) SELECT sid, max(queued_at) FROM message "
        "WHERE body = '' AND sid IS NOT NULL GROUP BY sid"
    )
    op.execute(
        "INSERT INTO redaction (sid, due_at) SELECT sid, received_at FROM incoming "
        "WHERE body = '' AND sid NOT IN (SELECT sid FROM redaction)"
    )


def downgrade() -> None:
    with op.batch_alter_table('message', schema=None) as batch_op:
        batch_op.drop_index('ix_message_sid')

    with op.batch_alter_table('redaction', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_redaction_due_at'))

    op.drop_table('redaction')
    with op.batch_alter_table('lost_text', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_lost_text_to_phone'))

    op.drop_table('lost_text')
    op.drop_table('sending_rest')
