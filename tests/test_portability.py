"""What runs on Linux runs on macOS and Windows in principle: no call that only POSIX has, bare.

A lint over the syntax tree of the package. What it finds is allowed under a guard: a question by
sys.platform, os.name or hasattr about the name, or a `try` that catches what its absence raises.
"""

import ast
import os
import re
import signal
import time
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "acutance"

# From "Availability: Unix" and "not Windows" in the standard library's documentation (to 3.14),
# compared with what typeshed's stubs have under `sys.platform != "win32"`.
POSIX_ONLY = {
    "os": """
        WCOREDUMP WEXITSTATUS WIFEXITED WIFSIGNALED WNOHANG WTERMSIG O_CLOEXEC O_DIRECT
        O_DIRECTORY O_DSYNC O_NOATIME O_NOFOLLOW O_NONBLOCK O_PATH O_SYNC O_TMPFILE RTLD_GLOBAL
        RTLD_LOCAL RTLD_NOW SCHED_BATCH SCHED_IDLE chflags chown chroot confstr copy_file_range
        ctermid environb eventfd fchdir fchmod fchown fdatasync fork forkpty fpathconf fstatvfs
        fwalk get_blocking getegid getenvb geteuid getgid getgrouplist getgroups getloadavg
        getpgid getpgrp getpriority getrandom getresgid getresuid getsid getuid getxattr
        initgroups killpg lchflags lchmod lchown listxattr lockf major makedev memfd_create
        minor mkfifo mknod nice openpty pathconf pidfd_open pipe2 posix_fadvise posix_fallocate
        posix_openpt posix_spawn posix_spawnp pread preadv pwrite pwritev readv register_at_fork
        removexattr sched_get_priority_max sched_getaffinity sched_getparam sched_getscheduler
        sched_setaffinity sched_setparam sched_setscheduler sched_yield sendfile set_blocking
        setegid seteuid setgid setgroups setpgid setpgrp setpriority setregid setresgid
        setresuid setreuid setsid setuid setxattr splice statvfs sync sysconf tcgetpgrp
        tcsetpgrp ttyname uname wait wait3 wait4 waitid writev""",
    "signal": """
        ITIMER_PROF ITIMER_REAL ITIMER_VIRTUAL SIGALRM SIGBUS SIGCHLD SIGCONT SIGHUP SIGIO
        SIGKILL SIGPIPE SIGPROF SIGQUIT SIGSTOP SIGSYS SIGTRAP SIGTSTP SIGTTIN SIGTTOU SIGURG
        SIGUSR1 SIGUSR2 SIGVTALRM SIGWINCH SIGXCPU SIGXFSZ SIG_BLOCK SIG_SETMASK SIG_UNBLOCK
        alarm getitimer pause pidfd_send_signal pthread_kill pthread_sigmask setitimer
        siginterrupt sigpending sigtimedwait sigwait sigwaitinfo""",
    "socket": "AF_NETLINK AF_PACKET AF_UNIX CMSG_LEN SO_REUSEPORT recv_fds send_fds sethostname",
    # select.select takes pipes on POSIX alone, and sockets everywhere
    "select": "epoll kevent kqueue poll select",
    "time": "CLOCK_MONOTONIC CLOCK_PROCESS_CPUTIME_ID CLOCK_REALTIME clock_getres clock_gettime "
    "clock_settime pthread_getcpuclockid tzset",
    "shutil": "chown",
}
NAMES = {f"{module}.{name}" for module, text in POSIX_ONLY.items() for name in text.split()}
MODULES = {"curses", "fcntl", "grp", "posix", "pty", "pwd", "readline", "resource", "syslog"} | {
    "termios", "tty",
}  # fmt: skip
GOES_WITH = dict.fromkeys(
    ("signal.SIG_BLOCK", "signal.SIG_SETMASK", "signal.SIG_UNBLOCK"), "signal.pthread_sigmask"
)
PLACES = re.compile(r"/(proc|sys|dev|tmp|etc|var|run|usr|home|opt)(/.*)?")
POPEN = {"preexec_fn", "start_new_session", "process_group", "pass_fds", "user", "group", "umask"}
MISSING = {
    "attribute": {"AttributeError", "Exception"},
    "import": {"ImportError", "ModuleNotFoundError", "Exception"},
    "place": {"OSError", "FileNotFoundError", "Exception"},
}
OPENERS = {"av", "gzip", "os", "tarfile", "webbrowser", "zipfile"}  # whose modes are bytes, or none
TEXT = {"read_text", "write_text"}
MODE = re.compile(r"[rwax][bt+]*")
Found = list[tuple[int, str]]


