/** What is left of the kernel in a sandbox, as a seccomp program for `bwrap --seccomp`. Namespaces do not divide what is named here. */

/** `struct seccomp_data`: the number of the call, the architecture, the first argument's lower half. */
const [NUMBER, ARCHITECTURE, FIRST] = [0, 4, 16];
const [LOAD, EQUAL, AT_LEAST, RETURN] = [0x20, 0x15, 0x35, 0x06];
const [ALLOW, KILL, FAIL] = [0x7fff_0000, 0x8000_0000, 0x0005_0000];
const [EPERM, ENOSYS, EAFNOSUPPORT] = [1, 38, 97];

interface Architecture {
  /** `AUDIT_ARCH_…` */
  readonly id: number;
  readonly socket: number;
  /** add_key, request_key, keyctl: keyrings are the session's, and a namespace keeps no session apart. */
  readonly keys: readonly number[];
  /** perf_event_open, bpf, userfaultfd: of no use to a test, and of much use to whoever attacks a kernel. */
  readonly kernel: readonly number[];
}

const ARCHITECTURES: Readonly<Record<string, Architecture>> = {
  x64: { id: 0xc000_003e, socket: 41, keys: [248, 249, 250], kernel: [298, 321, 323] },
  arm64: { id: 0xc000_00b7, socket: 198, keys: [217, 218, 219], kernel: [241, 280, 282] },
};
/** io_uring_setup, io_uring_enter, io_uring_register: they open sockets past this filter. The same numbers everywhere. */
const IO_URING = [425, 426, 427];
/** The x32 calls of x86-64 are the same calls by other numbers. */
const X32 = 0x4000_0000;
/** AF_UNSPEC, AF_UNIX, AF_INET, AF_INET6, AF_NETLINK. Not AF_VSOCK, which leads to a virtual machine's host whatever the network namespace is. */
const FAMILIES = [0, 1, 2, 10, 16];

/** The program for an architecture as Node names it (`process.arch`); null: it is not known. */
export function seccompFilter(arch: string): Buffer | null {
  const known = ARCHITECTURES[arch];
  if (known === undefined) return null;
  const fail = (numbers: readonly number[], errno: number) =>
    numbers.flatMap((number) => [step(EQUAL, number, 0, 1), step(RETURN, FAIL | errno)]);
  return Buffer.concat([
    step(LOAD, ARCHITECTURE),
    step(EQUAL, known.id, 1, 0),
    step(RETURN, KILL),
    step(LOAD, NUMBER),
    step(AT_LEAST, X32, 0, 1),
    step(RETURN, FAIL | ENOSYS),
    ...fail([...known.keys, ...known.kernel], EPERM),
    ...fail(IO_URING, ENOSYS),
    step(EQUAL, known.socket, 1, 0),
    step(RETURN, ALLOW),
    step(LOAD, FIRST),
    ...FAMILIES.flatMap((family) => [step(EQUAL, family, 0, 1), step(RETURN, ALLOW)]),
    step(RETURN, FAIL | EAFNOSUPPORT),
  ]);
}

/** One `struct sock_filter`; both architectures are little-endian. */
function step(code: number, value: number, then = 0, otherwise = 0): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt16LE(code, 0);
  bytes.writeUInt8(then, 2);
  bytes.writeUInt8(otherwise, 3);
  bytes.writeUInt32LE(value >>> 0, 4);
  return bytes;
}
