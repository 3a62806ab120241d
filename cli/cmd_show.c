#include "cli/command.h"
#include "cli/database.h"
#include "cli/log.h"
#include "cli/terminal.h"
#include "parser/error.h"
#include "reports/render.h"
#include "reports/show.h"

#include <string.h>
#include <unistd.h>

gboolean cmd_show(struct cli *cli, GError **error)
{
    const char *ref = cli->arguments[0], *format = cli->options.format;
    gboolean json = g_strcmp0(format, "json") == 0, more = FALSE;
    if (!ref || !g_utf8_validate(ref, -1, NULL)) {
        g_set_error_literal(error, WS_ERROR, WS_ERROR_USAGE,
                            ref ? "the mail is not named in UTF-8"
                                : "no mail is named\nhint: see \"whosends help show\"");
        return FALSE;
    }
    if (format && !json && strcmp(format, "table") != 0) {
        g_autofree char *safe = render_safe(format);
        g_set_error(error, WS_ERROR, WS_ERROR_USAGE, "unknown format '%s'\nhint: table or json", safe);
        return FALSE;
    }
    if (cli->options.raw && (format || isatty(STDOUT_FILENO))) {
        g_set_error_literal(error, WS_ERROR, WS_ERROR_USAGE,
                            format ? "--raw has no --format"
                                   : "the original is not written to a terminal, where its bytes could do "
                                     "harm\nhint: to a file, or into a pager that shows them");
        return FALSE;
    }
    terminal_locale();
    struct db *db = database_ready(&cli->config, error);
    gboolean ok = db && (cli->options.raw ? show_raw(db, ref, stdout, error)
                                          : show_mails(db, ref, json, stdout, &more, error));
    if (more)
        log_warning("there are more than %d such mails: the rest is not shown", SHOW_MOST);
    db_close(db);
    return ok;
}
