#include "ingest/unpack.h"

#include "ingest/gunzip.h"
#include "ingest/label.h"
#include "ingest/zip_directory.h"
#include "parser/error.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>

#define CHUNK 65536
#define MEMBER_COST ((guint64)65536) /* of the budget, so that empty members are not free */
#define SALVAGE_CHUNK 32             /* packed bytes at a time, when every byte before the damage is wanted */
#define DESCRIPTOR_AHEAD 24          /* what libarchive looks at behind a streamed member */
#define SALVAGE_LAST 128             /* these one by one: mostly the damage is that the end is missing */
#define REOPEN_MAX 20                /* times that a damaged zip is opened again */

struct walk {
    const struct limits *limits;
    guint64 *budget;
    guint64 packed, produced; /* the attachment, and all that came out of it: for the ratio */
    guint members;
    unpacked_func document;
    unpack_refusal_func refuse;
    void *self;
};

/* Where the unpacked bytes of one member come from: n bytes, 0 at the end, -1 with an error. */
struct stream {
    gssize (*pull)(struct stream *stream, void *buf, gsize n, GError **error);
    struct walk *walk;
    guint64 out;   /* bytes so far */
    guint64 taken; /* packed bytes that they came out of, if not less; 0: not packed */
    guint8 head[CONTENT_SNIFF];
    gsize head_n, head_at;
    GError *failure; /* seen while the head was read, told behind it */
    gboolean ended;
    gboolean too_much; /* a limit ended it */
};

static gboolean walk_blob(struct walk *walk, struct blob *content, const char *label, const char *name,
                          guint depth, GError **error);

/* Limits. */

static gboolean over(GError **error, const char *name, guint64 value, const char *of)
{
    g_set_error(error, WS_ERROR, WS_ERROR_LIMIT, "limit %s: more than %" G_GUINT64_FORMAT " %s", name, value,
                of);
    return FALSE;
}

static gboolean charge_bytes(struct stream *stream, gsize n, GError **error)
{
    struct walk *walk = stream->walk;
    const struct limits *limits = walk->limits;
    stream->out += n;
    walk->produced += n;
    if (stream->out > limits->unpacked_size)
        return over(error, "unpacked_size", limits->unpacked_size, "unpacked bytes of one member");
    if (n > *walk->budget)
        return over(error, "unpacked_total", limits->unpacked_total, "unpacked bytes of one mail");
    *walk->budget -= n;
    /* Of what was taken so far, too: a bomb need not be unpacked to its end to be known. */
    if ((walk->produced > limits->unpack_ratio_from &&
         walk->produced / limits->unpack_ratio > walk->packed) ||
        (stream->taken && stream->out > limits->unpack_ratio_from &&
         stream->out / limits->unpack_ratio > stream->taken))
        return over(error, "unpack_ratio", limits->unpack_ratio, "unpacked bytes for each packed one");
    return TRUE;
}

/* Charges n unpacked bytes; FALSE when they are too many. */
static gboolean charge(struct stream *stream, gsize n, GError **error)
{
    stream->too_much = !charge_bytes(stream, n, error);
    return !stream->too_much;
}

/* A member more; FALSE when there are too many or the budget is gone. */
static gboolean charge_member(struct walk *walk, GError **error)
{
    if (++walk->members > walk->limits->unpack_members)
        return over(error, "unpack_members", walk->limits->unpack_members, "members");
    if (*walk->budget < MEMBER_COST)
        return over(error, "unpacked_total", walk->limits->unpacked_total, "unpacked bytes of one mail");
    *walk->budget -= MEMBER_COST;
    return TRUE;
}

/* Streams. */

/* Reads until the head is full, the member ends or an error comes. */
static void stream_fill_head(struct stream *stream)
{
    while (stream->head_n < sizeof stream->head && !stream->ended && !stream->failure) {
        gssize got = stream->pull(stream, stream->head + stream->head_n, sizeof stream->head - stream->head_n,
                                  &stream->failure);
        if (got > 0 && !charge(stream, (gsize)got, &stream->failure))
            got = -1;
        if (got > 0)
            stream->head_n += (gsize)got;
        else
            stream->ended = TRUE;
    }
}

