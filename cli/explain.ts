/** `weft explain`: the registry of reasons, for whoever meets one in a log, a header, a metric or a condition. */
import { type ReasonEntry, reasons } from '../reasons/reasons.js';
import { type ProgramName, type Shown, shown, wantsJson } from './open-scope.js';
import { parseOptions } from './parse-options.js';
import { formatTable } from './show/format-table.js';
import { CommandError } from './usage-error.js';

export const explainUsage = (program: ProgramName) => `usage: ${program} explain [REASON] [-o text|json]

What a reason means, who refuses by it, what the client sees, and what to do. Without REASON: all of them.
`;

export async function showExplain(args: readonly string[], program: ProgramName): Promise<Shown> {
  const options = { output: { type: 'string', short: 'o', default: 'text' } } as const;
  const { values, positionals } = parseOptions(args, options, [0, 1]);
  const json = wantsJson(values);
  const [name] = positionals;
  if (name === undefined) return shown(json, reasons, () => formatReasons(reasons));
  const found = reasons.find((one) => one.name === name);
  if (found === undefined) throw new CommandError(describeUnknown(name, program));
  return shown(json, found, () => formatReason(found));
}

export function formatReason({ name, layer, summary, hint, status, grpc }: ReasonEntry): string {
  const seen =
    status === 0 ? 'no answer, its connection ends' : `HTTP ${status}${grpc === '' ? '' : `, gRPC ${grpc}`}`;
  return [
    `reason   ${name}`,
    `means    ${summary}`,
    `refuses  ${refusers[layer]}`,
    `client   ${seen}`,
    `do       ${hint}`,
    '',
  ].join('\n');
}

const refusers = {
  kernel: 'the kernel, before a proxy sees it (weft_refusals_total{layer="kernel"})',
  engine: 'the proxy’s engine, while bytes move (weft_refusals_total{layer="engine"})',
  pipeline: 'the proxy’s decision: routes, policies, limits (weft_refusals_total{layer="pipeline"})',
  control: 'controller or agent, about configuration and certificates; no request is refused by it',
} as const satisfies Readonly<Record<ReasonEntry['layer'], string>>;

function formatReasons(entries: readonly ReasonEntry[]): string {
  const columns = ['reason', 'layer', 'means'].map((title) => ({ title }));
  const rows = entries.map(({ name, layer, summary }) => [name, layer, summary]);
  return formatTable(columns, rows, 'no reasons');
}

function describeUnknown(name: string, program: ProgramName): string {
  const words = name.toLowerCase().split(/[^a-z0-9]+/);
  const alike = reasons.filter((one) => words.some((word) => word.length > 3 && one.name.includes(word)));
  const few = alike.slice(0, 5).map((one) => one.name);
  const hint = few.length === 0 ? '' : `; is ${few.join(', ')} meant?`;
  return `no reason is called ${name}${hint} ${program} explain lists them`;
}
