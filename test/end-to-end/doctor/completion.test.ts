import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runExecutable } from '../../lab/run-executable.ts';

// In the shells themselves, which complete as they do for a person. Those of bash are in test/cli/completion.test.ts.

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp('/run/podwire-completion-');
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { stdout } = await runExecutable({ args: ['completion', shell] });
    await writeFile(join(folder, shell), stdout);
  }
});
afterAll(() => rm(folder, { recursive: true }));

const CASES: readonly (readonly [line: string, completed: string])[] = [
  ['podwire doc', 'podwire doctor'],
  ['podwire doctor --kub', 'podwire doctor --kubeconfig'],
  ['podwire doctor -o j', 'podwire doctor -o json'],
  ['podwire doctor --output y', 'podwire doctor --output yaml'],
  ['podwire get work', 'podwire get workloadendpoints'],
  ['podwire completion z', 'podwire completion zsh'],
  ['podwire gc --dr', 'podwire gc --dry-run'],
];

// The line editor of an interactive zsh on a pseudo terminal: TAB completes; then the line is printed instead of run.
const ZSH = String.raw`
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "PS1=; unset zle_bracketed_paste; autoload -Uz compinit; compinit -u -D; source $1; print REA''DY"
zpty -r shell out '*READY*'
zpty -w -n shell "$2"$'\t\C-a'"print -r -- 'LI''NE:' "$'\n'
zpty -r shell out $'*LINE: *\n'
print -r -- "$out"
`;

const environment = { PATH: process.env['PATH'], TERM: 'dumb', HOME: '/nonexistent', LANG: 'C.UTF-8' };

describe.each(CASES)('%s', (line, completed) => {
  it('in zsh', async () => {
    const args = ['-f', '-c', ZSH, 'zsh', join(folder, 'zsh'), line];
    const { stdout } = await runExecutable({ executable: 'zsh', args, environment });
    expect(/LINE: ([^\r\n]*)/.exec(stdout)?.[1]?.trim()).toBe(completed);
  });

  it('in fish', async () => {
    const args = ['--no-config', '-c', 'source $argv[1]; complete -C $argv[2]', join(folder, 'fish'), line];
    const { stdout } = await runExecutable({ executable: 'fish', args, environment: { ...environment, HOME: folder } });
    expect(stdout.split('\n').map((text) => text.split('\t')[0])).toContain(completed.split(' ').at(-1));
  });
});

it.each(['bash', 'zsh', 'fish'])('%s accepts its script without a message', async (shell) =>
  expect(await runExecutable({ executable: shell, args: ['-n', join(folder, shell)], environment })).toMatchObject({
    exitCode: 0,
    stderr: '',
  }),
);
