import type { Environment } from '../cni/environment.ts';
import type { Log } from '../log/log.ts';
import type { FormatLine, LogContext, Outcome } from '../log/log-line.ts';
import type { NetworkConfig } from '../netconf/network-config.ts';
import { messageOf } from '../system/error-text.ts';
import { loadBuiltin, processUptimeSeconds } from '../system/node-process.ts';
import { PODWIRE_VERSION } from '../version.ts';
import { openCommandSpans, type CommandSpans } from './command-spans.ts';
import { jsonLines } from './json-line.ts';
import { formatOtlp } from './otlp.ts';
import { openSpanRecorder } from './spans.ts';
import { parseTraceContext } from './trace-context.ts';
import { appendTrace } from './trace-file.ts';
import { callsTo, openTrace, traced } from './traced.ts';

/** The spans of a command, and its log as JSON, each as far as it is on. */
export interface Telemetry {
  readonly formatLine: FormatLine | undefined;
  readonly spans: CommandSpans | undefined;
  readonly watch: Watch;
  /** Writes what is left to write. It never fails. */
  end(log: Pick<Log, 'info' | 'warning'>, failure: CommandFailure | undefined): void;
}

/** Wraps an effect, so that its calls are seen. */
export type Watch = <Effect extends object>(name: string, effect: Effect) => Effect;

/** The error of a command. */
export interface CommandFailure extends Outcome {
  readonly message: string;
}

/** What is known about a command when it begins. */
export interface TelemetryOptions {
  readonly environment: Environment;
  readonly config: Pick<NetworkConfig, 'name' | 'log' | 'traceFilePath'>;
  /** With `command`. */
  readonly context: LogContext;
  readonly podUid: string | undefined;
  readonly writeStderr: (text: string) => void;
}

/** Where spans go if only TRACEPARENT asks for them. */
const DEFAULT_TRACE_FILE = '/var/log/podwire/traces.jsonl';

/** Commands that change something: each has a line in a log of JSON also if it succeeds. */
const CHANGES: ReadonlySet<string | undefined> = new Set(['ADD', 'DEL', 'GC']);

/** Opens what a network configuration and the caller's environment ask for. */
export function openTelemetry({ environment, config, context, podUid, writeStderr }: TelemetryOptions): Telemetry {
  const caller = parseTraceContext(environment['TRACEPARENT'] ?? '');
  const filePath = config.traceFilePath ?? (caller?.isSampled === true ? DEFAULT_TRACE_FILE : undefined);
  const traceId = caller?.traceId ?? (filePath === undefined ? undefined : randomId(16));
  const isJson = config.log.format === 'json';
  const formatLine = isJson
    ? jsonLines({ network: config.name, traceId, durationSeconds: processUptimeSeconds })
    : undefined;
  const trace =
    filePath === undefined || traceId === undefined
      ? undefined
      : openCommandTrace({ traceId, callerId: caller?.parentId, filePath, config, context, podUid });
  const writeTime = openTrace(environment, writeStderr);
  const lines = callsTo(writeTime);
  writeTime?.('request parsed');
  return {
    formatLine,
    spans: trace?.spans,
    watch: (name, effect) => traced(name, traced(name, effect, lines), trace?.spans.beginCall),
    end(log, failure) {
      writeTime?.('command done');
      if (isJson && failure === undefined) {
        const text = `${context['command']} succeeded`;
        if (CHANGES.has(context['command'])) log.info(text, { code: 0 });
      }
      if (trace === undefined) return;
      try {
        trace.write(failure);
      } catch (error) {
        log.warning(`the spans of this command are lost: cannot write ${filePath}: ${messageOf(error)}`);
      }
    },
  };
}

function openCommandTrace({
  traceId,
  callerId,
  filePath,
  config,
  context,
  podUid,
}: Pick<TelemetryOptions, 'config' | 'context' | 'podUid'> & {
  readonly traceId: string;
  readonly callerId: string | undefined;
  readonly filePath: string;
}) {
  const clock = () => processUptimeSeconds() * 1000;
  const startedUnixNs = BigInt(Date.now()) * 1_000_000n - BigInt(Math.round(clock() * 1e6));
  const recorder = openSpanRecorder(clock, () => randomId(8));
  const [namespace, podName] = context['pod']?.split('/') ?? [];
  const root = recorder.begin({
    name: `podwire ${context['command']}`,
    kind: 'server',
    parentId: callerId,
    beginMs: 0,
    attributes: {
      'cni.command': context['command'],
      'cni.network': config.name,
      'cni.container_id': context['container'],
      'cni.interface': context['interface'],
      'k8s.namespace.name': namespace,
      'k8s.pod.name': podName,
      'k8s.pod.uid': podUid,
    },
  });
  recorder.begin({ name: 'request', parentId: root.id, beginMs: 0 }).end();
  return {
    spans: openCommandSpans(recorder, root.id, clock),
    write(failure: CommandFailure | undefined) {
      const attributes = { 'cni.code': failure?.code ?? 0, 'podwire.finding': failure?.finding };
      root.end({ attributes, error: failure?.message });
      const line = formatOtlp({
        traceId,
        callerId,
        resource: {
          'service.name': 'podwire',
          'service.version': PODWIRE_VERSION,
          'host.name': loadBuiltin('node:os').hostname(),
        },
        version: PODWIRE_VERSION,
        startedUnixNs,
        spans: recorder.finish(),
      });
      appendTrace(filePath, line, new Date());
    },
  };
}

// Loaded only for spans: it takes longer than the rest of this file.
function randomId(bytes: number): string {
  return loadBuiltin('node:crypto').randomBytes(bytes).toString('hex');
}
