/** What `weft check` says of one thing that it looked at. */
import { formatTable } from '../show/format-table.js';

export type Severity = 'ok' | 'warning' | 'error';

/** One of the JSON output's list; ids are stable, sentences are for people. */
export interface Finding {
  readonly id: string;
  readonly severity: Severity;
  readonly sentence: string;
  /** What to do; empty where all is well. */
  readonly hint: string;
}

export const ok = (id: string, sentence: string): Finding => ({ id, severity: 'ok', sentence, hint: '' });

export const error = (id: string, sentence: string, hint: string): Finding => ({
  id,
  severity: 'error',
  sentence,
  hint,
});

export const warning = (id: string, sentence: string, hint: string): Finding => ({
  id,
  severity: 'warning',
  sentence,
  hint,
});

/** A few names, and how many more there are. */
export function nameFew(names: readonly string[], most = 3): string {
  const more = names.length - most;
  return `${names.slice(0, most).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** One line per finding, its hint below it. */
export function formatFindings(findings: readonly Finding[]): string {
  const columns = [{ title: 'severity' }, { title: 'check' }, { title: 'finding' }];
  const rows = findings.flatMap(({ id, severity, sentence, hint }) => [
    [severity, id, sentence],
    ...(hint === '' ? [] : [['', '', `hint: ${hint}`]]),
  ]);
  const count = (wanted: Severity) => findings.filter(({ severity }) => severity === wanted).length;
  const sums = `${count('ok')} ok, ${count('warning')} warnings, ${count('error')} errors`;
  return `${formatTable(columns, rows, 'nothing was checked')}\n${sums}\n`;
}