class Tree:
    """A module with the way up from each node."""

    def __init__(self, text: str) -> None:
        self.root = ast.parse(text)
        self.up = {c: p for p in ast.walk(self.root) for c in ast.iter_child_nodes(p)}

    def above(self, node: ast.AST):
        """(child, parent) pairs up to the module."""
        while node in self.up:
            yield node, self.up[node]
            node = self.up[node]

    def is_caught(self, node: ast.AST, kinds: set[str]) -> bool:
        """Whether a `try` around it catches one of these, and goes on without it."""
        for child, parent in self.above(node):
            if isinstance(parent, ast.FunctionDef | ast.Lambda):
                return False
            if isinstance(parent, ast.Try) and child in parent.body:
                handlers = [h for h in parent.handlers if _kinds(h) & kinds]
                if any(not isinstance(n, ast.Raise) for h in handlers for n in h.body):
                    return True
        return False

    def is_asked(self, node: ast.AST, name: str) -> bool:
        """Whether what runs it has asked for the system, or for the name, with the answer yes."""
        return any(
            _asks_above(child, parent, name) or _asks_before(child, parent, name)
            for child, parent in self.above(node)
        )


def _kinds(handler: ast.ExceptHandler) -> set[str]:
    return {"Exception"} if handler.type is None else set(_words(handler.type))


def _words(node: ast.AST) -> list[str]:
    return re.findall(r"\w+", ast.unparse(node))


def _asks_above(child: ast.AST, parent: ast.AST, name: str) -> bool:
    if isinstance(parent, ast.If | ast.IfExp | ast.While):
        body = parent.body if isinstance(parent.body, list) else [parent.body]
        return child is not parent.test and _allows(parent.test, name, child in body)
    if isinstance(parent, ast.BoolOp) and isinstance(parent.op, ast.And):
        before = parent.values[: parent.values.index(child)]  # pyright: ignore[reportArgumentType]
        return any(_allows(test, name, True) for test in before)
    return False


def _asks_before(child: ast.AST, parent: ast.AST, name: str) -> bool:
    """Whether a statement before it in the same block leaves where the name is not there."""
    blocks = [getattr(parent, "body", None), getattr(parent, "orelse", None)]
    return any(
        _leaves(statement, name)
        for block in blocks
        if isinstance(block, list) and child in block
        for statement in block[: block.index(child)]
    )


