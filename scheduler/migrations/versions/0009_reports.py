"""Reports"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op


revision: str = '0009'
down_revision: str | None = '0008'
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_table('reader_link',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('partnership_id', sa.Integer(), nullable=False),
    sa.Column('secret_hash', sa.String(), nullable=False),
    sa.Column('whom', sa.String(), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ends_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('views_left', sa.Integer(), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint('views_left >= 0', name=op.f('ck_reader_link_views')),
    sa.ForeignKeyConstraint(['partnership_id'], ['partnership.id'], name=op.f('fk_reader_link_partnership_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_reader_link')),
    sa.UniqueConstraint('secret_hash', name=op.f('uq_reader_link_secret_hash'))
    )
    with op.batch_alter_table('reader_link', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_reader_link_partnership_id'), ['partnership_id'], unique=False)

    op.create_table('report',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('partnership_id', sa.Integer(), nullable=False),
    sa.Column('agreement_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.Enum('month', 'quarter', name='periodkind', native_enum=False, length=40), nullable=False),
    sa.Column('first_on', sa.Date(), nullable=False),
    sa.Column('last_on', sa.Date(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('figures', sa.JSON(), nullable=False),
    sa.Column('frozen_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('frozen_by', sa.Integer(), nullable=True),
    sa.CheckConstraint('first_on < last_on', name=op.f('ck_report_period')),
    sa.ForeignKeyConstraint(['agreement_id'], ['agreement.id'], name=op.f('fk_report_agreement_id')),
    sa.ForeignKeyConstraint(['partnership_id'], ['partnership.id'], name=op.f('fk_report_partnership_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_report')),
    sa.UniqueConstraint('partnership_id', 'kind', 'first_on', 'version', name=op.f('uq_report_partnership_id_kind_first_on_version'))
    )


def downgrade() -> None:
    op.drop_table('report')
    with op.batch_alter_table('reader_link', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_reader_link_partnership_id'))

    op.drop_table('reader_link')
