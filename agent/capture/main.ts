/**
 * Capture: the privileged process of a node. It holds the kernel programs, the pods' namespaces and listeners, and
 * answers the proxy over one Unix socket; it reads no byte of traffic. Logs are JSON lines on standard error; when it
 * serves it prints `{"ready":true}` on standard output. What it put in force stays when it ends.
 */
import { closeSync, fstatSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Channel } from '../../native/channel.js';
import type { KernelPrograms } from '../../native/kernel.js';
import { type CaptureAddon, loadCapture } from '../../native/load-capture.js';
import { describeError, makeLog } from './capture-log.js';
import { CaptureServer } from './capture-server.js';
import { ChainKeeper } from './cni/keep-chained.js';
import { ResultCache } from './cni/result-cache.js';
import { CniServer } from './cni/serve-cni.js';
import { EnrolmentRegister } from './enrolment-register.js';
import { findCgroups, findKubeletCgroup } from './find-cgroups.js';
import { type CaptureFlags, type CniFlags, parseFlags, usage } from './parse-flags.js';
import { RuleStore } from './rule-store.js';
import { EnrolledNamespaces } from './runtime/enrolled-namespaces.js';
import { NriPlugin } from './runtime/nri-plugin.js';
import { PodBook } from './runtime/pod-book.js';
import { SecretFile } from './secret-file.js';
import { startKernel } from './start-kernel.js';
import { takeOver } from './take-over.js';
import { Vault } from './vault.js';
import { ProxyWatch, type Timer } from './watch-proxy.js';

const builtObject = fileURLToPath(new URL('../../../build/bpf/weft.bpf.o', import.meta.url));
const builtPlugin = fileURLToPath(new URL('../../../build/native/weft-cni', import.meta.url));
const namespacesFile = 'enrolled-namespaces.json';
/** A namespace that is gone is noticed within this time. */
const vanishedMs = 1_000;
/** The container runtime is waited for so long before the proxy is served. */
const runtimeMs = 5_000;

const log = makeLog(
  (line) => process.stderr.write(line),
  () => new Date(),
);

process.on('uncaughtException', (error) => {
  log('error', 'capture ends: a fault of its own', { error: describeError(error), stack: error.stack });
  process.exit(1);
});

async function run(flags: CaptureFlags): Promise<void> {
  const addon = loadCapture();
  if (!flags.takeOver) refuseSecond(addon, flags.socket);
  const kernel = startKernel(
    addon,
    {
      object: flags.object ?? builtObject,
      pinFolder: flags.pinFolder,
      cgroups: flags.cgroups.length > 0 ? flags.cgroups : findCgroups(flags.cgroupFolder),
      kubeletCgroup: findKubelet(flags),
    },
    log,
  );
  const register = new EnrolmentRegister({
    functions: addon,
    kernel,
    netnsFolders: flags.netnsFolders,
    closeDescriptor: closeSync,
    isSameNamespace: (name, netns) => isSameNamespace(flags.netnsFolders, name, netns),
  });
  const vault = new Vault(
    flags.nodeKeyFile === undefined ? undefined : new SecretFile(flags.nodeKeyFile, log),
  );
  const namespaces = new EnrolledNamespaces(flags.state && join(flags.state, namespacesFile), log);
  const results = flags.cni?.resultFolder === undefined ? undefined : new ResultCache(flags.cni.resultFolder);
  let server: CaptureServer | undefined;
  const pods = new PodBook({
    register,
    namespaces,
    findSandbox: (uid) => results?.find(uid),
    onHeld: (workload) => server?.tellHeld(workload),
    onStopped: (workload) => vault.drop(workload),
    log,
  });
  const forgotten = register.readLeftOver();
  if (flags.takeOver) {
    const { pods: handed, held, secrets } = await takeOver(addon, flags.socket);
    for (const pod of handed) register.adopt(pod);
    for (const workload of held) pods.adoptHeld(workload);
    for (const { workload, secret } of secrets) vault.put(workload, secret);
    log('info', 'took over from the capture before', { pods: handed.length, secrets: secrets.length });
  }
  log('info', 'read what was in force', { enrolled: register.enrolled.length, forgotten });
  const rules = new RuleStore(kernel);
  if (flags.nriSocket !== undefined || flags.cni !== undefined) rules.steerAllWhileEmpty();
  if (flags.nriSocket !== undefined) await followRuntime(flags.nriSocket, pods, results === undefined);
  pods.restore();
  const plugin =
    flags.cni === undefined ? undefined : servePlugin(addon, flags.cni, flags, { pods, namespaces });
  server = serve(addon, flags, { register, pods, namespaces, rules, vault, kernel }, () => plugin?.close());
}

