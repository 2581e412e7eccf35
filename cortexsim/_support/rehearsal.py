"""Program of the child process that reads untrusted files first; see `cortexsim._support.strangers`.

It is run by its path, and does not import cortexsim. Its exit status is 0, REFUSED (with the reason on standard
output) or OUT_OF_MEMORY.
"""

from __future__ import annotations

import io
import json
import sys
from typing import Any

REFUSED, OUT_OF_MEMORY = 3, 4
LEFT_OUT = "left out: "  # begins the line on standard error that names variables
SMALL = 16 * 2**20  # bytes; larger arrays of numbers are inspected, and read only when they are used
# built into HDF5: deflate, shuffle, fletcher32, szip, nbit, scaleoffset; and lzf, included in h5py
FILTERS = (1, 2, 3, 4, 5, 6, 32000)
FLETCHER32 = 3
DEEPEST = 32  # groups in groups


class RefusedError(Exception):
    """The file is damaged, or refers to other files."""


def limit(seconds: int, n_bytes: int) -> None:
    """Limit the processor time and memory of this process, if the system supports it."""
    try:
        import resource
    except ImportError:  # Windows: the parent limits the time
        return
    for what, most in ((resource.RLIMIT_CPU, seconds), (resource.RLIMIT_AS, n_bytes), (resource.RLIMIT_CORE, 0)):
        try:
            resource.setrlimit(what, (most, most))
        except (ValueError, OSError):
            continue


def hdf5(path: str, whole: bool, most: int) -> None:
    """Walk through an HDF5 file: refuse links to other files, and read small arrays, or all of them."""
    import h5py

    with h5py.File(path, "r") as file:
        left = [(file["/"], 0)]
        seen = {h5py.h5o.get_info(file.id).addr}
        total = 0
        while left:
            group, depth = left.pop()
            if depth > DEEPEST:
                raise RefusedError(f"its groups are more than {DEEPEST} deep")
            list(group.attrs.items())
            for name in group:
                link = group.get(name, getlink=True)
                place = f"{group.name.rstrip('/')}/{name}"
                if isinstance(link, h5py.ExternalLink):
                    raise RefusedError(f"{place} is a link to a different file ({link.filename})")
                if not isinstance(link, h5py.HardLink | h5py.SoftLink):
                    raise RefusedError(f"{place} is a link of an unknown kind")
                one = group[name]
                address = h5py.h5o.get_info(one.id).addr
                again, is_soft = address in seen, isinstance(link, h5py.SoftLink)
                if isinstance(one, h5py.Group):
                    if again or is_soft:
                        raise RefusedError(f"{place} is a link to a group that is elsewhere in the file")
                    left.append((one, depth + 1))
                elif isinstance(one, h5py.Dataset) and not again:
                    total += _data(one, place, whole, most - total)
                seen.add(address)


def _data(data: Any, place: str, whole: bool, most: int) -> int:
    """Inspect an array, and read it if asked or if it is small; return its size in bytes."""
    if data.external:
        raise RefusedError(f"{place} is stored in a different file ({data.external[0][0]})")
    if data.is_virtual:
        raise RefusedError(f"{place} is a virtual dataset, put together from other files")
    created = data.id.get_create_plist()
    filters = [created.get_filter(k)[0] for k in range(created.get_nfilters())]
    unknown = [code for code in filters if code not in FILTERS]
    if unknown:
        raise RefusedError(f"{place} is stored with the filter {unknown[0]}, which is not built into HDF5")
    list(data.attrs.items())
    if data.shape is None:
        return 0
    n_bytes = data.size * data.dtype.itemsize
    texts = data.dtype.hasobject
    if (whole or texts) and n_bytes > most:
        raise RefusedError(f"{place} would take {n_bytes / 2**30:,.1f} GB of memory")
    if data.chunks is not None:
        data.id.get_num_chunks()
        if data.size and hasattr(data.id, "chunk_iter"):
            data.id.chunk_iter(lambda _: None)
    if whole or texts or n_bytes <= SMALL:
        try:
            data[()]
        except OSError:
            # a checksum error is reported later, with its position, by the code that reads the array
            if FLETCHER32 not in filters or texts or whole:
                raise
    return n_bytes if whole else 0


def netcdf3(path: str, most: int) -> None:
    """Read all of a classic netCDF file."""
    from scipy.io import netcdf_file

    with netcdf_file(path, "r", mmap=False) as file:
        for variable in file.variables.values():
            variable[...] if variable.shape else variable.getValue()


def matlab(path: str) -> tuple[bytes, list[str]]:
    """Read a MATLAB file and write its contents again: the new file is free of damage.

    Returns
    -------
    bytes, list of str
        The new file, and the variables that it lacks: functions and objects of MATLAB classes cannot be written.
    """
    from scipy.io import loadmat, savemat
    from scipy.io.matlab import MatWriteError

    contents = {name: value for name, value in loadmat(path).items() if not name.startswith("__")}
    written, left_out = io.BytesIO(), []
    for name, value in contents.items():
        try:
            savemat(io.BytesIO(), {name: value}, long_field_names=True)
        except (MatWriteError, TypeError, ValueError, NotImplementedError):
            left_out.append(name)
    savemat(written, {name: contents[name] for name in contents if name not in left_out}, long_field_names=True)
    return written.getvalue(), left_out


def main(task: str, path: str, seconds: str, n_bytes: str) -> int:
    """Read one file; the result goes to standard output."""
    limit(int(seconds), int(n_bytes))
    out = sys.stdout.buffer
    try:
        if task == "matlab":
            written, left_out = matlab(path)
            out.write(written)
            if left_out:
                print(LEFT_OUT + json.dumps(left_out), file=sys.stderr)
        elif task == "netcdf3":
            netcdf3(path, int(n_bytes))
        else:
            hdf5(path, task == "hdf5-whole", int(n_bytes) // 2)
    except MemoryError:
        return OUT_OF_MEMORY
    except Exception as error:
        # a damaged file can raise any exception
        text = " ".join(str(error).split()) or type(error).__name__
        out.write(text.encode("utf-8", "replace"))
        return REFUSED
    out.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
