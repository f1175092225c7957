import type { FindingNumber } from '../cni/error.ts';
import { checkName } from './check-name.ts';
import { checkRenewal, describeRenewer, describeTokenFile, renewerCommands } from './check-renewal.ts';
import { reinstallCommand } from './check-runtime.ts';
import { found, passed, skipped, type Finding } from './finding.ts';
import type { ApiFacts, TokenFacts } from './api-facts.ts';
import type { NodeFacts } from './facts.ts';
import { formatDuration, formatMoment } from './format-time.ts';
import type { ProcessFacts } from './packet-facts.ts';

/** Checks the way to the API server: address, certificate, clock, token and permissions (PW201 to PW205, PW401 to PW405). */
export function checkApi(node: NodeFacts): readonly Finding[] {
  const { api, own, nodeName, nowMs, processes } = node;
  if (api.kind === 'unseen') {
    if (own.kind !== 'valid') return ALL.map((number) => skipped(number, api.why));
    return [
      found('PW205', 'failed', 'The kubeconfig cannot be used.', {
        evidence: [['problem', api.why]],
        fix: [reinstallCommand(nodeName)],
      }),
      ...ALL.filter((number) => number !== 'PW205').map((number) => skipped(number, 'the kubeconfig cannot be used')),
    ];
  }
  const facts = api.value;
  return [
    passed('PW205', `${facts.source} is valid`),
    checkName(facts.name),
    checkClock(facts, processes),
    checkReachable(facts),
    checkTrust(facts, nodeName, nowMs),
    checkSpeed(facts),
    ...checkToken(facts, nodeName, nowMs),
    checkRights(facts),
    checkAdmission(facts),
    checkWriters(node),
  ];
}

const ALL: readonly FindingNumber[] = [
  'PW205',
  'PW204',
  'PW201',
  'PW202',
  'PW203',
  'PW206',
  'PW401',
  'PW402',
  'PW405',
  'PW403',
  'PW404',
  'PW406',
];

/** A clock that is further off than this makes tokens and certificates invalid too early or too late. */
const MAX_CLOCK_OFF_MS = 60_000;

function checkClock({ probe }: ApiFacts, { timeService }: ProcessFacts): Finding {
  const { clockAheadMs } = probe;
  if (clockAheadMs === undefined) return skipped('PW204', 'the API server did not report its time');
  const distance = formatDuration(clockAheadMs);
  if (Math.abs(clockAheadMs) <= MAX_CLOCK_OFF_MS) return passed('PW204', `the clock is ${distance} off the server's`);
  return found(
    'PW204',
    'failed',
    `The clock of this node is ${distance} ${clockAheadMs > 0 ? 'ahead of' : 'behind'} that of the API server.`,
    {
      evidence: [
        ['effect', 'tokens and certificates are not yet, or no longer, valid'],
        ['set by', timeService ?? 'no time service is seen: chronyd, ntpd and systemd-timesyncd do not run'],
      ],
      fix: ['timedatectl set-ntp true'],
    },
  );
}

function failureOf({ answer }: ApiFacts): { number: string; message: string; details: string } | undefined {
  if (answer.kind === 'ok') return undefined;
  const { finding = 'PW201', message, details } = answer.error;
  return { number: finding, message, details };
}

function checkReachable(facts: ApiFacts): Finding {
  const failure = failureOf(facts);
  if (failure?.number === 'PW201') {
    return found('PW201', 'failed', 'The API server cannot be reached.', {
      evidence: [
        ['problem', failure.message],
        ['server', `${facts.server}, of ${facts.source}`],
        ['kubelet', facts.otherServer === facts.server ? undefined : facts.otherServer && `uses ${facts.otherServer}`],
      ],
      fix: [`curl -k ${facts.server}/version`],
    });
  }
  const { probe, answer } = facts;
  const tls = probe.tlsVersion === undefined ? '' : ` (${probe.tlsVersion})`;
  const time = probe.elapsedMs === undefined ? '' : ` in ${Math.round(probe.elapsedMs)} ms`;
  return passed('PW201', `${facts.server} answers${time}${tls}${answer.kind === 'ok' ? `: ${answer.version}` : ''}`);
}

