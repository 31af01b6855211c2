"""Alembic's entry point: migrates in the transaction that `store.schema` began."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
