"""Coordinators' own notes on people"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op


revision: str = '0012'
down_revision: str | None = '0011'
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_table('person_note',
    sa.Column('writer_person_id', sa.Integer(), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('partnership_id', sa.Integer(), nullable=False),
    sa.Column('text', sa.String(), nullable=False),
    sa.Column('written_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['partnership_id'], ['partnership.id'], name=op.f('fk_person_note_partnership_id')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_person_note_person_id')),
    sa.ForeignKeyConstraint(['writer_person_id'], ['person.id'], name=op.f('fk_person_note_writer_person_id')),
    sa.PrimaryKeyConstraint('writer_person_id', 'person_id', name=op.f('pk_person_note'))
    )
    with op.batch_alter_table('person_note', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_person_note_person_id'), ['person_id'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('person_note', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_person_note_person_id'))

    op.drop_table('person_note')
