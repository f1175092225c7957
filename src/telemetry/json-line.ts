import { escapeControls, maskTokens, MAX_CHARACTERS, type FormatLine } from '../log/log-line.ts';
import { says, saysCause } from '../system/error-text.ts';

/** What every line of a command has, beside what the log itself knows. */
export interface JsonLineFields {
  readonly network: string;
  readonly traceId: string | undefined;
  /** Seconds since the process started. */
  readonly durationSeconds: () => number;
}

/**
 * Makes the format of a log with one JSON object in each line. A field without a value is left out, and none ever changes
 * its name or its type. docs/observability.md lists them.
 */
export function jsonLines({ network, traceId, durationSeconds }: JsonLineFields): FormatLine {
  return (time, level, message, { command, container, pod, interface: interfaceName }, outcome) => {
    const { code, details = '', finding, cause = '' } = outcome ?? {};
    const line = {
      time: time.toISOString(),
      level,
      command,
      container,
      pod,
      interface: interfaceName,
      network,
      duration: Math.round(durationSeconds() * 1e6) / 1e6,
      code,
      finding,
      message: clean(message),
      details: says(message, details) ? undefined : clean(details),
      cause: saysCause(`${message} ${details}`, cause) ? undefined : clean(cause),
      trace_id: traceId,
    };
    // What JSON does not escape, and a terminal interprets: the escapes of formatLine are those of JSON.
    return `${escapeControls(JSON.stringify(line))}\n`;
  };
}

function clean(text: string): string {
  return maskTokens(text.length > MAX_CHARACTERS ? `${text.slice(0, MAX_CHARACTERS)}… (cut)` : text);
}
