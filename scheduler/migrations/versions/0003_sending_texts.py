"""Sending texts"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op


revision: str = '0003'
down_revision: str | None = '0002'
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    # Reminders are planned by the worker from now on, from the facts of the hour.
    op.execute("DELETE FROM message WHERE state = 'queued' AND kind IN ('reminder_two_days', 'reminder_three_hours')")
    with op.batch_alter_table('booking', schema=None) as batch_op:
        batch_op.add_column(sa.Column('confirmed_at', sa.DateTime(timezone=True), nullable=True))

    op.create_table('heartbeat',
    sa.Column('worker', sa.String(), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('seen_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('worker', name=op.f('pk_heartbeat'))
    )
    op.create_table('phone_standing',
    sa.Column('phone', sa.String(), nullable=False),
    sa.Column('stopped_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('dead_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('dead_code', sa.String(), nullable=True),
    sa.PrimaryKeyConstraint('phone', name=op.f('pk_phone_standing'))
    )
    op.create_table('sending_halt',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('since', sa.DateTime(timezone=True), nullable=False),
    sa.Column('code', sa.String(), nullable=False),
    sa.Column('next_try_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sending_halt'))
    )
    op.create_table('text_plan',
    sa.Column('partnership_id', sa.Integer(), nullable=False),
    sa.Column('segment_ore', sa.Integer(), nullable=False),
    sa.Column('ceiling_ore', sa.Integer(), nullable=False),
    sa.Column('warned_month', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['partnership_id'], ['partnership.id'], name=op.f('fk_text_plan_partnership_id')),
    sa.PrimaryKeyConstraint('partnership_id', name=op.f('pk_text_plan'))
    )
    op.create_table('incoming',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('sid', sa.String(), nullable=False),
    sa.Column('partnership_id', sa.Integer(), nullable=True),
    sa.Column('person_id', sa.Integer(), nullable=True),
    sa.Column('body', sa.String(), nullable=False),
    sa.Column('meaning', sa.String(), nullable=False),
    sa.Column('received_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('passed_on', sa.Boolean(), nullable=False),
    sa.Column('seen_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['partnership_id'], ['partnership.id'], name=op.f('fk_incoming_partnership_id')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_incoming_person_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_incoming')),
    sa.UniqueConstraint('sid', name=op.f('uq_incoming_sid'))
    )
    with op.batch_alter_table('incoming', schema=None) as batch_op:
        batch_op.create_index('ix_incoming_received_at', ['partnership_id', 'received_at'], unique=False)

    op.create_table('text_preference',
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('off', sa.JSON(), nullable=False),
    sa.Column('quiet_starts', sa.Time(), nullable=False),
    sa.Column('quiet_ends', sa.Time(), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_text_preference_person_id')),
    sa.PrimaryKeyConstraint('person_id', name=op.f('pk_text_preference'))
    )
    with op.batch_alter_table('message', schema=None) as batch_op:
        batch_op.add_column(sa.Column('reply', sa.Enum('coming', 'cancelled', 'cancelled_late', 'place_taken', 'declined', 'answered_already', 'too_late', 'taken_by_another', 'not_possible', 'nothing_asked', 'choose', 'walks', 'no_walks', 'help', 'stopped', 'started', 'words_passed_on', 'unclear', name='reply', native_enum=False, length=40), nullable=True))
        batch_op.add_column(sa.Column('language', sa.String(), server_default=sa.text("'sv'"), nullable=False))
        batch_op.add_column(sa.Column('words', sa.JSON(), server_default=sa.text("'{}'"), nullable=False))
        batch_op.add_column(sa.Column('lane', sa.Integer(), server_default=sa.text('1'), nullable=False))
        batch_op.add_column(sa.Column('queued_by', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('shift_id', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('starts_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('attempts', sa.Integer(), server_default=sa.text('0'), nullable=False))
        batch_op.add_column(sa.Column('claim', sa.String(), nullable=True))
        batch_op.add_column(sa.Column('claimed_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('looked_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('sent_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('sid', sa.String(), nullable=True))
        batch_op.add_column(sa.Column('error', sa.String(), nullable=True))
        batch_op.add_column(sa.Column('segments', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('question', sa.Enum('coming', 'place_offered', 'hand_over', 'choice', 'gap', name='questionkind', native_enum=False, length=40), nullable=True))
        batch_op.add_column(sa.Column('subject_id', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('answer_by', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('choices', sa.JSON(none_as_null=True), nullable=True))
        batch_op.add_column(sa.Column('answer', sa.Enum('yes', 'no', name='answer', native_enum=False, length=40), nullable=True))
        batch_op.add_column(sa.Column('answered_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.drop_index(batch_op.f('ix_message_state_due_at'))
        batch_op.create_index('ix_message_leaving', ['state', 'lane', 'due_at'], unique=False)
        batch_op.create_index('ix_message_person_id', ['person_id'], unique=False)
        batch_op.create_index('ix_message_queued_at', ['partnership_id', 'queued_at'], unique=False)
        batch_op.create_index('ix_message_shift_id', ['shift_id'], unique=False)



def downgrade() -> None:
    op.drop_column('booking', 'confirmed_at')

    with op.batch_alter_table('message', schema=None) as batch_op:
        batch_op.drop_index('ix_message_shift_id')
        batch_op.drop_index('ix_message_queued_at')
        batch_op.drop_index('ix_message_person_id')
        batch_op.drop_index('ix_message_leaving')
        batch_op.create_index(batch_op.f('ix_message_state_due_at'), ['state', 'due_at'], unique=False)
        batch_op.drop_column('answered_at')
        batch_op.drop_column('answer')
        batch_op.drop_column('choices')
        batch_op.drop_column('answer_by')
        batch_op.drop_column('subject_id')
        batch_op.drop_column('question')
        batch_op.drop_column('segments')
        batch_op.drop_column('error')
        batch_op.drop_column('sid')
        batch_op.drop_column('sent_at')
        batch_op.drop_column('looked_at')
        batch_op.drop_column('claimed_at')
        batch_op.drop_column('claim')
        batch_op.drop_column('attempts')
        batch_op.drop_column('starts_at')
        batch_op.drop_column('shift_id')
        batch_op.drop_column('queued_by')
        batch_op.drop_column('lane')
        batch_op.drop_column('words')
        batch_op.drop_column('language')
        batch_op.drop_column('reply')

    op.drop_table('text_preference')
    with op.batch_alter_table('incoming', schema=None) as batch_op:
        batch_op.drop_index('ix_incoming_received_at')

    op.drop_table('incoming')
    op.drop_table('text_plan')
    op.drop_table('sending_halt')
    op.drop_table('phone_standing')
    op.drop_table('heartbeat')
