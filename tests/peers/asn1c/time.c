/*
 * Decodes and encodes one frame many times with the code that asn1c made. Arguments: file of the raw frame, repetitions. Prints
 * nanoseconds for one decoding (with the freeing of what it made) and for one encoding.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "MessageFrame.h"

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}

int main(int argc, char **argv) {
    static unsigned char frame[65536], again[65536];
    if (argc != 3) return 1;
    FILE *file = fopen(argv[1], "rb");
    if (!file) return 1;
    size_t length = fread(frame, 1, sizeof frame, file);
    long times = atol(argv[2]);
    MessageFrame_t *message = NULL;
    double start = now();
    for (long i = 0; i < times; i++) {
        if (message) ASN_STRUCT_FREE(asn_DEF_MessageFrame, message);
        message = NULL;
        if (uper_decode_complete(NULL, &asn_DEF_MessageFrame, (void **)&message, frame, length).code != RC_OK) return 2;
    }
    double middle = now();
    for (long i = 0; i < times; i++) {
        if (uper_encode_to_buffer(&asn_DEF_MessageFrame, message, again, sizeof again).encoded < 0) return 3;
    }
    double end = now();
    printf("%f %f\n", (middle - start) / times, (end - middle) / times);
    return 0;
}