/* The byte_reader of a member: first the head, then the rest. */
static gssize stream_read(void *self, void *buf, gsize n, GError **error)
{
    struct stream *stream = self;
    if (stream->head_at < stream->head_n) {
        n = MIN(n, stream->head_n - stream->head_at);
        memcpy(buf, stream->head + stream->head_at, n);
        stream->head_at += n;
        return (gssize)n;
    }
    if (stream->ended || n == 0) {
        if (stream->failure && error)
            *error = g_error_copy(stream->failure);
        return stream->failure ? -1 : 0;
    }
    gssize got = stream->pull(stream, buf, n, &stream->failure);
    if (got > 0 && charge(stream, (gsize)got, &stream->failure))
        return got;
    stream->ended = TRUE;
    return stream_read(self, buf, n, error);
}

/* What is left of it, charged as if it were wanted. */
static void stream_drain(struct stream *stream)
{
    g_autofree guint8 *buf = g_malloc(CHUNK);
    while (!stream->ended && stream_read(stream, buf, CHUNK, NULL) > 0)
        ;
    g_clear_error(&stream->failure);
}

/* All of it into a blob, for an archive in an archive. */
static struct blob *stream_spool(struct stream *stream, const struct limits *limits, GError **error)
{
    struct spool *spool = spool_new(limits->attachment_size, "attachment_size");
    g_autofree guint8 *buf = g_malloc(CHUNK);
    gssize got;
    while ((got = stream_read(stream, buf, CHUNK, error)) > 0) {
        if (!spool_add(spool, buf, (gsize)got, error))
            break;
    }
    if (got == 0)
        return spool_finish(spool, error);
    /* What is left of a broken archive may still hold whole members. */
    if (got < 0 && (g_error_matches(*error, WS_ERROR, WS_ERROR_TRUNCATED) ||
                    g_error_matches(*error, WS_ERROR, WS_ERROR_CHECKSUM) ||
                    g_error_matches(*error, WS_ERROR, WS_ERROR_DATA))) {
        g_clear_error(error);
        return spool_finish(spool, error);
    }
    spool_free(spool);
    return NULL;
}

/* Refusals. */

static gboolean refuse(struct walk *walk, const char *label, const char *code, const char *detail,
                       GError **error)
{
    return walk->refuse(walk->self, label, code, detail, error);
}

const char *unpack_code(const GError *error)
{
    if (g_error_matches(error, WS_ERROR, WS_ERROR_LIMIT))
        return "limit";
    return g_error_matches(error, WS_ERROR, WS_ERROR_CHECKSUM) ? "crc" : "archive";
}

/* For what went wrong before a byte came out. Consumes the failure. */
static gboolean refuse_failure(struct walk *walk, const char *label, GError *failure, GError **error)
{
    g_autoptr(GError) own = failure;
    if (own->domain != WS_ERROR || ws_error_spoils(own) != WS_SPOILS_DOCUMENT) {
        g_propagate_error(error, g_steal_pointer(&own));
        return FALSE;
    }
    return refuse(walk, label, unpack_code(own), own->message, error);
}

static gboolean is_archive(enum content_kind kind)
{
    return kind == CONTENT_GZIP || kind == CONTENT_ZIP;
}

/* The kinds that are recognised only to be named. NULL for all others. */
static const char *refused_kind(enum content_kind kind, const char *name, char **detail_r)
{
    switch (kind) {
    case CONTENT_OLE:
        *detail_r = g_strdup("an Outlook message or another OLE file, which is not opened");
        return "msg_ole";
    case CONTENT_TNEF:
        *detail_r = g_strdup("a winmail.dat (TNEF), which is not opened");
        return "tnef";
    case CONTENT_PKCS7:
        *detail_r = g_strdup("S/MIME data, signed or encrypted as a whole");
        return "smime";
    case CONTENT_OTHER_ARCHIVE:
        *detail_r = g_strdup_printf("an archive of type %s; only gzip and zip are opened", name);
        return "archive_type";
    case CONTENT_EMPTY:
    case CONTENT_XML:
    case CONTENT_JSON:
    case CONTENT_GZIP:
    case CONTENT_ZIP:
    case CONTENT_FEEDBACK:
    case CONTENT_MAIL:
    case CONTENT_OTHER:
        break;
    }
    return NULL;
}

/* Yahoo's attachments of spring 2023: a gzip with this one word. */
static gboolean is_unused(const struct stream *stream)
{
    gsize n = stream->head_n;
    while (n && g_ascii_isspace(stream->head[n - 1]))
        n--;
    return stream->ended && !stream->failure && n == 6 && memcmp(stream->head, "unused", 6) == 0;
}

