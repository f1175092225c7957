import { expect, it } from 'vitest';
import { logLineAsText } from '../../../src/cli/observe/log-text.ts';
import { formatLine } from '../../../src/log/log-line.ts';
import { jsonLines } from '../../../src/telemetry/json-line.ts';

const TIME = new Date(0);
const CONTEXT = { command: 'ADD', container: 'c1', interface: 'eth0', pod: 'default/web' };
const asJson = jsonLines({ network: 'pods', traceId: 'a', durationSeconds: () => 1 });

it.each([undefined, { code: 11, details: 'more', finding: 'PW201', cause: 'why' }])(
  'a line of JSON is what the log would have written as text: %o',
  (outcome) =>
    expect(logLineAsText(asJson(TIME, 'error', 'it failed', CONTEXT, outcome))).toBe(
      formatLine(TIME, 'error', 'it failed', CONTEXT, outcome).trimEnd(),
    ),
);

it.each(['', '{', '{}', '[1]', '1970-01-01T00:00:00.000Z INFO x command=ADD'])('any other line stays: %s', (line) =>
  expect(logLineAsText(line)).toBe(line),
);
