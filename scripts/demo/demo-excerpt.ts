/** Steps that prepare the demo, which are not shown in its picture. */
const PREPARATION = /==> (build|find|enter|start) /;

/**
 * Leaves out what makes the output of the demo long: how it is prepared, the results in JSON, and container ids.
 *
 * @param output with the escape sequences of a terminal
 */
export function demoExcerpt(output: string): string {
  const steps = output.replaceAll('\r', '').split(/^(?=(?:\u001B\[[\d;]*m)*==> )/m);
  return steps
    .filter((step) => !PREPARATION.test(step))
    .join('')
    .replaceAll(/^ {4}\{\n(?:.*\n)*? {4}\}\n/gm, '')
    .replaceAll(/^.*containerID.*\n/gm, '')
    .replace(/^done in .*/m, 'nothing is left');
}
