import { describe, expect, it } from 'vitest';
import { readConnection } from '../../../src/cluster/credentials/connection.ts';
import { explainTlsFailure } from '../../../src/cluster/wire/tls-failure.ts';
import { connectionSettings } from '../loopback-cluster.ts';

describe('a failure of TLS', () => {
  const explains = (code: string, message: RegExp) =>
    it(`${code} is explained`, async () => expect(await explain(code)).toMatch(message));
  explains(
    'SELF_SIGNED_CERT_IN_CHAIN',
    /was not signed by the public roots, because no certificate authority is configured/,
  );
  explains('HOSTNAME_MISMATCH', /not for "api.example": use one of its names in k8s_api_root/);
  explains('CERT_NOT_YET_VALID', /set this machine's clock/);
  explains('INVALID_PURPOSE', /not permitted for this: check its key usage/);
  explains('X509_V_ERR_12345', /not permitted for this/);
  explains('CA_MD_TOO_WEAK', /too weak: issue new ones/);
  explains('ERR_SSL_WRONG_VERSION_NUMBER', /does not speak TLS/);
  explains('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', /requires a client certificate .*none is configured/);
  explains('ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE', /client certificate/);
  explains('ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', /client certificate/);

  it('of another kind is not explained', async () => expect(await explain('ECONNRESET')).toBeUndefined());
});

async function explain(code: string): Promise<string | undefined> {
  const connection = await readConnection(connectionSettings({ apiRoot: 'https://api.example' }), {});
  return explainTlsFailure(code, new Error(code), connection);
}
