// Against the vectors of the RFCs that describe them.
#include "controlplane/health/digests.h"

#include <gtest/gtest.h>

namespace fulcrum {
namespace {

TEST(Digests, AreThoseOfTheirRfcs) {
    EXPECT_EQ(in_hexadecimal(md5("abc")), "900150983cd24fb0d6963f7d28e17f72");  // RFC 1321
    EXPECT_EQ(in_hexadecimal(sha1("abc")),
              "a9993e364706816aba3e25717850c26c9cd0d89d");  // RFC 3174
    EXPECT_EQ(in_hexadecimal(sha256("abc")),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");  // RFC 6234
    EXPECT_EQ(in_hexadecimal(hmac_md5("Jefe", "what do ya want for nothing?")),
              "750c783e6ab0b503eaa86e310a5db738");  // RFC 2202
    EXPECT_EQ(in_hexadecimal(hmac_sha256("Jefe", "what do ya want for nothing?")),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");  // RFC 4231
    EXPECT_EQ(in_hexadecimal(pbkdf2_sha256("passwd", "salt", 1)),
              "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc");  // RFC 7914
}

TEST(Digests, WriteAndReadBase64) {
    EXPECT_EQ(in_base64(""), "");
    EXPECT_EQ(in_base64("f"), "Zg==");
    EXPECT_EQ(in_base64("foobar"), "Zm9vYmFy");
    for (const char* text : {"", "f", "fo", "foo", "foobar"}) {
        EXPECT_EQ(from_base64(in_base64(text)), text);
    }
    EXPECT_EQ(from_base64("!!!!"), "");
}

TEST(Digests, DrawOctetsAnew) { EXPECT_NE(random_octets(16), random_octets(16)); }

}  // namespace
}  // namespace fulcrum
