"""The walks"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op


revision: str = '0004'
down_revision: str | None = '0003'
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_table('arrival',
    sa.Column('shift_id', sa.Integer(), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('partnership_id', sa.Integer(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['partnership_id'], ['partnership.id'], name=op.f('fk_arrival_partnership_id')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_arrival_person_id')),
    sa.ForeignKeyConstraint(['shift_id'], ['shift.id'], name=op.f('fk_arrival_shift_id')),
    sa.PrimaryKeyConstraint('shift_id', 'person_id', name=op.f('pk_arrival'))
    )
    op.create_table('walk',
    sa.Column('shift_id', sa.Integer(), nullable=False),
    sa.Column('partnership_id', sa.Integer(), nullable=False),
    sa.Column('out_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('done_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('heard_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('checked', sa.JSON(), nullable=False),
    sa.CheckConstraint('done_at IS NULL OR out_at IS NOT NULL', name=op.f('ck_walk_out_before_done')),
    sa.ForeignKeyConstraint(['partnership_id'], ['partnership.id'], name=op.f('fk_walk_partnership_id')),
    sa.ForeignKeyConstraint(['shift_id'], ['shift.id'], name=op.f('fk_walk_shift_id')),
    sa.PrimaryKeyConstraint('shift_id', name=op.f('pk_walk'))
    )
    op.create_table('walk_note',
    sa.Column('shift_id', sa.Integer(), nullable=False),
    sa.Column('partnership_id', sa.Integer(), nullable=False),
    sa.Column('mood', sa.Enum('calm', 'lively', 'tense', name='mood', native_enum=False, length=40), nullable=False),
    sa.Column('young_people', sa.Enum('none', 'up_to_10', 'up_to_30', 'over_30', name='youngpeople', native_enum=False, length=40), nullable=False),
    sa.Column('happened', sa.Enum('nothing', 'helped', 'drinking', 'trouble', name='happened', native_enum=False, length=40), nullable=False),
    sa.Column('follow_up', sa.Boolean(), nullable=False),
    sa.Column('text', sa.String(), nullable=False),
    sa.Column('written_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('written_by', sa.Integer(), nullable=True),
    sa.Column('forgotten_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['partnership_id'], ['partnership.id'], name=op.f('fk_walk_note_partnership_id')),
    sa.ForeignKeyConstraint(['shift_id'], ['shift.id'], name=op.f('fk_walk_note_shift_id')),
    sa.PrimaryKeyConstraint('shift_id', name=op.f('pk_walk_note'))
    )
    with op.batch_alter_table('walk_note', schema=None) as batch_op:
        batch_op.create_index('ix_walk_note_partnership_id', ['partnership_id'], unique=False)

    op.create_table('walked_for',
    sa.Column('shift_id', sa.Integer(), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('partnership_id', sa.Integer(), nullable=False),
    sa.Column('club_id', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['club_id'], ['club.id'], name=op.f('fk_walked_for_club_id')),
    sa.ForeignKeyConstraint(['partnership_id'], ['partnership.id'], name=op.f('fk_walked_for_partnership_id')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_walked_for_person_id')),
    sa.ForeignKeyConstraint(['shift_id'], ['shift.id'], name=op.f('fk_walked_for_shift_id')),
    sa.PrimaryKeyConstraint('shift_id', 'person_id', name=op.f('pk_walked_for'))
    )
    with op.batch_alter_table('walked_for', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_walked_for_club_id'), ['club_id'], unique=False)



def downgrade() -> None:
    with op.batch_alter_table('walked_for', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_walked_for_club_id'))

    op.drop_table('walked_for')
    with op.batch_alter_table('walk_note', schema=None) as batch_op:
        batch_op.drop_index('ix_walk_note_partnership_id')

    op.drop_table('walk_note')
    op.drop_table('walk')
    op.drop_table('arrival')
