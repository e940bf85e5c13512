"""The steering group"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op


revision: str = '0011'
down_revision: str | None = '0010'
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_table('steering_meeting',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('partnership_id', sa.Integer(), nullable=False),
    sa.Column('starts_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('minutes', sa.Integer(), nullable=False),
    sa.Column('place', sa.String(), nullable=False),
    sa.Column('agenda', sa.String(), nullable=False),
    sa.Column('sequence', sa.Integer(), nullable=False),
    sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('cancelled_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint('minutes > 0', name=op.f('ck_steering_meeting_minutes')),
    sa.ForeignKeyConstraint(['partnership_id'], ['partnership.id'], name=op.f('fk_steering_meeting_partnership_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_steering_meeting'))
    )
    with op.batch_alter_table('steering_meeting', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_steering_meeting_partnership_id'), ['partnership_id'], unique=False)

    op.create_table('steering_member',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('partnership_id', sa.Integer(), nullable=False),
    sa.Column('partner', sa.Enum('municipality', 'club', name='partner', native_enum=False, length=40), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('email', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['partnership_id'], ['partnership.id'], name=op.f('fk_steering_member_partnership_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_steering_member'))
    )
    with op.batch_alter_table('steering_member', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_steering_member_partnership_id'), ['partnership_id'], unique=False)

    op.create_table('steering_decision',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('partnership_id', sa.Integer(), nullable=False),
    sa.Column('agreement_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.Enum('ordinary', 'deviation', 'extension', name='decisionkind', native_enum=False, length=40), nullable=False),
    sa.Column('title', sa.String(), nullable=False),
    sa.Column('text', sa.String(), nullable=False),
    sa.Column('proposed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('proposed_by', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['agreement_id'], ['agreement.id'], name=op.f('fk_steering_decision_agreement_id')),
    sa.ForeignKeyConstraint(['partnership_id'], ['partnership.id'], name=op.f('fk_steering_decision_partnership_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_steering_decision'))
    )
    with op.batch_alter_table('steering_decision', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_steering_decision_partnership_id'), ['partnership_id'], unique=False)

    op.create_table('steering_consent',
    sa.Column('decision_id', sa.Integer(), nullable=False),
    sa.Column('partner', sa.Enum('municipality', 'club', name='partner', native_enum=False, length=40), nullable=False),
    sa.Column('agreed', sa.Boolean(), nullable=False),
    sa.Column('given_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('given_by', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['decision_id'], ['steering_decision.id'], name=op.f('fk_steering_consent_decision_id')),
    sa.PrimaryKeyConstraint('decision_id', 'partner', name=op.f('pk_steering_consent'))
    )


def downgrade() -> None:
    op.drop_table('steering_consent')
    with op.batch_alter_table('steering_decision', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_steering_decision_partnership_id'))

    op.drop_table('steering_decision')
    with op.batch_alter_table('steering_member', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_steering_member_partnership_id'))

    op.drop_table('steering_member')
    with op.batch_alter_table('steering_meeting', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_steering_meeting_partnership_id'))

    op.drop_table('steering_meeting')