/** Serves weft-cni and keeps it installed. */
function servePlugin(
  addon: CaptureAddon,
  cni: CniFlags,
  { state = '' }: CaptureFlags,
  { pods, namespaces }: Pick<Holdings, 'pods' | 'namespaces'>,
): { close(): void } {
  const ownUid = process.geteuid?.() ?? 0;
  const { socket, configFolder, programFolder, exemptNamespaces, waitMs } = cni;
  const server = new CniServer({
    functions: addon,
    socket,
    ownUid,
    pods,
    closeDescriptor: closeSync,
    after,
    log,
  });
  const keeper = new ChainKeeper({
    entry: { socket, namespacesFile: join(state, namespacesFile), exemptNamespaces, waitMs },
    program: builtPlugin,
    configFolder,
    programFolder,
    mayChain: () => namespaces.known,
    after,
    log,
  });
  server.start();
  keeper.start();
  return {
    close: () => {
      server.close();
      keeper.close();
    },
  };
}

function findKubelet({ kubeletCgroup, cgroupFolder }: CaptureFlags): string | undefined {
  if (kubeletCgroup === undefined) return undefined;
  const found = findKubeletCgroup(kubeletCgroup, cgroupFolder);
  if (found === undefined) {
    const fix = 'name it by --kubelet-cgroup';
    log('warn', 'kubelet is in none of the usual cgroups: its probes go to the proxy', { fix });
  }
  return found;
}

/** What is in force, and who may change it. */
interface Holdings {
  readonly register: EnrolmentRegister;
  readonly pods: PodBook;
  readonly namespaces: EnrolledNamespaces;
  readonly rules: RuleStore;
  readonly vault: Vault;
  readonly kernel: KernelPrograms;
}

/**
 * Follows the container runtime's pods; waits for the first list of them, so that a proxy that connects learns at once
 * who is held. A runtime that does not answer is tried further.
 */
async function followRuntime(socket: string, pods: PodBook, isPatient: boolean): Promise<void> {
  const listed = Promise.withResolvers<void>();
  const nri = new NriPlugin(
    { socket, after, log },
    {
      ...pods.events,
      onSynchronized: (sandboxes) => {
        pods.events.onSynchronized(sandboxes);
        listed.resolve();
      },
      ...(isPatient ? {} : { onAway: listed.resolve }),
    },
  );
  nri.start();
  const timer = after(runtimeMs, listed.resolve);
  await listed.promise;
  timer.cancel();
}

function after(delayMs: number, call: () => void): Timer {
  const timer = setTimeout(call, delayMs);
  return { cancel: () => clearTimeout(timer) };
}

function serve(
  addon: CaptureAddon,
  flags: CaptureFlags,
  holdings: Holdings,
  onStop: () => void,
): CaptureServer {
  const { register, pods, vault, kernel } = holdings;
  const watch = new ProxyWatch({
    graceMs: flags.graceMs,
    after,
    hasEnded: addon.hasEnded,
    closeDescriptor: closeSync,
    onGone: () => {
      log('warn', 'no proxy is there', { graceMs: flags.graceMs, opened: register.setProxyGone(true) });
    },
  });
  const stop = () => {
    onStop();
    server.close();
    watch.close();
    process.exit(0);
  };
  const server = new CaptureServer({
    functions: addon,
    socket: flags.socket,
    proxyUid: flags.proxyUid,
    ownUid: process.geteuid?.() ?? 0,
    ...holdings,
    watch,
    notesMap: kernel.maps.notes as number,
    readRefusals: () => countRefusals(kernel.sumCounters('refusals')),
    openProcess: addon.openProcess,
    closeDescriptor: closeSync,
    onReplaced: stop,
    log,
  });
  setInterval(() => {
    const vanished = register.withdrawVanished();
    for (const workload of vanished) {
      vault.drop(workload);
      pods.forget(workload);
    }
    if (vanished.length > 0) log('info', 'namespaces are gone', { workloads: vanished });
  }, vanishedMs).unref();
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.stdout.write('{"ready":true}\n');
  return server;
}

/** Throws where a capture serves at the socket: two would undo each other's enrolments. */
function refuseSecond(addon: CaptureAddon, socket: string): void {
  let channel: Channel;
  try {
    channel = addon.connectChannel(socket, { onMessage: () => {}, onClose: () => {} });
  } catch {
    // Nobody listens; whatever else is wrong with the path is said when capture listens there itself.
    return;
  }
  channel.close();
  throw new Error(`another capture serves at ${socket}; stop it, or take over from it with --take-over`);
}

function countRefusals(sums: readonly number[]): Record<number, number> {
  return Object.fromEntries(
    sums.map((count, code) => [code, count] as const).filter(([, count]) => count > 0),
  );
}

function isSameNamespace(folders: readonly string[], name: string, netns: number): boolean {
  const held = fstatSync(netns);
  return folders.some((folder) => {
    const named = statSync(join(folder, name), { throwIfNoEntry: false });
    return named?.dev === held.dev && named.ino === held.ino;
  });
}

let flags: CaptureFlags;
try {
  flags = parseFlags(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`capture: ${describeError(error)}\n${usage}\n`);
  process.exit(2);
}
try {
  await run(flags);
} catch (error) {
  log('error', 'capture cannot start', { error: describeError(error) });
  process.exit(1);
}