def _allows(test: ast.expr, name: str, holds: bool) -> bool:
    """Whether `test`, if it holds or does not, says that the name is there."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return _allows(test.operand, name, not holds)
    if isinstance(test, ast.BoolOp):
        is_sure = isinstance(test.op, ast.And) == holds
        return is_sure and any(_allows(value, name, holds) for value in test.values)
    said = ast.unparse(test)
    if re.search(r"\bsys\.platform\b|\bos\.name\b|\bplatform\.system\b", said):
        on_windows = bool(re.search(r"'(win32|nt|Windows)'", said))
        equal = not re.search(r"!=|not in", said)
        return holds is (on_windows is not equal)
    known = {name, GOES_WITH.get(name, name)}
    return holds and said in {
        f"hasattr({m}, '{n}')" for m, _, n in (k.partition(".") for k in known)
    }


def _leaves(statement: ast.stmt, name: str) -> bool:
    """Whether it ends the block where the name is not there."""
    return (
        isinstance(statement, ast.If)
        and isinstance(statement.body[-1], ast.Return | ast.Raise | ast.Continue)
        and _allows(statement.test, name, False)
    )


def lint(text: str) -> list[str]:
    """What in a module is of POSIX alone, or behaves otherwise on Windows: "line: what"."""
    tree = Tree(text)
    found: Found = []
    for node in ast.walk(tree.root):
        for look in (_names, _imports, _places, _calls):
            found += look(tree, node)
    return [f"{line}: {what}" for line, what in sorted(set(found))]


def _names(tree: Tree, node: ast.AST) -> Found:
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        names = [f"{node.value.id}.{node.attr}"]
    elif isinstance(node, ast.ImportFrom):
        names = [f"{node.module}.{alias.name}" for alias in node.names]
    else:
        return []
    kind = "import" if isinstance(node, ast.ImportFrom) else "attribute"
    return [
        (node.lineno, f"{name} is not on Windows")
        for name in names
        if name in NAMES and not tree.is_asked(node, name)
        if not tree.is_caught(node, MISSING[kind])
    ]


def _imports(tree: Tree, node: ast.AST) -> Found:
    if isinstance(node, ast.Import):
        modules = [alias.name.partition(".")[0] for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        modules = [(node.module or "").partition(".")[0]]
    else:
        return []
    return [
        (node.lineno, f"the module {module} is not on Windows")
        for module in modules
        if module in MODULES and not tree.is_asked(node, module)
        if not tree.is_caught(node, MISSING["import"])
    ]


def _places(tree: Tree, node: ast.AST) -> Found:
    """A path that other systems do not have; a constant counts where it is used."""
    if not isinstance(node, ast.Constant) or not PLACES.fullmatch(str(node.value)):
        return []
    if isinstance(tree.up[node], ast.Expr):  # a docstring
        return []
    uses: list[ast.AST] = [node]
    top = next((child for child, parent in tree.above(node) if parent is tree.root), None)
    if isinstance(top, ast.Assign) and isinstance(top.targets[0], ast.Name):
        name = top.targets[0].id
        uses = [
            use
            for use in ast.walk(tree.root)
            if isinstance(use, ast.Name) and use.id == name and isinstance(use.ctx, ast.Load)
        ]
    if all(tree.is_caught(use, MISSING["place"]) or tree.is_asked(use, "") for use in uses):
        return []
    return [(node.lineno, f"'{node.value}' is a place of POSIX")]


def _calls(tree: Tree, node: ast.AST) -> Found:
    if not isinstance(node, ast.Call):
        return []
    function = ast.unparse(node.func)
    last = function.rpartition(".")[2]
    words = {word.arg for word in node.keywords}
    values = [a.value for a in node.args if isinstance(a, ast.Constant)]
    found = []
    if last in ("rename", "renames"):
        found.append(f"{function} refuses a target that is there on Windows: use replace")
    if last in ("get_context", "set_start_method") and {"fork", "forkserver"} & set(values):
        found.append(f"{function} by fork is not on Windows")
    if function.startswith("subprocess.") and words & POPEN and not tree.is_asked(node, ""):
        found.append(f"{function} takes {', '.join(sorted(words & POPEN))} on POSIX alone")
    if "encoding" not in words and _opens_text(node, function, values):
        found.append(f"{function} without an encoding takes the system's own")
    if function.startswith("subprocess.") and "text" in words and "encoding" not in words:
        found.append(f"{function} as text without an encoding takes the system's own")
    if function == "os.fsync" and _reads_alone(tree, node):
        found.append("os.fsync of a file opened for reading is refused on Windows")
    return [(node.lineno, what) for what in found]


def _opens_text(node: ast.Call, function: str, values: list[object]) -> bool:
    last = function.rpartition(".")[2]
    if last in TEXT:
        return True
    if function == "open":
        mode = values[-1] if len(node.args) > 1 and values else "r"
        return "b" not in str(mode)
    module = function.partition(".")[0]
    first = values[0] if last == "open" and module not in OPENERS and values else ""
    return isinstance(first, str) and bool(MODE.fullmatch(first)) and "b" not in first


def _reads_alone(tree: Tree, node: ast.Call) -> bool:
    """Whether the function opens what it flushes for reading, without being ready for a refusal."""
    home = next((p for _, p in tree.above(node) if isinstance(p, ast.FunctionDef)), tree.root)
    return any(
        isinstance(call, ast.Call)
        and re.search(r"O_RDONLY|open\('rb'\)|open\(.*, 'rb'\)", ast.unparse(call))
        and not tree.is_caught(call, MISSING["place"])
        for call in ast.walk(home)
    ) and not tree.is_caught(node, MISSING["place"])


@pytest.mark.parametrize("folder", [*sorted(p.name for p in SOURCE.iterdir() if p.is_dir()), "."])
def test_no_call_of_posix_stands_alone(folder):
    files = SOURCE.glob("*.py") if folder == "." else (SOURCE / folder).rglob("*.py")
    found = [
        f"{path.relative_to(ROOT)}:{what}"
        for path in sorted(files)
        for what in lint(path.read_text(encoding="utf-8"))
    ]
    assert not found, "\n".join(found)


BAD = {
    "import os\nos.fork()": "os.fork is not on Windows",
    "import os\nos.nice(5)": "os.nice is not on Windows",
    "import os\nif hasattr(os, 'nice'):\n    pass\nelse:\n    os.nice(5)": "os.nice",
    "import os\nif not hasattr(os, 'getuid'):\n    os.getuid()": "os.getuid",
    "import os\nif hasattr(os, 'getgid'):\n    os.getuid()": "os.getuid",
    "import os\nif hasattr(os, 'getuid') or True:\n    os.getuid()": "os.getuid",
    "import os, sys\nif sys.platform == 'win32':\n    os.getuid()": "os.getuid",
    "import os, sys\nx = 0 if sys.platform != 'win32' else os.getuid()": "os.getuid",
    "import os\ntry:\n    os.statvfs('.')\nexcept OSError:\n    pass": "os.statvfs",
    "import os\ntry:\n    pass\nexcept AttributeError:\n    os.sysconf('x')": "os.sysconf",
    "import os\ndef f():\n    os.sched_getaffinity(0)\ntry:\n    f()\nexcept AttributeError:\n"
    "    pass": "os.sched_getaffinity",
    "from os import getuid": "os.getuid",
    "import signal\nsignal.signal(signal.SIGHUP, f)": "signal.SIGHUP",
    "import signal\nsignal.pause()": "signal.pause",
    "import socket\nsocket.socket(socket.AF_UNIX)": "socket.AF_UNIX",
    "import select\nselect.select([pipe], [], [])": "select.select",
    "import fcntl": "the module fcntl",
    "from resource import getrusage": "the module resource",
    "def f():\n    import pwd": "the module pwd",
    "P = '/proc/self/statm'\nopen(P, 'rb')": "'/proc/self/statm' is a place of POSIX",
    "from pathlib import Path\nPath('/tmp').mkdir()": "'/tmp' is a place of POSIX",
    "import os\nos.rename(a, b)": "use replace",
    "path.rename(other)": "use replace",
    "get_context('fork')": "by fork",
    "import subprocess\nsubprocess.Popen(x, start_new_session=True)": "start_new_session",
    "import subprocess\nsubprocess.run(x, text=True)": "as text without an encoding",
    "open('a.txt')": "without an encoding",
    "open('a.txt', 'w')": "without an encoding",
    "path.open('w')": "without an encoding",
    "path.read_text()": "without an encoding",
    "import os\ndef f():\n    h = os.open(p, os.O_RDONLY)\n    os.fsync(h)": "os.fsync of a file",
    "import os\ndef f():\n    with p.open('rb') as file:\n        os.fsync(file)": "os.fsync of",
    "import os\ntry:\n    h = os.open(p, os.O_RDONLY)\n    os.fsync(h)\nexcept OSError as e:\n"
    "    raise X from e": "os.fsync of",
}


@pytest.mark.parametrize("text", BAD)
def test_what_windows_lacks_is_found(text):
    found = lint(text)
    assert len(found) == 1, found
    assert BAD[text] in found[0]


@pytest.mark.parametrize(
    "text",
    [
        "import os\nif hasattr(os, 'nice'):\n    os.nice(5)",
        "import os\nif x and hasattr(os, 'nice'):\n    os.nice(5)",
        "import os\ny = hasattr(os, 'getuid') and os.getuid()",
        "import os\nif not hasattr(os, 'nice'):\n    f()\nelse:\n    os.nice(5)",
        "import os\ndef f():\n    if not hasattr(os, 'nice'):\n        return\n    os.nice(5)",
        "import os, sys\nif sys.platform != 'win32':\n    os.getuid()",
        "import os\nif os.name == 'nt':\n    f()\nelse:\n    os.getuid()",
        "import os\nif os.name == 'posix':\n    os.getuid()",
        "import os\nuser = os.getuid() if hasattr(os, 'getuid') else 0",
        "import os\ntry:\n    os.nice(5)\nexcept AttributeError:\n    pass",
        "try:\n    import fcntl\nexcept ImportError:\n    fcntl = None",
        "P = '/proc/stat'\ntry:\n    open(P, 'rb')\nexcept OSError:\n    pass",
        '"""/proc/stat"""',
        "path.open('rb')\nopen('a', 'wb')\npath.open('w', encoding='utf-8')\nos.replace(a, b)",
        "import os\ntry:\n    h = os.open(p, os.O_RDONLY)\nexcept OSError:\n    pass\n",
        "get_context('spawn')",
    ],
)
def test_what_is_guarded_is_allowed(text):
    assert lint(text) == []


def test_the_table_has_no_misspelt_name():
    """Each is known to this Python; those of BSD, and of later ones, are listed here."""
    if os.name != "posix":
        pytest.skip("the names are of POSIX")
    there = {f"{m.__name__}.{n}" for m in (os, signal, time) for n in dir(m)}
    asked = {name for name in NAMES if name.split(".")[0] in ("os", "signal", "time")}
    elsewhere = {"os.chflags", "os.lchflags", "os.lchmod", "os.posix_openpt"}
    assert asked - there <= elsewhere


def test_the_wheel_is_python_alone():
    """Nothing that is built, so that one wheel is for all systems: py3-none-any."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["build-system"]["build-backend"] == "hatchling.build"
    assert set(project["tool"]["hatch"]["build"]["targets"]["wheel"]) == {"packages"}
    endings = {path.suffix for path in SOURCE.rglob("*") if path.is_file()}
    built = {".c", ".cpp", ".pyx", ".so", ".pyd", ".dll", ".dylib", ".rs"}
    assert not endings & built


def test_names_of_files_are_allowed_on_every_system():
    """No two that differ by case alone, none that Windows reserves or whose path grows long."""
    files = [path.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("*")]
    files = [name for name in files if "__pycache__" not in name]
    assert len({name.lower() for name in files}) == len(files)
    reserved = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")
    for name in files:
        assert not any(reserved.fullmatch(part) for part in name.split("/")), name
        assert not re.search(r'[<>:"|?*\\]|[ .]$', name), name
        assert len(name) < 120, name
