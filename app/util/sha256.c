/* SPDX-License-Identifier: Apache-2.0 */
/* sha256.c - OpenSSL's, and its usual spelling: small letters, though large ones are read. */
#include "util/sha256.h"

#include "util/percent.h"

#include <openssl/evp.h>
#include <stdio.h>

bool sha256_of(struct span in, unsigned char out[SHA256_BYTES])
{
	return EVP_Digest(in.len ? in.p : "", in.len, out, NULL, EVP_sha256(), NULL) == 1;
}

const char *sha256_hex(const unsigned char digest[SHA256_BYTES], char out[SHA256_HEX])
{
	for (size_t i = 0; i < SHA256_BYTES; i++)
		(void)snprintf(out + 2 * i, 3, "%02x", digest[i]);
	return out;
}

bool sha256_unhex(struct span text, unsigned char out[SHA256_BYTES])
{
	if (text.len != SHA256_HEX - 1)
		return false;
	for (size_t i = 0; i < SHA256_BYTES; i++) {
		int high = percent_hex(text.p[2 * i]), low = percent_hex(text.p[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		out[i] = (unsigned char)(high * 16 + low);
	}
	return true;
}
