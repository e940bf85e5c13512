"""Lists of members that wait to be brought in"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op


revision: str = '0016'
down_revision: str | None = '0015'
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_table('member_list',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('partnership_id', sa.Integer(), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('club_id', sa.Integer(), nullable=False),
    sa.Column('read_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('columns', sa.JSON(), nullable=False),
    sa.Column('fields', sa.JSON(), nullable=False),
    sa.Column('rows', sa.JSON(), nullable=False),
    sa.Column('outcome', sa.JSON(none_as_null=True), nullable=True),
    sa.ForeignKeyConstraint(['club_id'], ['club.id'], name=op.f('fk_member_list_club_id')),
    sa.ForeignKeyConstraint(['partnership_id'], ['partnership.id'], name=op.f('fk_member_list_partnership_id')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_member_list_person_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_member_list')),
    sqlite_autoincrement=True
    )
    with op.batch_alter_table('member_list', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_member_list_person_id'), ['person_id'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('member_list', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_member_list_person_id'))

    op.drop_table('member_list')
