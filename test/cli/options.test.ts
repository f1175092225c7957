import { Command } from 'commander';
import { expect, it } from 'vitest';
import { checkRenewalOption, outputOption, rootOption, timeoutOption } from '../../src/cli/options.ts';

const parse = (...args: readonly string[]) =>
  new Command()
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
    .addOption(outputOption())
    .addOption(timeoutOption())
    .addOption(rootOption('the root'))
    .addOption(checkRenewalOption())
    .parse([...args], { from: 'user' })
    .opts();

it('the defaults', () => expect(parse()).toEqual({ output: 'table', timeout: 10 }));
it('the values', () =>
  expect(parse('-o', 'yaml', '--timeout', '3', '--root', '/host')).toEqual({
    output: 'yaml',
    timeout: 3,
    root: '/host',
  }));
it.each([
  [['-o', 'xml']],
  [['--timeout', '0']],
  [['--timeout', '1.5']],
  [['--root', 'host']],
  [['--check-renewal', '0']],
])('%o is refused', (args) => expect(() => parse(...args)).toThrow(/is invalid/));

it('--check-renewal is for a probe alone', () => {
  expect(parse('--check-renewal', '420')).toMatchObject({ checkRenewal: 420 });
  expect(() => parse('--check-renewal', '420', '--root', '/host')).toThrow(/cannot be used with/);
});