/* One member: handed out, opened, or refused. */
static gboolean take_member(struct walk *walk, struct stream *stream, const char *label, const char *name,
                            guint depth, GError **error)
{
    const char *type = NULL;
    g_autofree char *detail = NULL;
    stream_fill_head(stream);
    enum content_kind kind = content_sniff(stream->head, stream->head_n, &type);
    const char *code = refused_kind(kind, type, &detail);
    gboolean ok;
    if (stream->failure && stream->head_n == 0) {
        ok = refuse_failure(walk, label, g_error_copy(stream->failure), error);
    } else if (code) {
        ok = refuse(walk, label, code, detail, error);
    } else if (is_unused(stream)) {
        ok = refuse(walk, label, "yahoo_unused", "the word \"unused\" instead of a report", error);
    } else if (is_archive(kind) && depth >= walk->limits->unpack_depth) {
        detail = g_strdup_printf("limit unpack_depth: more than %u archives inside of each other",
                                 walk->limits->unpack_depth);
        ok = refuse(walk, label, "nesting", detail, error);
    } else if (is_archive(kind)) {
        GError *failure = NULL;
        struct blob *inner = stream_spool(stream, walk->limits, &failure);
        ok = inner ? walk_blob(walk, inner, label, name, depth, error)
                   : refuse_failure(walk, label, failure, error);
        blob_unref(inner);
    } else {
        const struct unpacked document = {.label = label,
                                          .name = name,
                                          .kind = kind,
                                          .start = stream->head,
                                          .start_n = stream->head_n,
                                          .reader = {stream_read, stream}};
        ok = walk->document(walk->self, &document, error);
    }
    g_clear_error(&stream->failure);
    return ok;
}

/* gzip. */

struct packed {
    struct stream stream;
    struct gunzip *gunzip;
};

static gssize gunzip_pull(struct stream *stream, void *buf, gsize n, GError **error)
{
    struct packed *packed = (struct packed *)stream;
    gssize got = gunzip_read(packed->gunzip, buf, n, error);
    stream->taken = gunzip_taken(packed->gunzip);
    return got;
}

/* "a.xml.gz" becomes "a.xml". */
static char *inner_name(const char *name)
{
    if (!name)
        return NULL;
    gsize n = strlen(name);
    if (n > 3 && g_ascii_strcasecmp(name + n - 3, ".gz") == 0)
        n -= 3;
    return label_safe(name, (gssize)n, 255);
}

static gboolean walk_gzip(struct walk *walk, struct blob *content, const char *label, const char *name,
                          guint depth, GError **error)
{
    struct packed packed = {.stream = {.pull = gunzip_pull, .walk = walk}};
    GError *failure = NULL;
    if (!charge_member(walk, &failure))
        return refuse_failure(walk, label, failure, error);
    g_autofree char *inner = inner_name(name);
    packed.gunzip = gunzip_new(content);
    gboolean ok = take_member(walk, &packed.stream, label, inner, depth, error);
    gunzip_free(packed.gunzip);
    return ok;
}

/* zip. */

struct unzip {
    struct stream stream;
    struct archive *archive;
    struct blob *blob;
    guint64 at;
    guint8 *buf;
    const guint8 *block; /* lent by libarchive */
    gsize block_n;
    GError *pending; /* to be told behind the block */
    GError *input;   /* the blob could not be read */
    guint64 given;   /* bytes of this member that libarchive gave */
    guint entries;   /* headers that were read, this member's included */
    guint files;     /* those that count as members */
    guint reopened;
    gsize chunk;
    gboolean streaming;
    gboolean padded;
    gboolean broken;    /* libarchive has given up on this member, and with it on the archive */
    gboolean salvaging; /* this member is being read for the second time */
    gboolean padding;   /* with zeros behind it: only what follows it is missing */
};

