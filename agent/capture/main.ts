/**
 * Capture: the privileged process of a node. It holds the kernel programs, the pods' namespaces and listeners, and
 * answers the proxy over one Unix socket; it reads no byte of traffic. Logs are JSON lines on standard error; when it
 * serves it prints `{"ready":true}` on standard output. What it put in force stays when it ends.
 */
import { closeSync, fstatSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
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
import { awaitTurn, beginAnew, isServed, refuseSecond } from './succession.js';
import { type TakenOver, takeOver } from './take-over.js';
import { Vault } from './vault.js';
import { ProxyWatch, type Timer } from './watch-proxy.js';

const builtObject = fileURLToPath(new URL('../../../build/bpf/weft.bpf.o', import.meta.url));
const builtPlugin = fileURLToPath(new URL('../../../build/native/weft-cni', import.meta.url));
const namespacesFile = 'enrolled-namespaces.json';
/** A namespace that is gone is noticed within this time. */
const vanishedMs = 1_000;
/** The container runtime is waited for so long before the proxy is served. */
const runtimeMs = 5_000;
/** A capture that stands by and is called has taken over within this time. */
const successionMs = 5_000;

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
  if (flags.readyFile !== undefined) rmSync(flags.readyFile, { force: true });
  if (flags.standBy) await awaitTurn(addon, flags.socket, log);
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
  try {
    await begin(addon, flags, kernel);
  } catch (error) {
    // Of a predecessor that serves on: its programs come back.
    kernel.close();
    throw error;
  }
}

/** From proved programs to serving; a capture that serves already is asked for what it holds. */
async function begin(addon: CaptureAddon, flags: CaptureFlags, kernel: KernelPrograms): Promise<void> {
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
  // Before the take-over: a pod that starts meanwhile is told to one that takes it up.
  const runtime =
    flags.nriSocket === undefined
      ? undefined
      : await followRuntime(flags.nriSocket, pods, results === undefined);
  let proxyGone = false;
  let hasLed = false;
  const takeUp = (handed: TakenOver) => {
    for (const pod of handed.pods) register.adopt(pod, handed.proxyGone);
    for (const workload of handed.held) pods.adoptHeld(workload);
    for (const { workload, secret } of handed.secrets) vault.put(workload, secret);
    proxyGone = handed.proxyGone;
    hasLed = !handed.proxyGone;
    log('info', 'took over from the capture before', {
      pods: handed.pods.length,
      secrets: handed.secrets.length,
    });
  };
  if (flags.takeOver && isServed(addon, flags.socket)) await takeOver(addon, flags.socket, takeUp);
  kernel.keep();
  log('info', 'read what was in force', { enrolled: register.enrolled.length, forgotten });
  const rules = new RuleStore(kernel);
  if (flags.nriSocket !== undefined || flags.cni !== undefined) rules.steerAllWhileEmpty();
  runtime?.release();
  pods.restore();
  const plugin =
    flags.cni === undefined ? undefined : servePlugin(addon, flags.cni, flags, { pods, namespaces });
  server = serve(addon, flags, {
    register,
    pods,
    namespaces,
    rules,
    vault,
    kernel,
    runtime,
    plugin,
    proxyGone,
    hasLed,
  });
}

/** weft-cni's other end. */
interface ServedPlugin {
  /** Whoever asks waits until {@link ServedPlugin.resume}, or for a successor. */
  pause(): void;
  resume(): void;
  close(): void;
}

/** Serves weft-cni and keeps it installed. */
function servePlugin(
  addon: CaptureAddon,
  cni: CniFlags,
  { state = '' }: CaptureFlags,
  { pods, namespaces }: Pick<Holdings, 'pods' | 'namespaces'>,
): ServedPlugin {
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
    pause: () => server.close(),
    resume: () => server.start(),
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
  readonly runtime: NriPlugin | undefined;
  readonly plugin: ServedPlugin | undefined;
  /** The capture before had given the proxies up. */
  readonly proxyGone: boolean;
  /** A proxy was there when the one before handed over. */
  readonly hasLed: boolean;
}

/**
 * Follows the container runtime's pods; waits for the first list of them, so that a proxy that connects learns at once
 * who is held. A runtime that does not answer is tried further. What it tells is held until the plugin is released.
 */
async function followRuntime(socket: string, pods: PodBook, isPatient: boolean): Promise<NriPlugin> {
  const late = Promise.withResolvers<void>();
  const away = isPatient ? {} : { onAway: late.resolve };
  const nri = new NriPlugin({ socket, after, log }, { ...pods.events, ...away });
  nri.hold();
  nri.start();
  const timer = after(runtimeMs, late.resolve);
  await Promise.race([nri.listed, late.promise]);
  timer.cancel();
  return nri;
}

function after(delayMs: number, call: () => void): Timer {
  const timer = setTimeout(call, delayMs);
  return { cancel: () => clearTimeout(timer) };
}

function serve(addon: CaptureAddon, flags: CaptureFlags, holdings: Holdings): CaptureServer {
  const { register, pods, vault, kernel, runtime, plugin, proxyGone } = holdings;
  const watch = watchProxies(addon, flags, register, proxyGone);
  let ending = false;
  const end = () => {
    plugin?.close();
    server.close();
    watch.close();
    if (flags.readyFile !== undefined) rmSync(flags.readyFile, { force: true });
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
    after,
    onHandOver: () => {
      runtime?.hold();
      plugin?.pause();
    },
    onHandedOver: (replaced) => {
      if (replaced && ending) end();
      if (replaced) beginAnew();
      runtime?.release();
      plugin?.resume();
    },
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
  const stop = () => {
    // Whoever waits takes over first: a pod of an upgrade that is taken back leaves no gap.
    if (ending || !server.callSuccessor()) end();
    ending = true;
    after(successionMs, end);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  if (flags.readyFile !== undefined) writeFileSync(flags.readyFile, '');
  process.stdout.write('{"ready":true}\n');
  return server;
}

function watchProxies(
  addon: CaptureAddon,
  { graceMs }: CaptureFlags,
  register: EnrolmentRegister,
  gone: boolean,
): ProxyWatch {
  const parts = {
    graceMs,
    after,
    hasEnded: addon.hasEnded,
    closeDescriptor: closeSync,
    onGone: () => log('warn', 'no proxy is there', { graceMs, opened: register.setProxyGone(true) }),
  };
  return new ProxyWatch(parts, gone);
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
