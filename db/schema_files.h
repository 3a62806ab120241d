/* The files of sql/ as they are built into the program; made by db/embed.sh. */
#pragma once

struct sql_file {
    const char *name; /* without its folder: "001_ledger_and_reports.sql" */
    const char *text;
};

/* Ends with a row whose name is NULL. In no order that anybody may rely on. */
extern const struct sql_file sql_files[];