static la_ssize_t unzip_on_read(struct archive *archive, void *data, const void **buffer)
{
    struct unzip *u = data;
    if (!u->buf)
        u->buf = g_malloc(CHUNK);
    gboolean last = u->salvaging && blob_size(u->blob) - u->at <= SALVAGE_LAST;
    gssize got = u->input ? -1 : blob_read(u->blob, u->at, u->buf, last ? 1 : u->chunk, &u->input);
    if (got < 0) {
        archive_set_error(archive, EIO, "%s", u->input->message);
        return -1;
    }
    u->at += (guint64)got;
    *buffer = u->buf;
    if (got == 0 && u->padding && !u->padded) {
        u->padded = TRUE;
        memset(u->buf, 0, DESCRIPTOR_AHEAD);
        return DESCRIPTOR_AHEAD;
    }
    return got;
}

static la_int64_t unzip_on_seek(struct archive *archive, void *data, la_int64_t offset, int whence)
{
    struct unzip *u = data;
    (void)archive;
    gint64 size = (gint64)blob_size(u->blob);
    gint64 from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? (gint64)u->at : size;
    gint64 to = CLAMP(from + CLAMP(offset, -size, size), 0, size);
    u->at = (guint64)to;
    return to;
}

static la_int64_t unzip_on_skip(struct archive *archive, void *data, la_int64_t request)
{
    struct unzip *u = data;
    guint64 before = u->at;
    return unzip_on_seek(archive, data, request, SEEK_CUR) - (gint64)before;
}

static GError *broken_off(const struct unzip *u)
{
    return g_error_new(WS_ERROR, WS_ERROR_TRUNCATED,
                       "the zip data break off after %" G_GUINT64_FORMAT " bytes", blob_size(u->blob));
}

static GError *unzip_error(struct unzip *u, int status)
{
    if (u->input)
        return g_error_copy(u->input);
    const char *text = archive_error_string(u->archive);
    g_autofree char *safe = label_safe(text ? text : "", -1, 200);
    if (archive_errno(u->archive) == ENOMEM)
        return g_error_new(WS_ERROR, WS_ERROR_SYSTEM, "could not unpack: out of memory");
    /* libarchive has no word of its own for an archive that ends too early, none at all for a missing
     * directory, and zlib's number (Z_BUF_ERROR) for a member that does. */
    if (status == ARCHIVE_FATAL && (!text || strncmp(text, "Truncated", 9) == 0 || strstr(text, "(-5)")))
        return broken_off(u);
    /* The only warning while data are read: the sum or the length is not what the archive says. */
    return g_error_new(WS_ERROR, status == ARCHIVE_WARN ? WS_ERROR_CHECKSUM : WS_ERROR_DATA,
                       "the zip data are damaged: %s", safe);
}

static gboolean unzip_open(struct unzip *u, gsize chunk)
{
    u->archive = archive_read_new();
    if (!u->archive)
        return FALSE;
    u->chunk = chunk;
    u->at = 0;
    u->padded = FALSE;
    if (u->streaming)
        archive_read_support_format_zip_streamable(u->archive);
    else
        archive_read_support_format_zip_seekable(u->archive);
    archive_read_set_read_callback(u->archive, unzip_on_read);
    archive_read_set_seek_callback(u->archive, unzip_on_seek);
    archive_read_set_skip_callback(u->archive, unzip_on_skip);
    archive_read_set_callback_data(u->archive, u);
    return archive_read_open1(u->archive) == ARCHIVE_OK;
}

/* Opens the archive again and goes to where it was: libarchive reads no further after damage. */
static gboolean unzip_reopen(struct unzip *u, gsize chunk)
{
    struct archive_entry *entry = NULL;
    if (u->input || u->reopened++ >= REOPEN_MAX)
        return FALSE;
    archive_read_free(u->archive);
    if (!unzip_open(u, chunk))
        return FALSE;
    for (guint i = 0; i < u->entries; i++) {
        int status = archive_read_next_header(u->archive, &entry);
        if (status != ARCHIVE_OK && status != ARCHIVE_WARN)
            return FALSE;
    }
    return TRUE;
}

/* The next block of the member; a status of libarchive. A wrong sum or length is a warning up to
 * libarchive 3.7, and later a failure that comes with the last block all the same; other damage is fatal in
 * all versions. */
static int unzip_block(struct unzip *u)
{
    const void *block = NULL;
    la_int64_t offset = 0;
    size_t size = 0;
    int status = archive_read_data_block(u->archive, &block, &size, &offset);
    if (status == ARCHIVE_FAILED)
        status = ARCHIVE_WARN;
    u->block = block;
    u->block_n = status == ARCHIVE_OK || status == ARCHIVE_WARN ? size : 0;
    return status;
}

