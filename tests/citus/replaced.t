#!/bin/bash
# Incomplete reports and better copies where the database is a distributed one: by the statements for many nodes.
export PG_TEMPLATE_SQL=tests/citus/stub.sql
exec tests/db/replaced.t
