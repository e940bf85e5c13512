"""Asking for people"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op


revision: str = '0006'
down_revision: str | None = '0005'
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_table('autopilot',
    sa.Column('partnership_id', sa.Integer(), nullable=False),
    sa.Column('mode', sa.Enum('off', 'proposes', 'acts', name='autopilotmode', native_enum=False, length=40), nullable=False),
    sa.Column('days_ahead', sa.Integer(), nullable=False),
    sa.Column('asks_a_week', sa.Integer(), nullable=False),
    sa.CheckConstraint('days_ahead >= 1 AND asks_a_week >= 1', name=op.f('ck_autopilot_numbers')),
    sa.ForeignKeyConstraint(['partnership_id'], ['partnership.id'], name=op.f('fk_autopilot_partnership_id')),
    sa.PrimaryKeyConstraint('partnership_id', name=op.f('pk_autopilot'))
    )
    op.create_table('asking',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('partnership_id', sa.Integer(), nullable=False),
    sa.Column('shift_id', sa.Integer(), nullable=False),
    sa.Column('state', sa.Enum('proposed', 'running', 'met', 'stopped', 'over', name='askingstate', native_enum=False, length=40), nullable=False),
    sa.Column('goal', sa.Integer(), nullable=False),
    sa.Column('wave', sa.Integer(), nullable=False),
    sa.Column('dry', sa.Boolean(), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('started_by', sa.Integer(), nullable=True),
    sa.Column('next_wave_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('ended_by', sa.Integer(), nullable=True),
    sa.CheckConstraint('goal >= 1 AND wave >= 0', name=op.f('ck_asking_numbers')),
    sa.ForeignKeyConstraint(['partnership_id'], ['partnership.id'], name=op.f('fk_asking_partnership_id')),
    sa.ForeignKeyConstraint(['shift_id'], ['shift.id'], name=op.f('fk_asking_shift_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_asking'))
    )
    with op.batch_alter_table('asking', schema=None) as batch_op:
        batch_op.create_index('ix_asking_shift_id', ['shift_id'], unique=False)
        batch_op.create_index('ix_asking_state', ['state', 'next_wave_at'], unique=False)
        batch_op.create_index('uq_asking_open', ['shift_id'], unique=True, sqlite_where=sa.text("state IN ('proposed', 'running')"), postgresql_where=sa.text("state IN ('proposed', 'running')"))

    op.create_table('ask',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('partnership_id', sa.Integer(), nullable=False),
    sa.Column('asking_id', sa.Integer(), nullable=False),
    sa.Column('shift_id', sa.Integer(), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('wave', sa.Integer(), nullable=False),
    sa.Column('state', sa.Enum('asked', 'yes', 'no', 'silent', 'too_late', 'withdrawn', name='askstate', native_enum=False, length=40), nullable=False),
    sa.Column('asked_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('answer_by', sa.DateTime(timezone=True), nullable=False),
    sa.Column('answered_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['asking_id'], ['asking.id'], name=op.f('fk_ask_asking_id')),
    sa.ForeignKeyConstraint(['partnership_id'], ['partnership.id'], name=op.f('fk_ask_partnership_id')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_ask_person_id')),
    sa.ForeignKeyConstraint(['shift_id'], ['shift.id'], name=op.f('fk_ask_shift_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ask'))
    )
    with op.batch_alter_table('ask', schema=None) as batch_op:
        batch_op.create_index('ix_ask_asking_state', ['asking_id', 'state'], unique=False)
        batch_op.create_index('ix_ask_partnership_state', ['partnership_id', 'state'], unique=False)
        batch_op.create_index('ix_ask_person_asked', ['person_id', 'asked_at'], unique=False)
        batch_op.create_index('uq_ask_once', ['shift_id', 'person_id'], unique=True, sqlite_where=sa.text("state <> 'withdrawn'"), postgresql_where=sa.text("state <> 'withdrawn'"))

    with op.batch_alter_table('person', schema=None) as batch_op:
        batch_op.add_column(sa.Column('last_asked_at', sa.DateTime(timezone=True), server_default=sa.text("'1970-01-01 00:00:00'"), nullable=False))
        batch_op.create_index('ix_person_turn', ['partnership_id', 'last_asked_at', 'id'], unique=False)



def downgrade() -> None:
    with op.batch_alter_table('person', schema=None) as batch_op:
        batch_op.drop_index('ix_person_turn')
        batch_op.drop_column('last_asked_at')

    with op.batch_alter_table('ask', schema=None) as batch_op:
        batch_op.drop_index('uq_ask_once', sqlite_where=sa.text("state <> 'withdrawn'"), postgresql_where=sa.text("state <> 'withdrawn'"))
        batch_op.drop_index('ix_ask_person_asked')
        batch_op.drop_index('ix_ask_partnership_state')
        batch_op.drop_index('ix_ask_asking_state')

    op.drop_table('ask')
    with op.batch_alter_table('asking', schema=None) as batch_op:
        batch_op.drop_index('uq_asking_open', sqlite_where=sa.text("state IN ('proposed', 'running')"), postgresql_where=sa.text("state IN ('proposed', 'running')"))
        batch_op.drop_index('ix_asking_state')
        batch_op.drop_index('ix_asking_shift_id')

    op.drop_table('asking')
    op.drop_table('autopilot')