function checkTrust(facts: ApiFacts, nodeName: string | undefined, nowMs: number): Finding {
  const { certificate } = facts.probe;
  const failure = failureOf(facts);
  const validity =
    certificate && `${formatMoment(certificate.validFromMs, nowMs)} to ${formatMoment(certificate.validToMs, nowMs)}`;
  if (failure?.number === 'PW202') {
    return found('PW202', 'failed', 'The API server is not trusted.', {
      evidence: [
        ['problem', failure.message],
        ['issuer', certificate?.issuer],
        ['valid', validity],
      ],
      fix: [reinstallCommand(nodeName)],
    });
  }
  if (failure?.number === 'PW201') return skipped('PW202', 'the API server cannot be reached');
  if (certificate === undefined) return passed('PW202', 'the connection is not encrypted, and stays on this machine');
  return passed('PW202', `its certificate is trusted until ${formatMoment(certificate.validToMs, nowMs)}`);
}

function checkSpeed({ slowestMs, requestBudgetMs }: ApiFacts): Finding {
  if (slowestMs === undefined) return skipped('PW203', 'the API server did not answer');
  const took = `the slowest of 5 requests took ${Math.round(slowestMs)} ms`;
  if (slowestMs < requestBudgetMs / 2) return passed('PW203', `${took}, of ${requestBudgetMs} ms`);
  return found('PW203', 'warning', `The API server is slow: ${took}.`, {
    evidence: [['limit', `${requestBudgetMs} ms for one request (budgets.api_request_ms)`]],
  });
}

function checkToken(facts: ApiFacts, nodeName: string | undefined, nowMs: number): readonly Finding[] {
  const { token, probe } = facts;
  const failure = failureOf(facts);
  // The server's clock decides whether a token is valid.
  const serverNowMs = nowMs - (probe.clockAheadMs ?? 0);
  const restart = reinstallCommand(nodeName);
  const boundTo = describeBinding(facts);
  const evidence = [
    ['account', token?.account],
    ['bound to', token?.boundNode && `Node ${token.boundNode.name}, uid ${token.boundNode.uid}`],
    [
      'expired',
      token?.expiresAtMs !== undefined && token.expiresAtMs <= serverNowMs
        ? formatMoment(token.expiresAtMs, serverNowMs)
        : undefined,
    ],
    [
      'expires',
      token?.expiresAtMs !== undefined && token.expiresAtMs > serverNowMs
        ? formatMoment(token.expiresAtMs, serverNowMs)
        : undefined,
    ],
    ['file', describeTokenFile(token, nowMs)],
  ] as const;
  const isRefused = failure?.number === 'PW401';
  const isReplaced = boundTo === 'replaced';
  const refused = isRefused
    ? found('PW401', 'failed', describeRefusal(token, serverNowMs), {
        evidence: [...evidence, ...(token?.expiresAtMs === undefined ? [] : describeRenewer(facts.renewer))],
        fix: renewerCommands(facts.renewer, nodeName),
      })
    : failure === undefined
      ? passed('PW401', `the token is accepted${describeRemaining(token, serverNowMs)}`)
      : skipped('PW401', 'no answer from the API server');
  const binding = isReplaced
    ? found('PW402', 'failed', `Node ${token?.boundNode?.name} was created again after the token was issued.`, {
        evidence: [
          ['token', `bound to uid ${token?.boundNode?.uid}`],
          [
            'node',
            facts.node.kind === 'seen' && facts.node.value !== 'absent'
              ? `uid ${facts.node.value.uid}`
              : 'does not exist',
          ],
          ['file', describeTokenFile(token, nowMs)],
        ],
        fix: [restart],
      })
    : boundTo === 'unknown'
      ? skipped('PW402', 'the Node cannot be read with other credentials: use --kubeconfig FILE')
      : passed('PW402', 'the token belongs to the Node of this machine');
  return [refused, binding, checkRenewal(facts, nodeName, nowMs)];
}

