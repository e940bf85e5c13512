"""Money"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op


revision: str = '0007'
down_revision: str | None = '0006'
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_table('night_rate',
    sa.Column('agreement_id', sa.Integer(), nullable=False),
    sa.Column('from_on', sa.Date(), nullable=False),
    sa.Column('partnership_id', sa.Integer(), nullable=False),
    sa.Column('rate_ore', sa.Integer(), nullable=False),
    sa.CheckConstraint('rate_ore >= 0', name=op.f('ck_night_rate_rate')),
    sa.ForeignKeyConstraint(['agreement_id'], ['agreement.id'], name=op.f('fk_night_rate_agreement_id')),
    sa.ForeignKeyConstraint(['partnership_id'], ['partnership.id'], name=op.f('fk_night_rate_partnership_id')),
    sa.PrimaryKeyConstraint('agreement_id', 'from_on', name=op.f('pk_night_rate'))
    )
    op.create_table('purchase',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('partnership_id', sa.Integer(), nullable=False),
    sa.Column('agreement_id', sa.Integer(), nullable=False),
    sa.Column('line', sa.Enum('weekend_nights', 'material', 'unforeseen', name='budgetlinekind', native_enum=False, length=40), nullable=False),
    sa.Column('what', sa.String(), nullable=False),
    sa.Column('bought_on', sa.Date(), nullable=False),
    sa.Column('amount_ore', sa.Integer(), nullable=False),
    sa.Column('once', sa.String(), nullable=False),
    sa.CheckConstraint('amount_ore > 0', name=op.f('ck_purchase_amount')),
    sa.ForeignKeyConstraint(['agreement_id'], ['agreement.id'], name=op.f('fk_purchase_agreement_id')),
    sa.ForeignKeyConstraint(['partnership_id'], ['partnership.id'], name=op.f('fk_purchase_partnership_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_purchase')),
    sa.UniqueConstraint('once', name=op.f('uq_purchase_once'))
    )
    with op.batch_alter_table('purchase', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_purchase_partnership_id'), ['partnership_id'], unique=False)

    op.create_table('receipt',
    sa.Column('purchase_id', sa.Integer(), nullable=False),
    sa.Column('mimetype', sa.String(), nullable=False),
    sa.Column('content', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['purchase_id'], ['purchase.id'], name=op.f('fk_receipt_purchase_id')),
    sa.PrimaryKeyConstraint('purchase_id', name=op.f('pk_receipt'))
    )
    op.create_table('ledger_entry',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('partnership_id', sa.Integer(), nullable=False),
    sa.Column('agreement_id', sa.Integer(), nullable=False),
    sa.Column('line', sa.Enum('weekend_nights', 'material', 'unforeseen', name='budgetlinekind', native_enum=False, length=40), nullable=False),
    sa.Column('kind', sa.Enum('night', 'reversal', 'purchase', name='entrykind', native_enum=False, length=40), nullable=False),
    sa.Column('shift_id', sa.Integer(), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('club_id', sa.Integer(), nullable=True),
    sa.Column('heads', sa.Integer(), nullable=False),
    sa.Column('purchase_id', sa.Integer(), nullable=True),
    sa.Column('amount_ore', sa.Integer(), nullable=False),
    sa.Column('reverses_id', sa.Integer(), nullable=True),
    sa.Column('entered_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('entered_by', sa.Integer(), nullable=True),
    sa.CheckConstraint("(kind = 'reversal') = (reverses_id IS NOT NULL)", name=op.f('ck_ledger_entry_reversal_has_entry')),
    sa.CheckConstraint('(shift_id IS NULL) <> (purchase_id IS NULL)', name=op.f('ck_ledger_entry_one_cause')),
    sa.CheckConstraint('(shift_id IS NULL) = (club_id IS NULL)', name=op.f('ck_ledger_entry_shares_have_clubs')),
    sa.ForeignKeyConstraint(['agreement_id'], ['agreement.id'], name=op.f('fk_ledger_entry_agreement_id')),
    sa.ForeignKeyConstraint(['club_id'], ['club.id'], name=op.f('fk_ledger_entry_club_id')),
    sa.ForeignKeyConstraint(['partnership_id'], ['partnership.id'], name=op.f('fk_ledger_entry_partnership_id')),
    sa.ForeignKeyConstraint(['purchase_id'], ['purchase.id'], name=op.f('fk_ledger_entry_purchase_id')),
    sa.ForeignKeyConstraint(['reverses_id'], ['ledger_entry.id'], name=op.f('fk_ledger_entry_reverses_id')),
    sa.ForeignKeyConstraint(['shift_id'], ['shift.id'], name=op.f('fk_ledger_entry_shift_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ledger_entry')),
    sa.UniqueConstraint('purchase_id', 'kind', name=op.f('uq_ledger_entry_purchase_id_kind')),
    sa.UniqueConstraint('reverses_id', name=op.f('uq_ledger_entry_reverses_id')),
    sa.UniqueConstraint('shift_id', 'kind', 'version', 'club_id', name=op.f('uq_ledger_entry_shift_id_kind_version_club_id'))
    )
    with op.batch_alter_table('ledger_entry', schema=None) as batch_op:
        batch_op.create_index('ix_ledger_entry_agreement_id', ['agreement_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_ledger_entry_club_id'), ['club_id'], unique=False)



def downgrade() -> None:
    with op.batch_alter_table('ledger_entry', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_ledger_entry_club_id'))
        batch_op.drop_index('ix_ledger_entry_agreement_id')

    op.drop_table('ledger_entry')
    op.drop_table('receipt')
    with op.batch_alter_table('purchase', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_purchase_partnership_id'))

    op.drop_table('purchase')
    op.drop_table('night_rate')
