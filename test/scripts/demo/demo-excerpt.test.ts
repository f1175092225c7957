import { describe, expect, it } from 'vitest';
import { demoExcerpt } from '../../../scripts/demo/demo-excerpt.ts';

const OUTPUT = `==> build the executable
    ok 31 s
\u001B[1m==> ADD a/b\u001B[0m\r
    {\r
      "ips": []\r
    }\r
    ok 0.1 s
==> show
    a/b  cni.projectcalico.org/containerID  00
    a/b  cni.projectcalico.org/podIP        10.0.0.1/32
done in 3.2 s; nothing is left but dist/
`;

describe('the excerpt of the demo', () => {
  it('has its steps, without preparation, JSON and container ids', () =>
    expect(demoExcerpt(OUTPUT)).toBe(
      '\u001B[1m==> ADD a/b\u001B[0m\n    ok 0.1 s\n==> show\n    a/b  cni.projectcalico.org/podIP        10.0.0.1/32\nnothing is left\n',
    ));
});
