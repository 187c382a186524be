/** The controller process. */
import { chmodSync, rmSync } from 'node:fs';
import { Controller, type ControllerOptions } from './controller.js';
import { type ControllerFlags, parseFlags, UsageError, usage } from './options.js';
import { openSource } from './source/open-source.js';
import { serveAdmin } from './status/admin-server.js';
import { createLog, describeError } from './status/log.js';
import { createMetrics } from './status/metrics.js';
import { reportStatus } from './status/status-report.js';

const log = createLog(
  (line) => process.stderr.write(line),
  () => new Date(),
);

async function run(flags: ControllerFlags): Promise<void> {
  const metrics = createMetrics();
  const { source, cluster } = await openSource(flags.source, log);
  const controller = new Controller({
    source,
    build: { trustDomain: flags.trustDomain, node: flags.node, ...(cluster === null ? {} : { cluster }) },
    log,
    createAuthority: await authorityOf(flags),
    now: () => Date.now(),
    onChange: () => metrics.update(report()),
  });
  const report = () => reportStatus(controller.publisher, controller.problems);
  const socket = flags.listen.startsWith('unix:') ? flags.listen.slice('unix:'.length) : null;
  if (socket !== null) rmSync(socket, { force: true });
  await controller.start(flags.listen);
  // Its group may connect too: weft run makes that the proxy's, where the two have users of their own.
  if (socket !== null) chmodSync(socket, 0o660);
  if (flags.admin !== null) {
    const ready = () => ({ ready: controller.publisher.snapshot !== null });
    await serveAdmin({ path: flags.admin }, { '/status': report, '/ready': ready });
  }
  if (flags.metrics !== null)
    await serveAdmin(flags.metrics, { '/metrics': () => metrics.text(controller.authority) });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      log.info('stopping', { signal });
      controller.stop();
      process.exit(0);
    });
  }
  process.stdout.write('{"ready":true}\n');
}

async function authorityOf({ identities }: ControllerFlags): Promise<ControllerOptions['createAuthority']> {
  if (identities === null) return undefined;
  const { createAuthority, createIssuer } = await import('./authority/create-authority.js');
  const issuer = createIssuer(identities);
  return (surroundings) => createAuthority(issuer, identities.lifetimeMs, surroundings);
}

try {
  const flags = parseFlags(process.argv.slice(2));
  if (flags === null) process.stdout.write(usage);
  else await run(flags);
} catch (error) {
  if (error instanceof UsageError) {
    process.stderr.write(`${error.message}\n\n${usage}`);
    process.exit(2);
  }
  log.error(`cannot start: ${describeError(error)}`);
  process.exit(1);
}
