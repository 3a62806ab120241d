/* Places where a test may break the program off. The program itself does nothing there: a test links another
 * object in the place of this one (tests/tools/step_fault.c), and sees what is left behind when the process
 * dies, stops or loses a connection at exactly this moment. */
#pragma once

/* `name` says what was done or sent the moment before, in a few words. It may go on with numbers and names
 * from outside: only what stands before the first character that is no letter, blank or hyphen counts. */
void step(const char *name);
