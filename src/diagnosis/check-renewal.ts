import { reinstallCommand } from './check-runtime.ts';
import { found, passed, type Finding } from './finding.ts';
import type { ApiFacts, RenewerFact, TokenFacts } from './api-facts.ts';
import type { Seen } from './facts.ts';
import { formatMoment } from './format-time.ts';

/** The renewer replaces a token after 70 to 80 % of its life, and tries for some time if it fails. */
const RENEWAL_OVERDUE_PART = 0.85;
/** Tokens that a person made for a test are shorter. */
const MIN_RENEWED_LIFE_MS = 10 * 60_000;

/** True for a token that should have been replaced, by the clock of the API server. */
export function isRenewalOverdue(token: TokenFacts | undefined, serverNowMs: number): boolean {
  const { issuedAtMs, expiresAtMs } = token ?? {};
  if (issuedAtMs === undefined || expiresAtMs === undefined) return false;
  const lifeMs = expiresAtMs - issuedAtMs;
  return lifeMs >= MIN_RENEWED_LIFE_MS && serverNowMs - issuedAtMs >= lifeMs * RENEWAL_OVERDUE_PART;
}

/** Checks whether the token of the plugin is renewed (PW405). */
export function checkRenewal(
  { token, probe, renewer }: ApiFacts,
  nodeName: string | undefined,
  nowMs: number,
): Finding {
  const { issuedAtMs, expiresAtMs } = token ?? {};
  const serverNowMs = nowMs - (probe.clockAheadMs ?? 0);
  if (issuedAtMs === undefined || expiresAtMs === undefined) return passed('PW405', 'the credentials do not expire');
  if (!isRenewalOverdue(token, serverNowMs)) {
    return passed('PW405', `the token was issued ${formatMoment(issuedAtMs, serverNowMs)}`);
  }
  return found('PW405', 'warning', 'The token should have been renewed: its renewer does not work.', {
    evidence: [
      ['due', formatMoment(issuedAtMs + (expiresAtMs - issuedAtMs) * 0.8, serverNowMs)],
      ['expires', formatMoment(expiresAtMs, serverNowMs)],
      ['file', describeTokenFile(token, nowMs)],
      ...describeRenewer(renewer),
    ],
    fix: renewerCommands(renewer, nodeName),
  });
}

/** The state of the container that renews the token, and its last line, as evidence. */
export function describeRenewer(
  renewer: Seen<RenewerFact | 'absent'>,
): readonly (readonly [string, string | undefined])[] {
  if (renewer.kind === 'unseen') return [['renewal', `not seen: ${renewer.why}`]];
  if (renewer.value === 'absent') return [['renewal', 'this node has no pod of podwire']];
  const { pod, state, isReady, restartCount, lastLine } = renewer.value;
  const restarts = restartCount === 0 ? '' : `, ${restartCount} ${restartCount === 1 ? 'restart' : 'restarts'}`;
  return [
    ['renewal', `pod ${pod}, container "token": ${state}${isReady ? '' : ', not ready'}${restarts}`],
    ['its log', lastLine],
  ];
}

/** The commands that show why the renewer fails, and replace its pod. */
export function renewerCommands(
  renewer: Seen<RenewerFact | 'absent'>,
  nodeName: string | undefined,
): readonly string[] {
  const pod = renewer.kind === 'seen' && renewer.value !== 'absent' ? renewer.value.pod : podOf(nodeName);
  return [`kubectl -n kube-system logs ${pod} -c token --tail 5`, reinstallCommand(nodeName)];
}

/** The pod of a node, as a part of a command. The DaemonSet stands for one of all its pods. */
function podOf(nodeName: string | undefined): string {
  if (nodeName === undefined) return 'ds/podwire';
  const selectors = `-l app.kubernetes.io/name=podwire --field-selector spec.nodeName=${nodeName}`;
  return `$(kubectl -n kube-system get pods ${selectors} -o name)`;
}

/** The file of a token, and when it was written. */
export function describeTokenFile(token: TokenFacts | undefined, nowMs: number): string | undefined {
  if (token?.file === undefined) return undefined;
  const written = token.fileWrittenMs === undefined ? '' : `, written ${formatMoment(token.fileWrittenMs, nowMs)}`;
  return `${token.file}${written}`;
}
