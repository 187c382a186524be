/** The unprivileged proxy of one node: `node dist/agent/proxy/main.js --node … --controller … --capture …`. */
import { readFileSync, writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { loadEngine } from '../../native/load-engine.js';
import { parseCaptureMessage } from '../handover/parse-capture-message.js';
import { NodeProxy } from './control/node-proxy.js';
import { systemTimers } from './control/timers.js';
import { parseProcessStatus, privilegeProblems, refusalText } from './start/check-privileges.js';
import { type Flags, parseFlags } from './start/parse-flags.js';
import { createProcessLog, describeError, type ProcessLog } from './start/process-log.js';

export const version = '0.1.0';

const standardOutput = 1;
const standardError = 2;
/** The pages wait so long for traffic to be served. */
const pagesDelayMs = 500;
/** Running exchanges may go on for so long after SIGTERM where no other proxy has taken over. */
const endMs = 10_000;

function start(): void {
  const log = createProcessLog((line) => void writeSync(standardError, line), Date.now);
  const flags = readFlags(log);
  const fatal = (message: string, error?: unknown): never => {
    log('error', message, error === undefined ? {} : { error: describeError(error) });
    process.exit(1);
  };
  process.on('uncaughtException', (error) => fatal('a defect: the proxy ends and is started anew', error));
  const proxy = new NodeProxy({
    flags,
    version,
    connectChannel: loadEngine().connectChannel,
    parseCaptureMessage,
    timers: systemTimers,
    random: Math.random,
    log,
    onFatal: fatal,
  });
  proxy.start();
  const draining = endOnSignal(proxy, flags, log);
  announce(proxy, flags, draining, log).catch((error: unknown) =>
    fatal('the proxy cannot serve its pages', error),
  );
}

function readFlags(log: ProcessLog): Flags {
  let flags: Flags;
  try {
    flags = parseFlags(process.argv.slice(2));
  } catch (error) {
    writeSync(standardError, `${(error as Error).message}\n`);
    process.exit(2);
  }
  const problems = privilegeProblems(parseProcessStatus(readFileSync('/proc/self/status', 'utf8')));
  if (problems.length > 0) {
    log(flags.allowPrivileges ? 'warn' : 'error', refusalText(problems));
    if (!flags.allowPrivileges) process.exit(3);
  }
  return flags;
}

/** Traffic first: the pages are loaded once it is served, or a little later where nothing can be served yet. */
async function announce(
  proxy: NodeProxy,
  flags: Flags,
  draining: Promise<void>,
  log: ProcessLog,
): Promise<void> {
  await Promise.race([proxy.serving, delay(pagesDelayMs)]);
  const [{ adminPages, metricsPages }, { serveTcp, serveUnix }] = await Promise.all([
    import('./admin/pages.js'),
    import('./admin/serve-http.js'),
  ]);
  const parts = { proxy, node: flags.node, version };
  const place = { ...flags.metrics, shared: flags.sharedMetrics };
  const metrics = await serveTcp(place, metricsPages(parts), log);
  // The successor's answers are the ones that count from then on.
  if (flags.sharedMetrics) void draining.then(() => metrics.server.close());
  if (flags.admin !== undefined) await serveUnix(flags.admin, adminPages(parts), log);
  if (flags.adminPort !== undefined) {
    const loopback = { host: '127.0.0.1', port: flags.adminPort, shared: false };
    await serveTcp(loopback, adminPages(parts), log);
  }
  await proxy.serving;
  log('info', 'ready', { startMs: Math.round(process.uptime() * 1000), metricsPort: metrics.port });
  writeSync(standardOutput, `${JSON.stringify({ ready: true, metricsPort: metrics.port })}\n`);
}

/** The first signal drains, and the promise resolves; a second one ends at once. */
function endOnSignal(proxy: NodeProxy, flags: Flags, log: ProcessLog): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let draining = false;
  const end = (signal: string): void => {
    if (draining) process.exit(1);
    draining = true;
    resolve();
    const deadlineMs = proxy.superseded ? flags.drainMs : Math.min(endMs, flags.drainMs);
    log('info', `${signal}: draining`, { deadlineMs, handedOn: proxy.superseded });
    proxy.drain(deadlineMs).then(
      () => process.exit(0),
      (error: unknown) => {
        log('error', 'draining failed', { error: describeError(error) });
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', () => end('SIGTERM'));
  process.on('SIGINT', () => end('SIGINT'));
  return promise;
}

start();
