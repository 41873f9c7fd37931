"""The program that compiles, run by an environment's interpreter, 3.8 or later.

It says ``ready`` once it runs. A request is a line, ``[directory, [file name,
...]]`` as JSON; the answer is ``[compiled, failed, errno]``, the last of them
zero where the bytecode could be put in. Bytecode that is there already stays. A
file appears by one rename; the directory is writable only while its bytecode is
put in, and a directory that another process closes meanwhile is opened again.
"""

SCRIPT = """
import errno, gc, json, marshal, os, sys
from importlib.util import MAGIC_NUMBER, source_hash

HEADER = MAGIC_NUMBER + (1).to_bytes(4, "little")  # PEP 552: by hash, never checked
SUFFIX = "." + sys.implementation.cache_tag + ".pyc"
ATTEMPTS = 20


def is_there(path):
    try:
        with open(path, "rb") as file:
            return file.read(8) == HEADER
    except OSError:
        return False


def compiled_module(path):
    with open(path, "rb") as file:
        source = file.read()
    code = compile(source, path, "exec", dont_inherit=True)
    return HEADER + source_hash(source) + marshal.dumps(code)


def put(cache, name, data):
    final = os.path.join(cache, name)
    temporary = "%s.%d.tmp" % (final, os.getpid())
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o444)
    try:
        with open(descriptor, "wb", closefd=False) as file:
            file.write(data)
        os.chmod(descriptor, 0o444)
        os.rename(temporary, final)
    except OSError:
        os.unlink(temporary)
        raise
    finally:
        os.close(descriptor)


def insist(directory, action):
    for attempt in range(ATTEMPTS):
        os.chmod(directory, 0o755)
        try:
            return action()
        except PermissionError:
            if attempt == ATTEMPTS - 1:
                raise


def make(cache):
    try:
        os.mkdir(cache, 0o755)
    except FileExistsError:
        pass


def sweep(cache):
    for name in os.listdir(cache):
        pid = name.split(".")[-2] if name.endswith(".tmp") else ""
        if pid.isdigit() and not os.path.exists("/proc/" + pid) and os.path.exists("/proc/self"):
            os.unlink(os.path.join(cache, name))


def store(directory, files):
    cache = os.path.join(directory, "__pycache__")
    try:
        if not os.path.isdir(cache):
            insist(directory, lambda: make(cache))
        insist(cache, lambda: sweep(cache))
        for name, data in files:
            insist(cache, lambda: put(cache, name, data))
    finally:
        for path in (cache, directory):
            try:
                os.chmod(path, 0o555)
            except OSError:
                pass


def compile_directory(directory, names):
    files, there, failed = [], 0, 0
    for name in names:
        cached = name[:-3] + SUFFIX
        if is_there(os.path.join(directory, "__pycache__", cached)):
            there += 1
            continue
        try:
            files.append((cached, compiled_module(os.path.join(directory, name))))
        except Exception:
            failed += 1
    try:
        if files or there:
            store(directory, files)
    except OSError as error:
        return 0, failed, error.errno or errno.EIO
    return there + len(files), failed, 0


def main():
    gc.disable()
    sys.stdout.buffer.write(b"ready\\n")
    sys.stdout.buffer.flush()
    for line in sys.stdin.buffer:
        directory, names = json.loads(line)
        answer = json.dumps(compile_directory(directory, names)) + "\\n"
        sys.stdout.buffer.write(answer.encode())
        sys.stdout.buffer.flush()


main()
"""
