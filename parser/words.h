/* The words of the two RFCs, and what real reporters write instead.
 *
 * Each function takes trimmed text and gives back the standard's word as a static string, or NULL when the
 * text is no word that it knows. Letter case never matters; '_', '-' and blanks inside a word are forgiven,
 * but not in "pass", which is never read out of anything but those four letters in a row. The caller sees by
 * comparing whether something had to be changed. */
#pragma once

#include <glib.h>
#include <string.h>

/* The same word, letter by letter. */
static inline gboolean word_is(const char *text, const char *word)
{
    return *text == *word && strcmp(text, word) == 0;
}

/* RFC 8601 section 2.7.1: none pass fail policy neutral temperror permerror. */
const char *word_dkim_result(const char *text);
/* RFC 8601 section 2.7.2: the same and softfail. */
const char *word_spf_result(const char *text);
/* none pass quarantine reject. */
const char *word_disposition(const char *text);
/* "pass", or "fail" for everything else: RFC 7489 appendix C, DMARCResultType. Never NULL. */
const char *word_verdict(const char *text);
/* p, sp, np: none quarantine reject. */
const char *word_policy(const char *text);
/* adkim, aspf: r s, by the first letter. */
const char *word_alignment(const char *text);
/* mfrom helo. */
const char *word_scope(const char *text);
/* The override reasons of both RFCs; NULL when it is none of them. */
const char *word_reason(const char *text);
/* testing: y n. */
const char *word_yes_no(const char *text);
/* discovery_method: psl treewalk. */
const char *word_discovery(const char *text);
