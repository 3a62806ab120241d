/* What the libraries of a mail's journey load when they are first used: encodings, character tables, cipher
 * providers, time zones. Afterwards a process that may open no file reads mails as well as any other,
 * but for encodings that nobody sends reports in. */
#pragma once

#include "parser/domain.h"

/* Loads what every mail needs, by reading a mail of samples. */
void warm_up(const struct domain_list *suffixes);
/* The encodings besides UTF-8 and the few that are built in. */
void warm_encodings(const struct domain_list *suffixes);

/* Reads samples again; `light`: only those of warm_up. FALSE with WS_ERROR_SYSTEM when something else comes
 * out than stands in them. */
gboolean warm_check(const struct domain_list *suffixes, gboolean light, GError **error);
