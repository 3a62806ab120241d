#include "ingest/failure_mail.h"

#include "parser/failure.h"

#define WORDS_START 4096
#define SAMPLE_MOST (128 * 1024) /* of a message's header */

gboolean failure_mail_is_words(const struct message_part *part)
{
    char start[WORDS_START];
    gssize got = part->beside_feedback ? 0 : blob_read(part->content, 0, start, sizeof start, NULL);
    return got > 0 && failure_is_words(start, (gsize)got);
}

/* Past the limit it need not be whole: it is refused. */
static GString *read_text(struct byte_reader reader, const struct limits *limits, GError **error)
{
    GString *text = g_string_new(NULL);
    char buf[16384];
    gssize got = 1;
    while (text->len <= limits->failure_size && (got = reader.read(reader.self, buf, sizeof buf, error)) > 0)
        g_string_append_len(text, buf, got);
    if (got >= 0)
        return text;
    g_string_free(text, TRUE);
    return NULL;
}

static enum parse_status parse(const struct journal *journal, const struct limits *limits,
                               const struct failure_source *source, gboolean words,
                               struct parse_outcome *outcome, GError **error)
{
    struct failure failure;
    enum parse_status status = words ? failure_parse_words(source, limits, &failure, outcome)
                                     : failure_parse(source, limits, &failure, outcome);
    if (status == PARSE_OK && !journal->failure(journal->self, &failure.report, error))
        status = PARSE_FAILED;
    failure_clear(&failure);
    return status;
}

enum parse_status failure_mail_read(const struct journal *journal, const struct limits *limits,
                                    const struct message_part *part, gboolean words,
                                    struct byte_reader reader, struct parse_outcome *outcome_r,
                                    GError **error)
{
    g_autoptr(GError) broken = NULL;
    *outcome_r = (struct parse_outcome){0};
    GString *text = read_text(reader, limits, error);
    if (!text)
        return PARSE_FAILED;
    g_autoptr(GBytes) sample = message_part_sample(part, SAMPLE_MOST, &broken);
    enum parse_status status = PARSE_FAILED;
    if (broken) {
        g_propagate_error(error, g_steal_pointer(&broken));
    } else {
        gsize n = 0;
        const char *header = sample ? g_bytes_get_data(sample, &n) : NULL;
        const struct failure_source source = {.text = text->str,
                                              .length = text->len,
                                              .sample = header,
                                              .sample_length = n,
                                              .from_domain = part->head ? part->head->from_domain : NULL,
                                              .mail_id = part->head ? part->head->message_id : NULL,
                                              .date = part->head ? part->head->date : 0,
                                              .decode = message_decode_text};
        status = parse(journal, limits, &source, words, outcome_r, error);
    }
    g_string_free(text, TRUE);
    return status;
}
