"""Seasons planned in batches, and what a coordinator changes on a shift"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op


revision: str = '0005'
down_revision: str | None = '0004'
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

# Written out, since SQLite can add a column that refers to a table only inside ADD COLUMN itself.
COLUMNS = (
    ("night", "plan_id", "INTEGER CONSTRAINT fk_night_plan_id REFERENCES season_plan (id)"),
    ("shift", "edition", "INTEGER DEFAULT 0 NOT NULL"),
    ("shift", "leader_person_id", "INTEGER CONSTRAINT fk_shift_leader_person_id REFERENCES person (id)"),
    ("shift", "decision", "VARCHAR DEFAULT '' NOT NULL"),
)


def upgrade() -> None:
    op.create_table('season_plan',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('partnership_id', sa.Integer(), nullable=False),
    sa.Column('agreement_id', sa.Integer(), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('publish_on', sa.Date(), nullable=True),
    sa.ForeignKeyConstraint(['agreement_id'], ['agreement.id'], name=op.f('fk_season_plan_agreement_id')),
    sa.ForeignKeyConstraint(['partnership_id'], ['partnership.id'], name=op.f('fk_season_plan_partnership_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_season_plan'))
    )
    op.create_index('ix_season_plan_partnership_id', 'season_plan', ['partnership_id'])
    op.create_index('ix_season_plan_publish_on', 'season_plan', ['publish_on'])
    for table, column, kind in COLUMNS:
        op.execute(f"ALTER TABLE {table} ADD COLUMN {column} {kind}")


def downgrade() -> None:
    for table, column, _kind in reversed(COLUMNS):
        op.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
    op.drop_table('season_plan')
