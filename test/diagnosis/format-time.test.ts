import { describe, expect, it } from 'vitest';
import { formatDuration, formatMoment, formatTime } from '../../src/diagnosis/format-time.ts';

const NOW = Date.UTC(2026, 10, 28, 12);

describe('formatDuration', () => {
  it.each([
    [0, '0 s'],
    [59_400, '59 s'],
    [41 * 60_000, '41 min'],
    [-41 * 60_000, '41 min'],
    [3_600_000, '1 h'],
    [9 * 3_600_000 + 12 * 60_000, '9 h 12 min'],
    [76 * 3_600_000, '3 d 4 h'],
  ])('%i ms is %s', (durationMs, expected) => expect(formatDuration(durationMs)).toBe(expected));
});

it('a time on the current day has no date', () => expect(formatTime(NOW - 1000, NOW)).toBe('11:59:59 UTC'));
it('a time of another day has one', () => expect(formatTime(NOW - 86_400_000, NOW)).toBe('2026-11-27 12:00:00 UTC'));
it('a moment is past or ahead', () =>
  expect([formatMoment(NOW - 60_000, NOW), formatMoment(NOW + 60_000, NOW)]).toEqual([
    '11:59:00 UTC, 1 min ago',
    '12:01:00 UTC, in 1 min',
  ]));
