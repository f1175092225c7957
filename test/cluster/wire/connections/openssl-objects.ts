import { openNativeLibrary } from '../../../../src/system/native-library.ts';

/** How many objects of one kind OpenSSL has made and freed. */
export interface ObjectCount {
  readonly kind: string;
  made: number;
  freed: number;
}

/**
 * Makes OpenSSL itself report each object that it makes or frees in this process, from now on. Call it in a separate process: objects of
 * node:tls are freed by the garbage collector, during which no JavaScript may run.
 *
 * @returns counts that change
 * @see CRYPTO_get_ex_new_index(3)
 */
export function countOpenSslObjects(): readonly ObjectCount[] {
  const openssl = openNativeLibrary(null, {
    CRYPTO_get_ex_new_index:
      'int CRYPTO_get_ex_new_index(int kind, long number, void *argument, void *onNew, void *onCopy, void *onFree)',
  });
  return Object.entries(KINDS).map(([kind, number]) => {
    const count: ObjectCount = { kind, made: 0, freed: 0 };
    // OpenSSL passes more arguments than these callbacks read, and ignores what they return.
    const onNew = openssl.makeCallback('int (void *parent, void *object)', () => ++count.made);
    const onFree = openssl.makeCallback('int (void *parent, void *object)', () => ++count.freed);
    const index = openssl.call('CRYPTO_get_ex_new_index', number, 0, null, onNew.pointer, null, onFree.pointer);
    if (index < 0) throw new Error(`OpenSSL does not report objects of the kind ${kind}`);
    return count;
  });
}

/** From openssl/crypto.h, without the prefix CRYPTO_EX_INDEX_. */
const KINDS = { SSL: 0, SSL_CTX: 1, SSL_SESSION: 2, X509: 3, X509_STORE: 4, BIO: 12, EVP_PKEY: 17 };
