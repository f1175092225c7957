import { readFile } from 'node:fs/promises';
import { member } from '../member.ts';
import { until } from '../until.ts';

/**
 * The audit policy of the test's API server: it logs every request except those of the test, when they arrive and
 * when they are answered.
 */
export const AUDIT_POLICY = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  rules: [{ level: 'None', userGroups: ['system:masters'] }, { level: 'Metadata' }],
} as const;

/** A request as the API server saw it. */
export interface AuditedRequest {
  readonly verb: string;
  readonly uri: string;
  readonly code: number;
}

/** A moment, expressed as the length of the audit log at that time. */
export type AuditMark = number & { readonly brand: 'AuditMark' };

/** Returns the current moment, so that only later requests are counted. */
export async function readAuditMark(logFile: string): Promise<AuditMark> {
  return (await readLog(logFile)).length as AuditMark;
}

/**
 * Reads the requests of one user, in the order in which they arrived. For `''`, those that were rejected with 401.
 *
 * A client receives its response before the server has logged it. So this waits until each request that has arrived
 * is logged as answered.
 */
export async function readAuditedRequests(
  logFile: string,
  userName: string,
  since?: AuditMark,
): Promise<readonly AuditedRequest[]> {
  let events: readonly AuditEvent[] = [];
  const answers = new Map<string, AuditEvent>();
  let requests: readonly AuditEvent[] = [];
  const areAnswered = async () => {
    events = parseEvents((await readLog(logFile)).subarray(since ?? 0)).filter((event) => event.userName === userName);
    for (const event of events.filter(isAnswer)) answers.set(event.id, event);
    requests = events.filter((event) => !isAnswer(event) || event.code === 401);
    return requests.every((request) => answers.has(request.id));
  };
  await until(`the answers to ${userName} are logged`, areAnswered, {
    deadlineMs: 5000,
    explain: () => JSON.stringify(events),
  });
  return requests.map(({ id, verb, uri }) => ({ verb, uri, code: answers.get(id)?.code ?? 0 }));
}

interface AuditEvent {
  readonly id: string;
  readonly stage: string;
  readonly userName: string;
  readonly verb: string;
  readonly uri: string;
  readonly code: number;
}

// A request that is rejected with 401 has only the stage ResponseStarted; a watch has it before ResponseComplete.
function isAnswer(event: AuditEvent): boolean {
  return event.stage !== 'RequestReceived';
}

async function readLog(logFile: string): Promise<Buffer> {
  return readFile(logFile).catch(() => Buffer.alloc(0)); // the first request makes it
}

function parseEvents(log: Buffer): readonly AuditEvent[] {
  const whole = log.subarray(0, log.lastIndexOf('\n') + 1).toString();
  return whole.split('\n').flatMap((line) => (line === '' ? [] : [parseEvent(JSON.parse(line))]));
}

function parseEvent(value: unknown): AuditEvent {
  return {
    id: text(value, 'auditID'),
    stage: text(value, 'stage'),
    userName: text(value, 'user', 'username'),
    verb: text(value, 'verb'),
    uri: text(value, 'requestURI'),
    code: Number(member(value, 'responseStatus', 'code') ?? 0),
  };
}

function text(value: unknown, ...keys: readonly string[]): string {
  const found = member(value, ...keys);
  return typeof found === 'string' ? found : '';
}
