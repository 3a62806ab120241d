/* The workers of whosends: what the nursery prepares for them, and what they do. */
#pragma once

#include "ingest/nursery.h"

extern const struct nursery_work worker_work;
