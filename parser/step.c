#include "parser/step.h"

void step(const char *name)
{
    (void)name;
}
