/** The proxy parses what strangers send, so it starts only where it could do little harm if it were taken over. */

/** What of /proc/self/status matters here. */
export interface ProcessPrivileges {
  /** Real, effective, saved and file-system user ids. */
  readonly userIds: readonly number[];
  /** Permitted, effective, inheritable and ambient sets that are not empty, by their names in the file. */
  readonly capabilities: readonly string[];
  /** An exec gains no privilege (PR_SET_NO_NEW_PRIVS). */
  readonly noNewPrivileges: boolean;
}

/** Reads the text of /proc/self/status (proc(5)). A line that is missing counts against the process. */
export function parseProcessStatus(status: string): ProcessPrivileges {
  const field = (name: string): string => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1] ?? '';
  const userIds = field('Uid').split(/\s+/).map(Number);
  const sets = ['CapPrm', 'CapEff', 'CapInh', 'CapAmb'];
  return {
    userIds,
    capabilities: sets.filter((name) => !/^0+$/.test(field(name))),
    noNewPrivileges: field('NoNewPrivs') === '1',
  };
}

/** What the process holds that it should not, as sentences; empty where it may start. */
export function privilegeProblems(privileges: ProcessPrivileges): string[] {
  const problems: string[] = [];
  if (privileges.userIds.includes(0)) problems.push('it runs as root (uid 0)');
  if (privileges.capabilities.length > 0) {
    problems.push(`it holds capabilities (${privileges.capabilities.join(', ')})`);
  }
  if (!privileges.noNewPrivileges)
    problems.push('it could gain privileges by exec (no_new_privs is not set)');
  return problems;
}

/** Says why the proxy does not start and how to start it rightly. */
export function refusalText(problems: readonly string[]): string {
  return (
    `the proxy parses untrusted traffic and must hold no privilege, but ${problems.join(', and ')}. ` +
    'Start it as its own user, for example: setpriv --reuid=65532 --regid=65532 --clear-groups ' +
    '--inh-caps=-all --ambient-caps=-all --bounding-set=-all --no-new-privs node dist/agent/proxy/main.js … ' +
    '(--allow-privileges overrides this)'
  );
}
