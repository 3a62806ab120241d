#!/bin/bash
# Reading mails again where the database is a distributed one: as on a plain one, by the statements for many nodes.
export PG_TEMPLATE_SQL=tests/citus/stub.sql
exec tests/cli/retry.t