function describeRefusal(token: TokenFacts | undefined, serverNowMs: number): string {
  if (token === undefined) return 'The API server refuses the credentials of the plugin.';
  const hasExpired = token.expiresAtMs !== undefined && token.expiresAtMs <= serverNowMs;
  return `The API server refuses the token of the plugin${hasExpired ? ': it has expired' : ''}.`;
}

function describeRemaining(token: TokenFacts | undefined, serverNowMs: number): string {
  if (token?.expiresAtMs === undefined) return '';
  return `, ${formatDuration(token.expiresAtMs - serverNowMs)} left`;
}

function describeBinding({ token, node, answer }: ApiFacts): 'same' | 'replaced' | 'unknown' {
  if (token?.boundNode === undefined) return 'same';
  if (node.kind === 'unseen') return answer.kind === 'ok' ? 'same' : 'unknown';
  return node.value !== 'absent' && node.value.uid === token.boundNode.uid ? 'same' : 'replaced';
}

function checkRights({ rights, token }: ApiFacts): Finding {
  if (rights.kind === 'unseen') return skipped('PW403', rights.why);
  const missing = rights.value.filter(({ isAllowed }) => !isAllowed).map(({ right }) => right);
  if (missing.length === 0) {
    return passed('PW403', `permitted to ${rights.value.map(({ right }) => right).join(', ')}`);
  }
  return found('PW403', 'failed', `The account of the plugin is not permitted to ${missing.join(', ')}.`, {
    evidence: [
      [
        'permitted',
        rights.value
          .filter(({ isAllowed }) => isAllowed)
          .map(({ right }) => right)
          .join(', ') || 'nothing',
      ],
    ],
    fix: commandsThatGrant(token?.account),
  });
}

/** The manifest has the cluster role, and binds it to the account podwire. */
function commandsThatGrant(account: string | undefined): readonly string[] {
  const [, namespace, name] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(account ?? '') ?? [];
  const apply = 'kubectl apply -f cni-conf/rbac.yaml';
  if (namespace === undefined || (namespace === 'kube-system' && name === 'podwire')) return [apply];
  const binding = `kubectl create clusterrolebinding podwire-for-${namespace}-${name}`;
  return [apply, `${binding} --clusterrole=podwire --serviceaccount=${namespace}:${name}`];
}

function checkAdmission({ dryRun }: ApiFacts): Finding {
  if (dryRun.kind === 'unseen') return skipped('PW404', dryRun.why);
  const { pod, error, exemption } = dryRun.value;
  if (error === undefined) return passed('PW404', `the endpoint of ${pod} may be written`);
  return found('PW404', 'failed', `The API server refuses to write the endpoint of ${pod}.`, {
    evidence: [['problem', error.message]],
    fix: [exemption ?? 'kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations'],
  });
}

/** The file into which calico-node writes its token. */
const FILE_OF_CALICO = 'calico-kubeconfig';

function checkWriters({ processes: { tokenWriters }, own }: NodeFacts): Finding {
  const path = own.kind === 'valid' ? (own.config.connection.kubeconfigPath ?? '') : '';
  const isShared = path.endsWith(`/${FILE_OF_CALICO}`);
  if (!isShared || tokenWriters.length < 2) return passed('PW406', 'one program at most writes the kubeconfig');
  return found('PW406', 'warning', 'Two programs write the kubeconfig, with tokens of different accounts.', {
    evidence: [['file', path], ...tokenWriters.map((writer) => ['writer', writer] as const)],
    fix: ['kubectl -n kube-system set env daemonset/calico-node CALICO_MANAGE_CNI=false'],
  });
}
