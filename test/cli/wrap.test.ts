import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { breakCommand, wrapCommand, wrapText } from '../../src/cli/wrap.ts';

describe('wrapText', () => {
  it('breaks at spaces', () => expect(wrapText('one two three', 8)).toEqual(['one two', 'three']));
  it('cuts a word that is longer than a line', () =>
    expect(wrapText('a 123456789', 5)).toEqual(['a', '12345', '6789']));
  it('of nothing is one empty line', () => expect(wrapText('', 5)).toEqual(['']));
});

const argumentsOf = (command: string): unknown =>
  JSON.parse(
    execFileSync('sh', [
      '-c',
      command.replace('PROGRAM', `${process.execPath} -e 'console.log(JSON.stringify(process.argv.slice(1)))' --`),
    ]).toString(),
  );

describe('breakCommand', () => {
  const isSame = (what: string, command: string) =>
    it(`a shell reads the same arguments: ${what}`, () => {
      for (const width of [20, 33, 40, 41, 42, 80]) {
        const lines = breakCommand(command, width);
        expect(lines.filter((line) => line.length > width)).toEqual([]);
        const [was, is] = [argumentsOf(command), argumentsOf(lines.join('\n'))];
        expect(JSON.stringify(is).replaceAll('\\n', '')).toEqual(JSON.stringify(was));
      }
    });

  isSame('a long path', `PROGRAM mv /${'a'.repeat(100)} /${'b'.repeat(100)}.disabled`);
  isSame(
    'JSON with a long text',
    `PROGRAM patch -p '[{"op":"add","expression":"${'x, y '.repeat(40)} != \\"z\\""}]' -n a`,
  );
  isSame('two quoted words', `PROGRAM '${'a'.repeat(50)}' '${'b '.repeat(50)}'`);
});

describe('wrapCommand', () => {
  const isSame = (what: string, command: string) =>
    it(`a shell reads the same command: ${what}`, () => {
      const lines = wrapCommand(command, 40, '  ');
      expect(lines.length).toBeGreaterThan(1);
      expect(lines.filter((line) => line.length > 60)).toEqual([]);
      const [was, is] = [argumentsOf(command), argumentsOf(lines.join('\n'))];
      expect(JSON.stringify(is).replaceAll(/\\n {2}/g, '')).toEqual(JSON.stringify(was));
    });

  isSame(
    'words',
    'PROGRAM -n kube-system delete pod -l app.kubernetes.io/name=podwire --field-selector spec.nodeName=node-1',
  );
  isSame(
    'JSON in quotation marks',
    `PROGRAM patch node node-1 -p '{"spec":{"podCIDR":"10.73.1.0/24","podCIDRs":["10.73.1.0/24"]}}'`,
  );
  isSame(
    'text with commas within JSON',
    `PROGRAM patch --type=json -p '[{"op":"add","value":[{"name":"a","expression":"x, \\"y, z\\""}]}]'`,
  );
  it('JSON that is broken is the same value', () => {
    const value = { spec: { podCIDR: '10.73.1.0/24', podCIDRs: ['10.73.1.0/24'], text: 'a, b' } };
    const lines = wrapCommand(`PROGRAM '${JSON.stringify(value)}'`, 40, '  ');
    const read: unknown = argumentsOf(lines.join('\n'));
    expect(JSON.parse(Array.isArray(read) ? String(read[0]) : '')).toEqual(value);
  });
  it('a short command is one line', () =>
    expect(wrapCommand('podwire gc --yes', 60, '  ')).toEqual(['podwire gc --yes']));
});
