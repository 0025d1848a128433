// Decompresses raw Deflate (RFC 1951) from memory to memory.

#include "inflate.h"

enum { longest_code = 15, literal_count = 288, distance_count = 32, length_count = 19 };

typedef struct {
    const unsigned char *input, *input_end;
    unsigned char *output, *output_start, *output_end;
    unsigned bits;
    int bit_count;
    int has_failed;
} State;

// A canonical code: the number of codes of each length, and the symbols in the order of their codes.
typedef struct {
    unsigned short counts[longest_code + 1];
    unsigned short symbols[literal_count];
} Code;

static int take(State *state, int count) {
    while (state->bit_count < count) {
        if (state->input == state->input_end) {
            state->has_failed = 1;
            return 0;
        }
        state->bits |= (unsigned)*state->input++ << state->bit_count;
        state->bit_count += 8;
    }
    int value = (int)(state->bits & ((1u << count) - 1));
    state->bits >>= count;
    state->bit_count -= count;
    return value;
}

static int build(Code *code, const unsigned char *lengths, int count) {
    unsigned short offsets[longest_code + 1];
    for (int size = 0; size <= longest_code; size++) code->counts[size] = 0;
    for (int symbol = 0; symbol < count; symbol++) code->counts[lengths[symbol]]++;
    int left = 1;
    for (int size = 1; size <= longest_code; size++) {
        left = left * 2 - code->counts[size];
        if (left < 0) return 0;
    }
    offsets[1] = 0;
    for (int size = 1; size < longest_code; size++) offsets[size + 1] = offsets[size] + code->counts[size];
    for (int symbol = 0; symbol < count; symbol++) {
        if (lengths[symbol]) code->symbols[offsets[lengths[symbol]]++] = (unsigned short)symbol;
    }
    return 1;
}

static int decode(State *state, const Code *code) {
    int value = 0, first = 0, index = 0;
    for (int size = 1; size <= longest_code; size++) {
        value |= take(state, 1);
        if (state->has_failed) return 0;
        int count = code->counts[size];
        if (value - count < first) return code->symbols[index + value - first];
        index += count;
        first = (first + count) << 1;
        value <<= 1;
    }
    state->has_failed = 1;
    return 0;
}

static void copy_stored(State *state) {
    state->bits = 0;
    state->bit_count = 0;
    if (state->input_end - state->input < 4) {
        state->has_failed = 1;
        return;
    }
    long count = state->input[0] | state->input[1] << 8;
    long inverse = state->input[2] | state->input[3] << 8;
    state->input += 4;
    if (count != (inverse ^ 0xFFFF) || state->input_end - state->input < count ||
        state->output_end - state->output < count) {
        state->has_failed = 1;
        return;
    }
    while (count-- > 0) *state->output++ = *state->input++;
}

static void copy_compressed(State *state, const Code *literals, const Code *distances) {
    static const unsigned short length_bases[29] = {3,  4,  5,  6,  7,  8,  9,  10, 11,  13,  15,  17,  19,  23, 27,
                                                    31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
    static const unsigned char length_bits[29] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
                                                  2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
    static const unsigned short distance_bases[30] = {1,   2,   3,   4,   5,   7,    9,    13,   17,   25,
                                                      33,  49,  65,  97,  129, 193,  257,  385,  513,  769,
                                                      1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};
    while (!state->has_failed) {
        int symbol = decode(state, literals);
        if (state->has_failed || symbol == 256) return;
        if (symbol < 256) {
            if (state->output == state->output_end) break;
            *state->output++ = (unsigned char)symbol;
            continue;
        }
        symbol -= 257;
        if (symbol >= 29) break;
        long count = length_bases[symbol] + take(state, length_bits[symbol]);
        int number = decode(state, distances);
        if (state->has_failed || number >= 30) break;
        long distance = distance_bases[number] + take(state, number < 4 ? 0 : number / 2 - 1);
        if (distance > state->output - state->output_start || count > state->output_end - state->output) break;
        for (; count > 0; count--, state->output++) *state->output = state->output[-distance];
    }
    state->has_failed = 1;
}

static void copy_fixed(State *state) {
    unsigned char lengths[literal_count];
    Code literals, distances;
    for (int symbol = 0; symbol < literal_count; symbol++) {
        lengths[symbol] = symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8;
    }
    build(&literals, lengths, literal_count);
    for (int symbol = 0; symbol < 30; symbol++) lengths[symbol] = 5;
    build(&distances, lengths, 30);
    copy_compressed(state, &literals, &distances);
}

static void copy_dynamic(State *state) {
    static const unsigned char order[length_count] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
    unsigned char lengths[literal_count + distance_count] = {0};
    Code literals, distances;
    int literal = take(state, 5) + 257, distance = take(state, 5) + 1, count = take(state, 4) + 4;
    if (literal > 286 || distance > 30) state->has_failed = 1;
    for (int index = 0; index < count; index++) lengths[order[index]] = (unsigned char)take(state, 3);
    if (state->has_failed || !build(&literals, lengths, length_count)) {
        state->has_failed = 1;
        return;
    }
    for (int symbol = 0; symbol < length_count; symbol++) lengths[symbol] = 0;
    for (int index = 0; index < literal + distance && !state->has_failed;) {
        int symbol = decode(state, &literals);
        if (symbol < 16) {
            lengths[index++] = (unsigned char)symbol;
            continue;
        }
        unsigned char repeated = 0;
        if (symbol == 16) {
            if (index == 0) state->has_failed = 1;
            else repeated = lengths[index - 1];
        }
        int times = symbol == 16 ? 3 + take(state, 2) : symbol == 17 ? 3 + take(state, 3) : 11 + take(state, 7);
        if (index + times > literal + distance) state->has_failed = 1;
        for (; times > 0 && !state->has_failed; times--) lengths[index++] = repeated;
    }
    if (state->has_failed || !build(&literals, lengths, literal) || !build(&distances, lengths + literal, distance)) {
        state->has_failed = 1;
        return;
    }
    copy_compressed(state, &literals, &distances);
}

int inflate(const unsigned char *input, long input_size, unsigned char *output, long size) {
    State state = {input, input + input_size, output, output, output + size, 0, 0, 0};
    int is_last;
    do {
        is_last = take(&state, 1);
        switch (take(&state, 2)) {
        case 0: copy_stored(&state); break;
        case 1: copy_fixed(&state); break;
        case 2: copy_dynamic(&state); break;
        default: state.has_failed = 1;
        }
    } while (!is_last && !state.has_failed);
    return !state.has_failed && state.output == state.output_end;
}
