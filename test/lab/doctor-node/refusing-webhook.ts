import { createServer } from 'node:https';
import { text } from 'node:stream/consumers';
import type { Cluster } from '../api-server/kube-apiserver.ts';
import { makeCertificateAuthority } from '../certificates/certificate-authority.ts';
import { memberText } from '../member.ts';
import { listenOnLoopback } from './listen.ts';

const CONFIGURATIONS = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';

/** Registers a webhook that denies every write of podwire to the status of a pod. Disposing removes it. */
export async function startRefusingWebhook({ admin }: Cluster): Promise<AsyncDisposable> {
  const authority = makeCertificateAuthority('webhook');
  const { certificatePem, keyPem } = authority.issue({ commonName: 'webhook', subjectAlternativeNames: ['127.0.0.1'] });
  const server = createServer({ cert: certificatePem, key: keyPem }, (request, response) => {
    const answer = async () => {
      const review: unknown = JSON.parse(await text(request));
      const isPodwire = memberText(review, 'request', 'userInfo', 'username').endsWith(':podwire');
      const verdict = {
        uid: memberText(review, 'request', 'uid'),
        allowed: !isPodwire,
        status: { message: 'over quota' },
      };
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: verdict }));
    };
    answer().catch(() => response.destroy());
  });
  const port = await listenOnLoopback(server);
  await admin.create(CONFIGURATIONS, {
    metadata: { name: 'quota' },
    webhooks: [
      {
        name: 'quota.example.com',
        clientConfig: {
          url: `https://127.0.0.1:${port}/`,
          caBundle: Buffer.from(authority.certificatePem).toString('base64'),
        },
        rules: [{ apiGroups: [''], apiVersions: ['v1'], resources: ['pods/status'], operations: ['UPDATE'] }],
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
      },
    ],
  });
  return {
    async [Symbol.asyncDispose]() {
      await admin.delete(`${CONFIGURATIONS}/quota`);
      server.closeAllConnections();
      server.close();
    },
  };
}
