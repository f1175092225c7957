import { FINDINGS, isKnownFinding } from './finding-table.ts';
import type { Diagnosis } from './diagnose.ts';
import type { Finding } from './finding.ts';

/** What `podwire doctor -o json` prints. The schema is docs/doctor.schema.json; new members may be added to version 1. */
export interface DoctorReport {
  readonly schema: 1;
  readonly node: string | null;
  readonly version: string;
  readonly time: string;
  readonly verdict: 'ok' | 'warning' | 'fail';
  readonly findings: readonly ReportedFinding[];
  readonly passed: readonly ReportedCheck[];
  readonly skipped: readonly ReportedCheck[];
  readonly needRoot: number;
}

interface ReportedCheck {
  readonly id: string;
  readonly summary: string;
}

interface ReportedFinding extends ReportedCheck {
  readonly severity: 'warning' | 'fail';
  readonly title: string;
  readonly effect: string;
  readonly evidence: readonly { readonly label: string; readonly text: string }[];
  readonly fix: readonly string[];
  readonly doc: string;
  readonly consequences: readonly ReportedFinding[];
}

/** Makes the value from a diagnosis. */
export function reportValue(
  { causes, passed, skipped, needRoot }: Diagnosis,
  {
    nodeName,
    version,
    nowMs,
  }: { readonly nodeName: string | undefined; readonly version: string; readonly nowMs: number },
): DoctorReport {
  const findings = causes.map(({ finding, consequences }) => ({
    ...reported(finding),
    consequences: consequences.map((consequence) => ({ ...reported(consequence), consequences: [] })),
  }));
  const hasFailed = findings.some(({ severity }) => severity === 'fail');
  return {
    schema: 1,
    node: nodeName ?? null,
    version,
    time: new Date(nowMs).toISOString(),
    verdict: hasFailed ? 'fail' : findings.length > 0 ? 'warning' : 'ok',
    findings,
    passed: passed.map(check),
    skipped: skipped.map(check),
    needRoot,
  };
}

function reported(finding: Finding): Omit<ReportedFinding, 'consequences'> {
  const { number, outcome, evidence, fix } = finding;
  const description = isKnownFinding(number) ? FINDINGS[number] : undefined;
  return {
    ...check(finding),
    severity: outcome === 'failed' ? 'fail' : 'warning',
    title: description?.title ?? number,
    effect: description?.effect ?? 'untidy',
    evidence: evidence.map(([label, text]) => ({ label, text })),
    fix,
    doc: `docs/troubleshooting.md#${number.toLowerCase()}`,
  };
}

function check({ number, summary }: Finding): ReportedCheck {
  return { id: number, summary };
}
