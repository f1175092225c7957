import { expect, it } from 'vitest';
import { CommandError, EXIT, UsageError } from '../../src/cli/cli-io.ts';

it('the exit statuses are those that docs/commands.md names', () =>
  expect(EXIT).toEqual({ fine: 0, failure: 1, usage: 2 }));
it('a command that fails is an error with its own name', () =>
  expect(new CommandError('x')).toMatchObject({ name: 'CommandError', message: 'x' }));
it('a wrong command line is an error with its own name', () =>
  expect(new UsageError('x')).toMatchObject({ name: 'UsageError', message: 'x' }));
