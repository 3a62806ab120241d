#include "cli/rules.h"

#include "parser/error.h"
#include "reports/render.h"

#include <string.h>

static gboolean parse_after(const char *word, enum after *after_r, GError **error)
{
    static const char *const words[] = {
        [AFTER_LEAVE] = "leave", [AFTER_FLAG] = "flag", [AFTER_MOVE] = "move", [AFTER_DELETE] = "delete"};
    for (guint i = 0; i < G_N_ELEMENTS(words); i++) {
        if (strcmp(word, words[i]) == 0) {
            *after_r = (enum after)i;
            return TRUE;
        }
    }
    g_autofree char *safe = render_safe(word);
    g_set_error(error, WS_ERROR, WS_ERROR_USAGE,
                "cannot use '%s' for --after\nhint: leave, flag, move or delete", safe);
    return FALSE;
}

gboolean rules_read(const struct account *account, const char *word, gboolean mailbox,
                    struct settle_rules *rules, GError **error)
{
    const char *const own[OUTCOMES] = {[OUTCOME_STORED] = account->after_stored,
                                       [OUTCOME_DUPLICATE] = account->after_duplicate,
                                       [OUTCOME_NO_REPORT] = account->after_no_report,
                                       [OUTCOME_PROBLEM] = account->after_problem};
    *rules = (struct settle_rules){
        .folder = {[OUTCOME_STORED] = account->processed,
                   [OUTCOME_DUPLICATE] = account->duplicates ? account->duplicates : account->processed,
                   [OUTCOME_NO_REPORT] = account->no_reports ? account->no_reports : account->processed,
                   [OUTCOME_PROBLEM] = account->problems}};
    enum after all = AFTER_LEAVE;
    if ((word || mailbox) && !parse_after(word ? word : account->after, &all, error))
        return FALSE;
    settle_rules_all(rules, all);
    for (guint i = 0; i < OUTCOMES && mailbox && !word; i++)
        if (own[i] && !parse_after(own[i], &rules->after[i], error))
            return FALSE;
    return TRUE;
}
