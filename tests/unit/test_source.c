#include "ingest/source.h"
#include "parser/error.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAIL "From: a@b.example\nSubject: x\n\nbody\n"

static char *directory; /* of one test */

static char *path_to(const char *name)
{
    return g_build_filename(directory, name, NULL);
}

static void put(const char *name, const char *text)
{
    g_autofree char *path = path_to(name), *parent = g_path_get_dirname(path);
    g_assert_cmpint(g_mkdir_with_parents(parent, 0700), ==, 0);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static gboolean is_there(const char *name)
{
    g_autofree char *path = path_to(name);
    return access(path, F_OK) == 0;
}

static void remove_all(const char *path)
{
    struct stat st;
    if (lstat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
        g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
        const char *name;
        while (dir && (name = g_dir_read_name(dir))) {
            g_autofree char *child = g_build_filename(path, name, NULL);
            remove_all(child);
        }
    }
    g_remove(path);
}

static void set_up(void)
{
    directory = g_dir_make_tmp("whosends-test-XXXXXX", NULL);
    g_assert_nonnull(directory);
}

static void tear_down(void)
{
    remove_all(directory);
    g_clear_pointer(&directory, g_free);
}

/* `folder`: where all is moved to; may be NULL. */
static struct source *open_for(const char *name, enum after after, const char *folder,
                               const struct limits *limits)
{
    g_autofree char *path = name ? path_to(name) : g_strdup("-");
    const struct settle_rules rules = {.after = {after, after, after, after},
                                       .folder = {folder, folder, folder, folder}};
    g_autoptr(GError) error = NULL;
    struct source *source = source_open_path(path, &rules, limits ? limits : &limits_default, &error);
    g_assert_no_error(error);
    return source;
}

static struct source *open_source(const char *name, enum after after, const struct limits *limits)
{
    return open_for(name, after, NULL, limits);
}

static void append_body(GString *out, struct blob *body)
{
    char buf[256];
    gssize got = 0;
    for (guint64 at = 0; body && (got = blob_read(body, at, buf, sizeof buf, NULL)) > 0; at += (guint64)got)
        g_string_append_len(out, buf, got);
}

/* All mails as one text: "REF[flags]=BODY|" or "REF!CODE|"; REF without the directory, b: may be bare, i:
 * identity. Settles them with the outcome when `settle`. */
static char *drain(struct source *source, gboolean settle, enum outcome outcome)
{
    GString *out = g_string_new(NULL);
    struct mail mail;
    g_autoptr(GError) error = NULL;
    while (source->kind->next(source, &mail, &error)) {
        char *start = strstr(mail.ref, directory);
        if (start)
            memmove(start, start + strlen(directory), strlen(start + strlen(directory)) + 1);
        g_string_append_printf(out, "%s[%s%s]", mail.ref, mail.may_be_bare ? "b" : "",
                               mail.ref_is_identity ? "i" : "");
        if (mail.body) {
            g_string_append_c(out, '=');
            append_body(out, mail.body);
        } else {
            g_assert_nonnull(mail.refusal);
            g_string_append_printf(out, "!%s", mail.refusal_code);
        }
        g_string_append_c(out, '|');
        if (settle) {
            g_assert_true(source->kind->settle(source, &mail.token, &outcome, 1, &error));
            g_assert_no_error(error);
        }
        mail_clear(&mail);
    }
    g_assert_no_error(error);
    g_assert_false(source->kind->next(source, &mail, &error));
    return g_string_free(out, FALSE);
}

static void check(const char *name, const char *expected)
{
    struct source *source = open_source(name, AFTER_LEAVE, NULL);
    g_autofree char *got = drain(source, FALSE, OUTCOME_STORED);
    g_assert_cmpstr(got, ==, expected);
    source_close(source);
}

static void test_file(void)
{
    set_up();
    put("one.eml", MAIL);
    put("r.xml", "<feedback/>");
    put("odd\x1b.xml", "<a/>");
    put("empty", "");
    check("one.eml", "file:/one.eml[b]=" MAIL "|");
    check("r.xml", "file:/r.xml[b]=<feedback/>|");
    check("odd\x1b.xml", "file:/odd\\x1b.xml[b]=<a/>|");
    check("empty", "file:/empty[b]=|");
    g_autofree char *target = path_to("r.xml"), *link = path_to("link");
    g_assert_cmpint(symlink(target, link), ==, 0);
    check("link", "file:/link[b]=<feedback/>|");
    tear_down();
}

static void test_missing(void)
{
    set_up();
    g_autofree char *path = path_to("none");
    const struct settle_rules rules = {.after = {AFTER_LEAVE}};
    g_autoptr(GError) error = NULL;
    g_assert_null(source_open_path(path, &rules, &limits_default, &error));
    g_assert_error(error, WS_ERROR, WS_ERROR_INPUT);
    g_assert_true(g_str_has_prefix(error->message, "cannot read "));
    tear_down();
}

/* In the order of names, recursively, without hidden files, links, pipes and sockets. */
static void test_directory(void)
{
    set_up();
    put("d/b.xml", "<b/>");
    put("d/a/z.eml", MAIL);
    put("d/a/y.xml", "<y/>");
    put("d/c.gz", "x");
    put("d/.hidden", "no");
    put("d/.dir/file", "no");
    put("outside.xml", "no");
    g_autofree char *pipe = path_to("d/pipe"), *link = path_to("d/link"), *outside = path_to("outside.xml"),
                    *loop = path_to("d/a/loop"), *root = path_to("d");
    g_assert_cmpint(mkfifo(pipe, 0600), ==, 0);
    g_assert_cmpint(symlink(outside, link), ==, 0);
    g_assert_cmpint(symlink(root, loop), ==, 0);
    check("d",
          "file:/d/a/y.xml[b]=<y/>|file:/d/a/z.eml[b]=" MAIL "|file:/d/b.xml[b]=<b/>|file:/d/c.gz[b]=x|");
    struct source *source = open_source("d", AFTER_LEAVE, NULL);
    struct mail mail;
    g_assert_cmpint(source->kind->remaining(source), ==, 4);
    g_assert_true(source->kind->next(source, &mail, NULL));
    g_assert_cmpint(source->kind->remaining(source), ==, 3);
    g_assert_cmpstr(mail.name, ==, "y.xml");
    mail_clear(&mail);
    source_close(source);
    tear_down();
}

/* A file that vanishes behind the list is passed over; one that turned into a link is not followed. */
static void test_changing(void)
{
    set_up();
    put("d/1.xml", "<a/>");
    put("d/2.xml", "<b/>");
    put("d/3.xml", "<c/>");
    put("secret", "no");
    struct source *source = open_source("d", AFTER_LEAVE, NULL);
    g_autofree char *first = path_to("d/1.xml"), *second = path_to("d/2.xml"), *secret = path_to("secret");
    g_assert_cmpint(g_remove(first), ==, 0);
    g_assert_cmpint(g_remove(second), ==, 0);
    g_assert_cmpint(symlink(secret, second), ==, 0);
    g_autofree char *got = drain(source, TRUE, OUTCOME_STORED);
    g_assert_cmpstr(got, ==, "file:/d/3.xml[b]=<c/>|");
    source_close(source);
    tear_down();
}

static void test_unreadable(void)
{
    set_up();
    put("d/1.xml", "<a/>");
    put("d/2.xml", "<b/>");
    struct source *source = open_source("d", AFTER_LEAVE, NULL);
    g_autofree char *first = path_to("d/1.xml");
    g_assert_cmpint(chmod(first, 0), ==, 0);
    g_autofree char *got = drain(source, FALSE, OUTCOME_STORED);
    if (geteuid() == 0)
        g_assert_cmpstr(got, ==, "file:/d/1.xml[b]=<a/>|file:/d/2.xml[b]=<b/>|");
    else
        g_assert_cmpstr(got, ==, "file:/d/1.xml[b]!unreadable|file:/d/2.xml[b]=<b/>|");
    source_close(source);
    tear_down();
}

struct size_row {
    const char *text, *limit;
};

/* Too large for what it is: refused with the limit's name, and the next one comes. */
static void test_limits_of_files(void)
{
    static const struct size_row rows[] = {
        {MAIL "0123456789", "message_size"},
        {"<feedback>0123456789</feedback>", "unpacked_size"},
        {"\x1f\x8b\x08"
         "0123456789abcdef",
         "attachment_size"},
        {"PK\x03\x04"
         "0123456789abcdef",
         "attachment_size"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        set_up();
        put("d/1", rows[i].text);
        put("d/2", "<a/>");
        struct limits limits = limits_default;
        limits.message_size = limits.unpacked_size = limits.attachment_size = strlen(rows[i].text) - 1;
        struct source *source = open_source("d", AFTER_LEAVE, &limits);
        struct mail mail;
        g_assert_true(source->kind->next(source, &mail, NULL));
        g_assert_null(mail.body);
        g_assert_cmpstr(mail.refusal_code, ==, "limit");
        g_autofree char *prefix = g_strdup_printf("limit %s: more than ", rows[i].limit);
        g_assert_true(g_str_has_prefix(mail.refusal, prefix));
        mail_clear(&mail);
        g_autofree char *rest = drain(source, FALSE, OUTCOME_STORED);
        g_assert_cmpstr(rest, ==, "file:/d/2[b]=<a/>|");
        source_close(source);
        tear_down();
    }
}

static void test_large_file(void)
{
    set_up();
    g_autofree char *text = g_strnfill(3 * 1024 * 1024, 'x');
    memcpy(text, "<a>", 3);
    put("big.xml", text);
    struct source *source = open_source("big.xml", AFTER_LEAVE, NULL);
    struct mail mail;
    g_assert_true(source->kind->next(source, &mail, NULL));
    g_assert_cmpuint(blob_size(mail.body), ==, 3 * 1024 * 1024);
    g_assert_null(blob_bytes(mail.body));
    mail_clear(&mail);
    source_close(source);
    tear_down();
}

static void test_file_settle(void)
{
    set_up();
    put("d/1.xml", "<a/>");
    put("d/Processed/1.xml", "<old/>");
    struct source *source = open_source("d", AFTER_MOVE, NULL);
    g_autofree char *got = drain(source, TRUE, OUTCOME_DUPLICATE);
    g_assert_cmpstr(got, ==, "file:/d/1.xml[b]=<a/>|");
    source_close(source);
    g_assert_false(is_there("d/1.xml"));
    g_assert_true(is_there("d/Processed/1.xml"));
    g_assert_true(is_there("d/Processed/1.xml.1"));
    put("d/2.xml", "<b/>");
    source = open_source("d", AFTER_MOVE, NULL);
    g_autofree char *problem = drain(source, TRUE, OUTCOME_PROBLEM);
    g_assert_cmpstr(problem, ==, "file:/d/2.xml[b]=<b/>|");
    source_close(source);
    g_assert_true(is_there("d/Problems/2.xml"));
    put("d/3.xml", "<c/>");
    source = open_source("d/3.xml", AFTER_FLAG, NULL);
    g_free(drain(source, TRUE, OUTCOME_STORED));
    source_close(source);
    g_assert_true(is_there("d/3.xml"));
    source = open_source("d/3.xml", AFTER_DELETE, NULL);
    g_free(drain(source, TRUE, OUTCOME_STORED));
    source_close(source);
    g_assert_false(is_there("d/3.xml"));
    tear_down();
}

/* Where mail was moved to is not read again, however the folder is written. */
static void test_file_targets(void)
{
    static const struct {
        const char *folder, *first, *second, *again;
    } rows[] = {
        {"Done", "d/Done/1.xml", "d/in/Done/2.xml", ""},
        {"Old/2024", "d/Old/2024/1.xml", "d/in/Old/2024/2.xml", ""},
        {"./Old//2024/", "d/Old/2024/1.xml", "d/in/Old/2024/2.xml", ""},
        {"../Done", "Done/1.xml", "d/Done/2.xml", ""},
        {"/Done", "d/Done/1.xml", "d/Done/2.xml", ""},
        {"/a link", "d/Done/1.xml", "d/Done/2.xml", ""},
        {".", "d/1.xml", "d/in/2.xml", "file:/d/1.xml[b]=<a/>|file:/d/in/2.xml[b]=<b/>|"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        set_up();
        put("d/1.xml", "<a/>");
        put("d/in/2.xml", "<b/>");
        g_autofree char *done = path_to("d/Done"), *link = path_to("d/a link");
        g_assert_cmpint(g_mkdir(done, 0700), ==, 0);
        g_assert_cmpint(symlink("Done", link), ==, 0);
        g_autofree char *folder = rows[i].folder[0] == '/'
                                      ? g_strconcat(directory, "/d", rows[i].folder, NULL)
                                      : g_strdup(rows[i].folder);
        struct source *source = open_for("d", AFTER_MOVE, folder, NULL);
        g_free(drain(source, TRUE, OUTCOME_STORED));
        source_close(source);
        source = open_for("d", AFTER_MOVE, folder, NULL);
        g_autofree char *again = drain(source, TRUE, OUTCOME_STORED);
        source_close(source);
        g_assert_cmpstr(again, ==, rows[i].again);
        if (!is_there(rows[i].first) || !is_there(rows[i].second))
            g_error("row %zu: it is not in %s", i, rows[i].folder);
        tear_down();
    }
}

/* What a pipe brought is gone from it: there is nothing to move or to delete. */
static void test_pipe_settle(void)
{
    set_up();
    g_autofree char *path = path_to("pipe");
    const char *const fill[] = {"/bin/sh", "-c", "printf '<a/>' >\"$0\"", path, NULL};
    g_assert_cmpint(mkfifo(path, 0600), ==, 0);
    g_assert_true(g_spawn_async(NULL, (char **)fill, NULL, 0, NULL, NULL, NULL, NULL));
    struct source *source = open_source("pipe", AFTER_DELETE, NULL);
    g_autofree char *got = drain(source, TRUE, OUTCOME_STORED);
    g_assert_cmpstr(got, ==, "file:/pipe[b]=<a/>|");
    source_close(source);
    g_assert_true(is_there("pipe"));
    tear_down();
}

static void make_maildir(const char *name)
{
    static const char *const subs[] = {"cur", "new", "tmp"};
    for (gsize i = 0; i < G_N_ELEMENTS(subs); i++) {
        g_autofree char *sub = g_build_filename(directory, name, subs[i], NULL);
        g_assert_cmpint(g_mkdir_with_parents(sub, 0700), ==, 0);
    }
}

/* On another file system, which no rename reaches. */
static void test_file_carried(void)
{
    char far[] = "/dev/shm/whosends-test-XXXXXX";
    struct stat here, there, moved;
    set_up();
    if (!g_mkdtemp(far) || stat(far, &there) != 0 || stat(directory, &here) != 0 ||
        here.st_dev == there.st_dev) {
        g_rmdir(far);
        tear_down();
        g_test_skip("/dev/shm is no other file system");
        return;
    }
    make_maildir("M");
    put("M/cur/1.a.host:2,S", "one");
    put("d/1.xml", "<a/>");
    g_autofree char *file = path_to("d/1.xml"), *link = path_to("M/.Processed");
    g_autofree char *taken = g_build_filename(far, "1.xml", NULL);
    g_autofree char *to = g_build_filename(far, "1.xml.1", NULL);
    g_autofree char *mail = g_build_filename(far, "cur", "1.a.host:2,S", NULL);
    const struct timespec then[] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000001}};
    g_assert_cmpint(utimensat(AT_FDCWD, file, then, 0), ==, 0);
    g_assert_cmpint(chmod(file, 0640), ==, 0);
    g_assert_true(g_file_set_contents(taken, "<old/>", -1, NULL));
    g_assert_cmpint(symlink(far, link), ==, 0);
    struct source *source = open_for("d", AFTER_MOVE, far, NULL);
    g_free(drain(source, TRUE, OUTCOME_STORED));
    source_close(source);
    source = open_source("M", AFTER_MOVE, NULL);
    g_free(drain(source, TRUE, OUTCOME_STORED));
    source_close(source);
    g_autofree char *was = NULL, *is = NULL, *text = NULL;
    g_assert_true(g_file_get_contents(taken, &was, NULL, NULL));
    g_assert_cmpstr(was, ==, "<old/>");
    g_assert_true(g_file_get_contents(to, &is, NULL, NULL));
    g_assert_cmpstr(is, ==, "<a/>");
    g_assert_cmpint(stat(to, &moved), ==, 0);
    g_assert_cmpint(moved.st_mtim.tv_sec, ==, 1000000001);
    g_assert_cmpuint(moved.st_mode & 07777, ==, 0640);
    g_assert_true(g_file_get_contents(mail, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, "one");
    g_assert_false(is_there("d/1.xml"));
    g_assert_false(is_there("M/cur/1.a.host:2,S"));
    /* Two files, and what makes it a Maildir: nothing is left of the copying. */
    g_autoptr(GDir) dir = g_dir_open(far, 0, NULL);
    guint left = 0;
    while (g_dir_read_name(dir))
        left++;
    g_assert_cmpuint(left, ==, 6);
    remove_all(far);
    tear_down();
}

static void fill_maildir(void)
{
    make_maildir("M");
    put("M/cur/1.a.host:2,FR", "one");
    put("M/new/2.b.host", "two");
    put("M/cur/3.c.host:2,ST", "three");
    put("M/tmp/4.d.host", "no");
    put("M/dovecot-uidlist", "no");
    make_maildir("M/.Sub");
    put("M/.Sub/cur/5.e.host:2,", "no");
}

#define MAILDIR_MAILS "maildir:/M/1.a.host[i]=one|maildir:/M/3.c.host[i]=three|maildir:/M/2.b.host[i]=two|"

static void test_maildir(void)
{
    set_up();
    fill_maildir();
    check("M", MAILDIR_MAILS);
    check("M/.Sub", "maildir:/M/.Sub/5.e.host[i]=no|");
    /* Found below a directory, too, and then with all that lies in it, but what is no mail. */
    put("a.xml", "<a/>");
    put("M/.hidden/6", "no");
    put("M/more/8", "eight");
#define BELOW MAILDIR_MAILS "maildir:/M/.Sub/5.e.host[i]=no|file:/M/more/8[b]=eight|file:/a.xml[b]=<a/>|"
    check("", BELOW);
    make_maildir("M/.Processed");
    put("M/.Processed/cur/9:2,S", "no");
    struct source *source = open_source("", AFTER_MOVE, NULL);
    g_autofree char *moved = drain(source, TRUE, OUTCOME_STORED);
    g_assert_cmpstr(moved, ==, BELOW);
    source_close(source);
    tear_down();
}

struct maildir_row {
    enum after after;
    enum outcome outcome;
    const char *there[4], *gone[4];
};

static void test_maildir_settle(void)
{
    static const struct maildir_row rows[] = {
        {AFTER_LEAVE,
         OUTCOME_STORED,
         {"M/cur/1.a.host:2,FR", "M/new/2.b.host", "M/cur/3.c.host:2,ST"},
         {"M/.Processed"}},
        {AFTER_FLAG,
         OUTCOME_STORED,
         {"M/cur/1.a.host:2,FRS", "M/cur/2.b.host:2,S", "M/cur/3.c.host:2,ST"},
         {"M/new/2.b.host"}},
        {AFTER_DELETE,
         OUTCOME_STORED,
         {"M/.Sub/cur/5.e.host:2,"},
         {"M/cur/1.a.host:2,FR", "M/new/2.b.host", "M/cur/3.c.host:2,ST"}},
        {AFTER_MOVE,
         OUTCOME_NO_REPORT,
         {"M/.Processed/cur/1.a.host:2,FR", "M/.Processed/cur/2.b.host:2,", "M/.Processed/cur/3.c.host:2,ST",
          "M/.Processed/maildirfolder"},
         {"M/cur/1.a.host:2,FR", "M/new/2.b.host", "M/.Problems"}},
        {AFTER_MOVE,
         OUTCOME_PROBLEM,
         {"M/.Problems/cur/2.b.host:2,", "M/.Problems/new", "M/.Problems/tmp"},
         {"M/.Processed"}},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        set_up();
        fill_maildir();
        struct source *source = open_source("M", rows[i].after, NULL);
        g_autofree char *got = drain(source, TRUE, rows[i].outcome);
        g_assert_cmpstr(got, ==, MAILDIR_MAILS);
        source_close(source);
        for (gsize n = 0; n < 4; n++) {
            if (rows[i].there[n] && !is_there(rows[i].there[n]))
                g_error("row %zu: %s is missing", i, rows[i].there[n]);
            if (rows[i].gone[n] && is_there(rows[i].gone[n]))
                g_error("row %zu: %s is still there", i, rows[i].gone[n]);
        }
        tear_down();
    }
}

/* A reader that changes flags between our list and our read or our settling. */
static void test_maildir_renamed(void)
{
    set_up();
    fill_maildir();
    struct source *source = open_source("M", AFTER_MOVE, NULL);
    g_autofree char *from = path_to("M/new/2.b.host"), *to = path_to("M/cur/2.b.host:2,S");
    g_assert_cmpint(g_rename(from, to), ==, 0);
    g_autofree char *gone = path_to("M/cur/3.c.host:2,ST");
    g_assert_cmpint(g_remove(gone), ==, 0);
    g_autofree char *got = drain(source, FALSE, OUTCOME_STORED);
    g_assert_cmpstr(got, ==, "maildir:/M/1.a.host[i]=one|maildir:/M/2.b.host[i]=two|");
    g_autofree char *flagged = path_to("M/cur/2.b.host:2,RS");
    g_assert_cmpint(g_rename(to, flagged), ==, 0);
    static const guint64 tokens[] = {2, 1, 0};
    static const enum outcome outcomes[] = {OUTCOME_STORED, OUTCOME_STORED, OUTCOME_PROBLEM};
    g_assert_true(source->kind->settle(source, tokens, outcomes, 3, NULL));
    g_assert_true(is_there("M/.Processed/cur/2.b.host:2,RS"));
    g_assert_true(is_there("M/.Problems/cur/1.a.host:2,FR"));
    source_close(source);
    tear_down();
}

/* A folder of a Maildir++ gets its neighbours in the same Maildir. */
static void test_maildir_folder(void)
{
    set_up();
    fill_maildir();
    struct source *source = open_source("M/.Sub", AFTER_MOVE, NULL);
    g_free(drain(source, TRUE, OUTCOME_STORED));
    source_close(source);
    g_assert_true(is_there("M/.Processed/cur/5.e.host:2,"));
    tear_down();
}

#define FROM "From a@b Sat Nov 21 10:00:00 2026\n"

struct mbox_row {
    const char *name, *text, *expected;
};

static const struct mbox_row mbox_rows[] = {
    {"two", FROM "Subject: 1\n\none\n\n" FROM "Subject: 2\n\ntwo\n",
     "mbox:/m#1[i]=Subject: 1\n\none\n\n|mbox:/m#2[i]=Subject: 2\n\ntwo\n|"},
    {"CR LF", "From a@b 10:00\r\nSubject: 1\r\n\r\none\r\n\r\nFrom a@b 10:00\r\nSubject: 2\r\n\r\ntwo\r\n",
     "mbox:/m#1[i]=Subject: 1\r\n\r\none\r\n\r\n|mbox:/m#2[i]=Subject: 2\r\n\r\ntwo\r\n|"},
    {"no blank line in front", FROM "Subject: 1\n\none\n" FROM "Subject: 2\n\ntwo\n",
     "mbox:/m#1[i]=Subject: 1\n\none\n|mbox:/m#2[i]=Subject: 2\n\ntwo\n|"},
    {"prose that begins so", FROM "Subject: 1\n\n\nFrom here on it is prose.\nReally.\nFrom 10:00 on: more\n",
     "mbox:/m#1[i]=Subject: 1\n\n\nFrom here on it is prose.\nReally.\nFrom 10:00 on: more\n|"},
    {"quoted", FROM "Subject: 1\n\n>From me\n>>From you\n> From\n>\n",
     "mbox:/m#1[i]=Subject: 1\n\nFrom me\n>From you\n> From\n>\n|"},
    {"longer quotes", FROM "Subject: 1\n\n>>>From me\n>From\n>from me\n",
     "mbox:/m#1[i]=Subject: 1\n\n>>From me\n>From\n>from me\n|"},
    {"a Content-Length that lies", FROM "Content-Length: 9999\n\none\n\n" FROM "Content-Length: 1\n\ntwo\n",
     "mbox:/m#1[i]=Content-Length: 9999\n\none\n\n|mbox:/m#2[i]=Content-Length: 1\n\ntwo\n|"},
    {"no end of line", FROM "Subject: 1\n\none", "mbox:/m#1[i]=Subject: 1\n\none|"},
    {"blank lines and a BOM before the first line", "\xef\xbb\xbf\r\n\n" FROM "A: 1\n\none\n\n" FROM "A: 2\n",
     "mbox:/m#1[i]=A: 1\n\none\n\n|mbox:/m#2[i]=A: 2\n|"},
    {"only the first line", FROM, "mbox:/m#1[i]=|"},
    {"separator at the end", FROM "Subject: 1\n\none\n\n" FROM,
     "mbox:/m#1[i]=Subject: 1\n\none\n\n" FROM "|"},
};

static void test_mbox(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(mbox_rows); i++) {
        set_up();
        put("m", mbox_rows[i].text);
        struct source *source = open_source("m", AFTER_DELETE, NULL);
        g_autofree char *got = drain(source, TRUE, OUTCOME_STORED);
        if (strcmp(got, mbox_rows[i].expected) != 0)
            g_error("%s: got \"%s\"", mbox_rows[i].name, got);
        source_close(source);
        g_assert_true(is_there("m"));
        tear_down();
    }
}

/* Many mails, small and large, in a file that is not held in memory; one of them over the limit. */
static void test_large_mbox(void)
{
    set_up();
    g_autoptr(GString) text = g_string_new(NULL);
    g_autofree char *large = g_strnfill(1500000, 'l'), *larger = g_strnfill(2500000, 'm');
    for (guint i = 0; i < 300; i++)
        g_string_append_printf(text, FROM "Subject: %u\n\n%s\n\n", i,
                               i == 100   ? large
                               : i == 200 ? larger
                                          : ">From x");
    put("d/m", text->str);
    put("d/n.xml", "<a/>");
    struct limits limits = limits_default;
    limits.message_size = 2000000;
    struct source *source = open_source("d", AFTER_LEAVE, &limits);
    struct mail mail;
    g_autoptr(GError) error = NULL;
    for (guint i = 0; i < 300; i++) {
        g_assert_true(source->kind->next(source, &mail, &error));
        g_autofree char *end = g_strdup_printf("/d/m#%u", i + 1);
        g_assert_true(g_str_has_suffix(mail.ref, end));
        if (i == 200) {
            g_assert_cmpstr(mail.refusal_code, ==, "limit");
            g_assert_null(mail.body);
        } else {
            GString *body = g_string_new(NULL);
            append_body(body, mail.body);
            g_autofree char *expected =
                g_strdup_printf("Subject: %u\n\n%s\n\n", i, i == 100 ? large : "From x");
            g_assert_cmpstr(body->str, ==, expected);
            g_string_free(body, TRUE);
        }
        mail_clear(&mail);
    }
    g_autofree char *rest = drain(source, FALSE, OUTCOME_STORED);
    g_assert_cmpstr(rest, ==, "file:/d/n.xml[b]=<a/>|");
    source_close(source);
    tear_down();
}

/* Standard input, from a pipe that another process would fill. */
static void check_stdin(const char *text, gsize n, const struct limits *limits, const char *expected)
{
    set_up();
    int ends[2], kept = dup(STDIN_FILENO);
    g_assert_cmpint(pipe(ends), ==, 0);
    g_assert_cmpint(write(ends[1], text, n), ==, (gssize)n);
    close(ends[1]);
    dup2(ends[0], STDIN_FILENO);
    close(ends[0]);
    struct source *source = open_source(NULL, AFTER_DELETE, limits);
    g_autofree char *got = drain(source, TRUE, OUTCOME_STORED);
    g_assert_cmpstr(got, ==, expected);
    g_assert_cmpstr(source->description, ==, "standard input");
    source_close(source);
    dup2(kept, STDIN_FILENO);
    close(kept);
    tear_down();
}

#define PROSE "Subject: x\n\n\nFrom here on\nNote: it goes on\nFrom 10:00 on\nNote: too\n"

static void test_stdin(void)
{
    struct limits limits = limits_default;
    limits.message_size = strlen(MAIL) - 1;
    check_stdin(MAIL, strlen(MAIL), NULL, "stdin:[b]=" MAIL "|");
    check_stdin("<a/>", 4, NULL, "stdin:[b]=<a/>|");
    check_stdin("", 0, NULL, "stdin:[b]=|");
    check_stdin(MAIL, strlen(MAIL), &limits, "stdin:[b]!limit|");
    check_stdin(FROM MAIL "\n" FROM MAIL, 2 * strlen(FROM MAIL) + 1, NULL,
                "stdin:#1[]=" MAIL "\n|stdin:#2[]=" MAIL "|");
    /* A transport that puts a From_ line in front quotes nothing. */
    check_stdin(FROM PROSE, strlen(FROM PROSE), NULL, "stdin:#1[]=" PROSE "|");
}

int main(int argc, char **argv)
{
    (void)argc;
    unit_init(argv[0]);
    g_test_add_func("/source/file", test_file);
    g_test_add_func("/source/missing", test_missing);
    g_test_add_func("/source/directory", test_directory);
    g_test_add_func("/source/changing", test_changing);
    g_test_add_func("/source/unreadable", test_unreadable);
    g_test_add_func("/source/limits", test_limits_of_files);
    g_test_add_func("/source/large-file", test_large_file);
    g_test_add_func("/source/settle", test_file_settle);
    g_test_add_func("/source/targets", test_file_targets);
    g_test_add_func("/source/pipe-settle", test_pipe_settle);
    g_test_add_func("/source/carried", test_file_carried);
    g_test_add_func("/source/maildir", test_maildir);
    g_test_add_func("/source/maildir-settle", test_maildir_settle);
    g_test_add_func("/source/maildir-renamed", test_maildir_renamed);
    g_test_add_func("/source/maildir-folder", test_maildir_folder);
    g_test_add_func("/source/mbox", test_mbox);
    g_test_add_func("/source/large-mbox", test_large_mbox);
    g_test_add_func("/source/stdin", test_stdin);
    return g_test_run();
}
