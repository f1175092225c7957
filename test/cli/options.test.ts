import { Command } from 'commander';
import { expect, it } from 'vitest';
import { outputOption, rootOption, timeoutOption } from '../../src/cli/options.ts';

const parse = (...args: readonly string[]) =>
  new Command()
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
    .addOption(outputOption())
    .addOption(timeoutOption())
    .addOption(rootOption('the root'))
    .parse([...args], { from: 'user' })
    .opts();

it('the defaults', () => expect(parse()).toEqual({ output: 'table', timeout: 10 }));
it('the values', () =>
  expect(parse('-o', 'yaml', '--timeout', '3', '--root', '/host')).toEqual({
    output: 'yaml',
    timeout: 3,
    root: '/host',
  }));
it.each([[['-o', 'xml']], [['--timeout', '0']], [['--timeout', '1.5']], [['--root', 'host']]])(
  '%o is refused',
  (args) => expect(() => parse(...args)).toThrow(/is invalid/),
);