/* At damage libarchive throws away what it has unpacked of its last chunk of packed bytes. With chunks of a
 * few bytes nearly all of it comes out; and where the member is whole, but shorter than what libarchive wants
 * to see behind it, all of it. */
static gboolean unzip_salvage(struct unzip *u)
{
    const char *text = archive_error_string(u->archive);
    gboolean whole = text && strcmp(text, "Truncated ZIP end-of-file record") == 0;
    if (u->salvaging && (!whole || u->padding))
        return FALSE;
    u->salvaging = TRUE;
    u->padding = whole;
    if (!unzip_reopen(u, SALVAGE_CHUNK))
        return FALSE;
    guint64 skip = u->given;
    while (skip > 0) {
        if (unzip_block(u) != ARCHIVE_OK)
            return FALSE;
        gsize n = (gsize)MIN(skip, u->block_n);
        u->block += n;
        u->block_n -= n;
        skip -= n;
    }
    return TRUE;
}

static gssize unzip_pull(struct stream *stream, void *buf, gsize n, GError **error)
{
    struct unzip *u = (struct unzip *)stream;
    while (!u->block_n && !u->pending) {
        int status = unzip_block(u);
        if (status == ARCHIVE_EOF && !u->padding)
            return 0;
        /* A wrong CRC or length is a warning that comes together with the last block. */
        if (status == ARCHIVE_EOF)
            u->pending = broken_off(u);
        else if (status != ARCHIVE_OK)
            /* A sum or length that was read from the padding proves nothing. */
            u->pending = u->padded ? broken_off(u) : unzip_error(u, status);
        gboolean broken = status != ARCHIVE_OK && status != ARCHIVE_WARN && status != ARCHIVE_EOF;
        u->broken |= broken;
        if (broken && unzip_salvage(u))
            g_clear_error(&u->pending);
    }
    if (!u->block_n) {
        g_propagate_error(error, g_steal_pointer(&u->pending));
        return -1;
    }
    n = MIN(n, u->block_n);
    memcpy(buf, u->block, n);
    u->block += n;
    u->block_n -= n;
    u->given += n;
    stream->taken = u->at;
    return (gssize)n;
}

/* What a file manager adds for itself. */
static gboolean is_litter(const char *name)
{
    const char *slash = strrchr(name, '/');
    return strncmp(name, "__MACOSX/", 9) == 0 || strcmp(slash ? slash + 1 : name, ".DS_Store") == 0;
}

static char *entry_name(struct archive_entry *entry)
{
    const char *plain = archive_entry_pathname(entry);
    /* The name as UTF-8 takes libarchive a conversion, which ASCII does not need. */
    const char *name = plain && g_str_is_ascii(plain) ? plain : archive_entry_pathname_utf8(entry);
    if (!name)
        name = plain;
    return label_safe(name && *name ? name : "member", -1, 255);
}

/* Stored and deflated members are opened; libarchive knows more methods, some with dictionaries of gigabytes.
 * It tells the method only as text: "ZIP 2.0 (deflation)". */
static gboolean is_known_method(struct archive *archive)
{
    const char *format = archive_format_name(archive);
    return format && (strstr(format, "(deflation)") || strstr(format, "(uncompressed)"));
}

static gboolean take_entry(struct walk *walk, struct unzip *u, struct archive_entry *entry, const char *label,
                           guint depth, gboolean *stop_r, GError **error)
{
    g_autofree char *name = entry_name(entry);
    if (archive_entry_filetype(entry) == AE_IFDIR || is_litter(name))
        return TRUE;
    g_autofree char *inner = label_join(label, name);
    GError *failure = NULL;
    u->files++;
    if (!charge_member(walk, &failure)) {
        *stop_r = TRUE;
        return refuse_failure(walk, label, failure, error);
    }
    gboolean encrypted = archive_entry_is_encrypted(entry) > 0;
    if (encrypted || !is_known_method(u->archive)) {
        /* Without a directory libarchive would have to unpack the member to find its end. */
        *stop_r = u->streaming;
        return refuse(walk, inner, "zip_method",
                      encrypted ? "the member is encrypted"
                                : "the member is packed by another method than deflate",
                      error);
    }
    u->stream = (struct stream){.pull = unzip_pull, .walk = walk};
    u->block_n = 0;
    u->given = 0;
    u->salvaging = u->broken = u->padding = FALSE;
    gboolean ok = take_member(walk, &u->stream, inner, name, depth, error);
    /* Without a directory libarchive unpacks a member to find its end, however long it is. */
    if (ok && u->streaming) {
        stream_drain(&u->stream);
        *stop_r = u->stream.too_much;
    }
    g_clear_error(&u->pending);
    /* What lies behind a damaged member is as good as ever. */
    if (ok && u->broken && !*stop_r)
        *stop_r = !unzip_reopen(u, CHUNK);
    return ok;
}

