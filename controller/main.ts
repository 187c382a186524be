/** The controller process. */
import { JoinTokens } from './authority/join-tokens.js';
import type { NodeAuthenticator } from './authority/node-authenticator.js';
import { Controller, type ControllerOptions } from './controller.js';
import { type ControllerFlags, parseFlags, UsageError, usage } from './options.js';
import { openSource } from './source/open-source.js';
import { serveAdmin } from './status/admin-server.js';
import { createLog, describeError } from './status/log.js';
import { createMetrics } from './status/metrics.js';
import { publishedRoutes, reportStatus } from './status/status-report.js';
import { tokenPages } from './status/token-pages.js';

const log = createLog(
  (line) => process.stderr.write(line),
  () => new Date(),
);

async function run(flags: ControllerFlags): Promise<void> {
  const metrics = createMetrics();
  const { source, cluster, statuses, lease, counts } = await openSource(flags.source, log);
  const tokens =
    flags.tokens === null ? undefined : new JoinTokens({ file: flags.tokens, now: () => Date.now() });
  const controller = new Controller({
    source,
    build: { trustDomain: flags.trustDomain, node: flags.node, ...(cluster === null ? {} : { cluster }) },
    log,
    createAuthority: await authorityOf(flags),
    joining: (await reviewOf(flags)) ?? tokens,
    socketNode: flags.node,
    now: () => Date.now(),
    onChange: () => statuses?.changed(),
    onLead: (leads) => statuses?.lead(leads),
    lease: lease ?? undefined,
    advertise: flags.advertise ?? undefined,
  });
  const report = () => reportStatus(controller.publisher, controller.nodes(), controller.problems);
  const scrape = () => {
    metrics.update(report());
    return metrics.text(controller, counts?.() ?? null);
  };
  // First, so that a probe is answered while the source is still being read.
  if (flags.metrics !== null) {
    const ready = () => {
      if (!controller.ready) throw new Error('not everything has been read, or nobody decides yet');
      return { ready: true };
    };
    await serveAdmin(flags.metrics, { '/metrics': scrape, '/ready': ready });
  }
  statuses?.reportFrom(() => ({
    version: controller.publisher.snapshot?.version ?? 0,
    problems: controller.problems,
    nodes: controller.nodes(),
  }));
  const nodesPort = await controller.start(flags.listen);
  const ready = () => ({ ready: controller.ready });
  const pages = {
    '/status': report,
    '/ready': ready,
    '/routes': () => publishedRoutes(controller.publisher),
    '/metrics': scrape,
  };
  if (flags.adminPort !== null) await serveAdmin({ host: '127.0.0.1', port: flags.adminPort }, pages);
  if (flags.admin !== null) {
    await serveAdmin(
      { path: flags.admin },
      tokens === undefined ? pages : { ...pages, ...tokenPages(tokens) },
    );
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      log.info('stopping', { signal });
      void controller.close().finally(() => process.exit(0));
    });
  }
  process.stdout.write(`${JSON.stringify({ ready: true, ...(nodesPort === 0 ? {} : { nodesPort }) })}\n`);
}

async function reviewOf({ source, reviewTokens }: ControllerFlags): Promise<NodeAuthenticator | undefined> {
  if (source.kind !== 'kubernetes' || reviewTokens === null) return undefined;
  const { openTokenReview } = await import('./kubernetes/open-cluster.js');
  return openTokenReview(source, reviewTokens);
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
