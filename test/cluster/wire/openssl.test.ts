import { describe, expect, it } from 'vitest';
import { openOpenSsl, VERDICTS } from '../../../src/cluster/wire/openssl.ts';

it('the OpenSSL in Node is the one whose numbers are in the table', () => {
  expect(process.versions.openssl).toMatch(/^3\./);
});

describe('a verdict', () => {
  const WORDS: Readonly<Record<string, RegExp>> = {
    UNABLE_TO_GET_ISSUER_CERT: /^unable to get issuer certificate$/,
    CERT_SIGNATURE_FAILURE: /^certificate signature failure$/,
    CERT_NOT_YET_VALID: /^certificate is not yet valid$/,
    CERT_HAS_EXPIRED: /^certificate has expired$/,
    DEPTH_ZERO_SELF_SIGNED_CERT: /^self-signed certificate$/,
    SELF_SIGNED_CERT_IN_CHAIN: /^self-signed certificate in certificate chain$/,
    UNABLE_TO_GET_ISSUER_CERT_LOCALLY: /^unable to get local issuer certificate$/,
    UNABLE_TO_VERIFY_LEAF_SIGNATURE: /^unable to verify the first certificate$/,
    CERT_CHAIN_TOO_LONG: /^certificate chain too long$/,
    CERT_REVOKED: /^certificate revoked$/,
    PATH_LENGTH_EXCEEDED: /^path length constraint exceeded$/,
    INVALID_PURPOSE: /^unsuitable certificate purpose$/,
    CERT_UNTRUSTED: /^certificate not trusted$/,
    CERT_REJECTED: /^certificate rejected$/,
    UNHANDLED_CRITICAL_EXTENSION: /^unhandled critical extension$/,
    PERMITTED_VIOLATION: /^permitted subtree violation$/,
    EXCLUDED_VIOLATION: /^excluded subtree violation$/,
    HOSTNAME_MISMATCH: /^hostname mismatch$/,
    IP_ADDRESS_MISMATCH: /^IP address mismatch$/,
    EE_KEY_TOO_SMALL: /^EE certificate key too weak$/,
    CA_KEY_TOO_SMALL: /^CA certificate key too weak$/,
    CA_MD_TOO_WEAK: /^CA signature digest algorithm too weak$/,
    INVALID_CA: /^invalid CA certificate$/,
  };
  it.each(Object.entries(VERDICTS))('%s is the one that OpenSSL calls %s', (number, name) => {
    const words = openOpenSsl().callForText('X509_verify_cert_error_string', Number(number));
    expect(words).toMatch(WORDS[name] ?? /a name without words/);
  });
});
