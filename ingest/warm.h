/* What the libraries of a mail's journey load when they are first used: encodings, character tables, cipher
 * providers, time zones. Afterwards a process that may open no file reads mails as well as any other,
 * but for encodings that nobody sends reports in. */
#pragma once

#include "parser/domain.h"

/* Loads it all, by reading a mail of samples. */
void warm_up(const struct domain_list *suffixes);

/* Reads it again. FALSE with WS_ERROR_SYSTEM when something else comes out than stands in it. */
gboolean warm_check(const struct domain_list *suffixes, GError **error);