static gboolean take_entries(struct walk *walk, struct unzip *u, const char *label, guint depth,
                             GError **error)
{
    struct archive_entry *entry = NULL;
    gboolean stop = FALSE;
    while (!stop) {
        int status = archive_read_next_header(u->archive, &entry);
        if (status == ARCHIVE_EOF)
            break;
        if (status != ARCHIVE_OK && status != ARCHIVE_WARN) {
            /* Behind a damaged member there may be nothing to find; its own reader has told why. */
            return u->broken || refuse_failure(walk, label, unzip_error(u, status), error);
        }
        u->entries++;
        if (!take_entry(walk, u, entry, label, depth, &stop, error))
            return FALSE;
    }
    return u->files || refuse(walk, label, "archive", "the zip archive holds no file", error);
}

static gboolean walk_zip(struct walk *walk, struct blob *content, const char *label, guint depth,
                         GError **error)
{
    struct unzip u = {.blob = content,
                      .streaming = !zip_directory_is_sane(content, walk->limits->unpack_members)};
    gboolean ok = unzip_open(&u, CHUNK);
    if (!u.archive)
        g_set_error(error, WS_ERROR, WS_ERROR_SYSTEM, "could not unpack: out of memory");
    else if (ok)
        ok = take_entries(walk, &u, label, depth, error);
    else
        ok = refuse_failure(walk, label, unzip_error(&u, ARCHIVE_FATAL), error);
    if (u.archive)
        archive_read_free(u.archive);
    g_clear_error(&u.input);
    g_free(u.buf);
    return ok;
}

/* A blob as it is: the reader of what is not packed. */

struct plain {
    struct blob *blob;
    guint64 at;
};

static gssize plain_read(void *self, void *buf, gsize n, GError **error)
{
    struct plain *plain = self;
    gssize got = blob_read(plain->blob, plain->at, buf, n, error);
    if (got > 0)
        plain->at += (guint64)got;
    return got;
}

/* `depth` archives are open around it. */
static gboolean walk_blob(struct walk *walk, struct blob *content, const char *label, const char *name,
                          guint depth, GError **error)
{
    guint8 start[CONTENT_SNIFF];
    const char *type = NULL;
    g_autofree char *detail = NULL;
    gssize got = blob_read(content, 0, start, sizeof start, error);
    if (got < 0)
        return FALSE;
    enum content_kind kind = content_sniff(start, (gsize)got, &type);
    const char *code = refused_kind(kind, type, &detail);
    if (code)
        return refuse(walk, label, code, detail, error);
    if (kind == CONTENT_GZIP)
        return walk_gzip(walk, content, label, name, depth + 1, error);
    gboolean office = kind == CONTENT_ZIP && zip_directory_is_office(content);
    if (kind == CONTENT_ZIP && !office)
        return walk_zip(walk, content, label, depth + 1, error);
    struct plain plain = {.blob = content};
    const struct unpacked document = {.label = label,
                                      .name = name,
                                      .kind = office ? CONTENT_OTHER : kind,
                                      .office = office,
                                      .start = start,
                                      .start_n = (gsize)got,
                                      .reader = {plain_read, &plain}};
    return walk->document(walk->self, &document, error);
}

gboolean unpack_walk(struct blob *content, const char *label, const char *name, const struct limits *limits,
                     guint64 *budget, unpacked_func document, unpack_refusal_func refusal, void *self,
                     GError **error)
{
    struct walk walk = {.limits = limits,
                        .budget = budget,
                        .packed = blob_size(content),
                        .document = document,
                        .refuse = refusal,
                        .self = self};
    g_autofree char *safe = name ? label_safe(name, -1, 255) : NULL;
    return walk_blob(&walk, content, label, safe, 0, error);
}
