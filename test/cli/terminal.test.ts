import { describe, expect, it } from 'vitest';
import { openTerminal } from '../../src/cli/terminal.ts';

const red = (environment: Record<string, string>, isTerminal: boolean) =>
  openTerminal(environment, isTerminal, undefined).paint('red', 'x');

describe('colors', () => {
  it('are used on a terminal', () => expect(red({}, true)).toBe('\u001B[31mx\u001B[39m'));
  it('are not used on a pipe', () => expect(red({}, false)).toBe('x'));
  it('are not used with NO_COLOR', () => expect(red({ NO_COLOR: '1' }, true)).toBe('x'));
  it('an empty NO_COLOR has no effect', () => expect(red({ NO_COLOR: '' }, true)).not.toBe('x'));
  it('are not used on a dumb terminal', () => expect(red({ TERM: 'dumb' }, true)).toBe('x'));
});

describe('symbols', () => {
  const drawn = (environment: Record<string, string>) => openTerminal(environment, true, 80).symbols.canDraw;

  it('are ASCII in the locale C', () => expect(drawn({ LANG: 'C' })).toBe(false));
  it('LC_ALL takes precedence', () => expect(drawn({ LANG: 'C', LC_ALL: 'en_US.UTF-8' })).toBe(true));
  it('are Unicode if nothing is set, as in a container', () => expect(drawn({})).toBe(true));
});

it('no line is longer than 80 columns, and a narrower terminal is respected', () =>
  expect([200, 60, undefined].map((columns) => openTerminal({}, true, columns).columns)).toEqual([80, 60, 80]));
