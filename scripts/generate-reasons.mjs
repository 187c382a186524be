// Writes every language's view of reasons/registry.json: bpf/reasons.h, native/engine/reasons.hpp, reasons/reasons.ts.
// With --check it writes nothing and exits 1 if a generated file is out of date.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const root = join(import.meta.dirname, '..');
const { reasons } = JSON.parse(readFileSync(join(root, 'reasons/registry.json'), 'utf8'));

const layers = { kernel: [1, 63], engine: [64, 191], pipeline: [192, 319], control: [320, 383] };
const seen = new Set();
for (const reason of reasons) {
  const [low, high] = layers[reason.layer] ?? [];
  if (!/^[a-z][a-z0-9_]*$/.test(reason.name))
    throw new Error(`reason name '${reason.name}' is not snake_case`);
  if (!(reason.code >= low && reason.code <= high)) {
    throw new Error(`reason ${reason.name}: code ${reason.code} is outside its layer ${reason.layer}`);
  }
  for (const key of [reason.code, reason.name]) {
    if (seen.has(key)) throw new Error(`reason ${reason.name}: ${key} is used twice`);
    seen.add(key);
  }
}

/** https://grpc.github.io/grpc/core/md_doc_statuscodes.html; the numbers are the wire's. */
const grpcCodes = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
};
for (const { name, grpc } of reasons) {
  if (grpc !== undefined && grpcCodes[grpc] === undefined)
    throw new Error(`reason ${name}: ${grpc} is no gRPC status`);
}

const note = 'Generated from reasons/registry.json by scripts/generate-reasons.mjs; do not edit.';
const quote = (text) => `'${text.replaceAll("'", "\\'")}'`;
const kernel = reasons.filter((reason) => reason.layer === 'kernel');

const header = `/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* ${note} */
#ifndef WEFT_REASONS_H
#define WEFT_REASONS_H

/* Index into the counters map: one slot per refusal that the kernel programs can make. */
enum weft_reason {
${kernel.map((r) => `    /* ${r.summary} */\n    WEFT_${r.name.toUpperCase()} = ${r.code},`).join('\n')}
    WEFT_REASON_SLOTS = 64,
};

#endif
`;

const engine = `// SPDX-License-Identifier: Apache-2.0
// ${note}
#pragma once
#include <cstdint>

namespace weft {

/// Why something was refused or ended. Zero means that nothing went wrong.
enum class Reason : uint16_t {
    none = 0,
${reasons.map((r) => `    ${r.name} = ${r.code}, ///< ${r.summary}`).join('\n')}
};

/// The HTTP status a client sees for a reason, 0 where no answer can be sent.
constexpr uint16_t status_of(Reason reason) {
    switch (reason) {
${reasons
  .filter((r) => r.status)
  .map((r) => `    case Reason::${r.name}: return ${r.status};`)
  .join('\n')}
    default: return 0;
    }
}

/// The gRPC status a client sees for a reason in place of status_of(): UNKNOWN where the registry names none.
constexpr uint8_t grpc_status_of(Reason reason) {
    switch (reason) {
${reasons
  .filter((r) => r.grpc)
  .map((r) => `    case Reason::${r.name}: return ${grpcCodes[r.grpc]}; // ${r.grpc}`)
  .join('\n')}
    default: return ${grpcCodes.UNKNOWN};
    }
}

/// The registry's name of a reason, for local replies and logs.
constexpr const char *name_of(Reason reason) {
    switch (reason) {
    case Reason::none: return "none";
${reasons.map((r) => `    case Reason::${r.name}: return "${r.name}";`).join('\n')}
    }
    return "unknown";
}

} // namespace weft
`;

const typescript = `// ${note}

/** Who refuses. */
export type ReasonLayer = 'kernel' | 'engine' | 'pipeline' | 'control';

/** One refusal of the registry. */
export interface ReasonEntry {
  readonly code: number;
  readonly name: ReasonName;
  readonly layer: ReasonLayer;
  /** HTTP status a client sees, 0 where no answer can be sent. */
  readonly status: number;
  /** gRPC status name, empty where no answer can be sent. */
  readonly grpc: string;
  readonly summary: string;
  readonly hint: string;
}

/** Code by name: what batch rows, verdicts, metrics and logs carry. */
export const Reason = {
  none: 0,
${reasons.map((r) => `  /** ${r.summary} */\n  ${r.name}: ${r.code},`).join('\n')}
} as const;

export type ReasonName = keyof typeof Reason;
export type ReasonCode = (typeof Reason)[ReasonName];

/** Every refusal, in order of code. */
export const reasons: readonly ReasonEntry[] = [
${reasons
  .map(
    (r) => `  {
    code: ${r.code},
    name: '${r.name}',
    layer: '${r.layer}',
    status: ${r.status ?? 0},
    grpc: '${r.grpc ?? ''}',
    summary: ${quote(r.summary)},
    hint: ${quote(r.hint)},
  },`,
  )
  .join('\n')}
];

const byCode = new Map<number, ReasonEntry>(reasons.map((entry) => [entry.code, entry]));

/** The registry's entry for a code, undefined for 0 and for codes of a newer version. */
export function reasonOf(code: number): ReasonEntry | undefined {
  return byCode.get(code);
}

/** The registry's name for a code: 'none' for 0, 'unknown' for a code of a newer version. */
export function reasonName(code: number): ReasonName | 'unknown' {
  return code === 0 ? 'none' : (byCode.get(code)?.name ?? 'unknown');
}
`;

let stale = 0;
for (const [path, text] of [
  ['bpf/reasons.h', header],
  ['native/engine/reasons.hpp', engine],
  ['reasons/reasons.ts', typescript],
]) {
  const file = join(root, path);
  if (process.argv.includes('--check')) {
    let current = '';
    try {
      current = readFileSync(file, 'utf8');
    } catch {}
    if (current !== text) {
      console.error(`${path} is out of date: run scripts/generate-reasons.mjs`);
      stale = 1;
    }
  } else {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}
process.exit(stale);
