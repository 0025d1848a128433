// Starts the interpreter that is in the bundle itself.
#ifndef FRESHPYC_LAUNCHER_RUNTIME_H
#define FRESHPYC_LAUNCHER_RUNTIME_H

// Lays the interpreter out in the user's cache, unless it is there, and executes it. Exits with a message if that is impossible.
//
// `words`: what `freshpyc bundle` wrote after `runtime `: the place and size of the table of files in this file, the name of the
// directory, and the program in it. `arguments`: those of this program; the interpreter gets `self` before them.
void start_runtime(const char *words, const char *self, long count, char **arguments, char **environment);

#endif
