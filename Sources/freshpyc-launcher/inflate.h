// Decompresses raw Deflate (RFC 1951) from memory to memory. Small rather than fast: it runs once for each machine.
#ifndef FRESHPYC_LAUNCHER_INFLATE_H
#define FRESHPYC_LAUNCHER_INFLATE_H

// Returns whether the input is whole and gives exactly `size` bytes.
int inflate(const unsigned char *input, long input_size, unsigned char *output, long size);

#endif
