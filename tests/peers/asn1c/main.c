/*
 * Reads frames from standard input (two octets of length, big-endian, then the frame), decodes each as a MessageFrame with the code
 * that asn1c made, and answers with two parts of the same form: the frame encoded again, and its values as XML. A frame that cannot
 * be decoded, or whose values are out of range, is answered with two empty parts.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "MessageFrame.h"

struct text { char *data; size_t used, size; };

static int append(const void *part, size_t length, void *key) {
    struct text *t = key;
    if (t->used + length > t->size) {
        t->size = (t->used + length) * 2;
        t->data = realloc(t->data, t->size);
    }
    memcpy(t->data + t->used, part, length);
    t->used += length;
    return 0;
}

static void answer(const void *part, size_t length) {
    unsigned char head[4] = { length >> 24, length >> 16, length >> 8, length };
    fwrite(head, 1, 4, stdout);
    fwrite(part, 1, length, stdout);
}

int main(void) {
    static unsigned char frame[65536], again[65536];
    struct text xml = { 0 };
    for (;;) {
        int high = getchar(), low = getchar();
        if (high == EOF || low == EOF) break;
        size_t length = (size_t)high << 8 | low;
        if (fread(frame, 1, length, stdin) != length) return 1;
        MessageFrame_t *message = NULL;
        asn_dec_rval_t decoded = uper_decode_complete(NULL, &asn_DEF_MessageFrame, (void **)&message, frame, length);
        char why[256];
        size_t room = sizeof why;
        xml.used = 0;
        if (decoded.code == RC_OK && decoded.consumed == length && asn_check_constraints(&asn_DEF_MessageFrame, message, why, &room) == 0) {
            asn_enc_rval_t encoded = uper_encode_to_buffer(&asn_DEF_MessageFrame, message, again, sizeof again);
            xer_encode(&asn_DEF_MessageFrame, message, XER_F_CANONICAL, append, &xml);
            answer(again, encoded.encoded < 0 ? 0 : (encoded.encoded + 7) / 8);
        } else {
            answer("", 0);
        }
        answer(xml.data, xml.used);
        fflush(stdout);
        ASN_STRUCT_FREE(asn_DEF_MessageFrame, message);
    }
    return 0;
}
