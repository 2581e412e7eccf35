"""Brain data from files: what is read is what was written, and what is wrong with a file is said."""

import pickle
import struct as packed

import h5py
import numpy as np
import pytest
import xarray as xr
from scipy.io import savemat
from scipy.spatial.distance import squareform

import cortexsim as cs
from cortexsim.brains.matrices import labelled_matrices, square

from .conftest import N, matrices, struct

DIMS = ("subject", "session", "stimulus", "other_stimulus")


# --- MATLAB ----------------------------------------------------------------------------------------------------------


def test_a_matlab_struct_is_subjects_by_sessions_with_the_names_it_gives(matlab_file, drawn):
    rdms = cs.brains.read(matlab_file)
    assert rdms.dims == DIMS
    np.testing.assert_array_equal(rdms.values, drawn)
    assert rdms["subject"].values.tolist() == ["BE", "KO"]
    assert rdms["session"].values.tolist() == ["1", "2", "3"]


def test_one_matrix_can_be_taken_by_its_name(matlab_file, drawn):
    rdm = cs.brains.read(matlab_file, name="IT | KO | Session: 3")
    assert rdm.shape == (1, 1, N, N)
    np.testing.assert_array_equal(rdm.values[0, 0], drawn[1, 2])


def test_a_row_of_all_pairs_becomes_a_matrix_as_scipy_has_it(tmp_path):
    pairs = np.arange(1.0, 11.0)
    savemat(tmp_path / "pairs.mat", {"RDMs": struct(["monkey"], [pairs[None]])})
    np.testing.assert_array_equal(cs.brains.read(tmp_path / "pairs.mat").values[0, 0], squareform(pairs))


def test_a_row_of_matrices_without_names_is_refused(tmp_path, drawn):
    savemat(tmp_path / "two.mat", {"RDMs": struct([["monkey", "human"]], drawn[:1])})
    with pytest.raises(ValueError, match=r"choose one matrix by name=, one of \['monkey', 'human'\], or pass dims="):
        cs.brains.read(tmp_path / "two.mat")
    assert cs.brains.read(tmp_path / "two.mat", dims=["subject"]).sizes["subject"] == 2


def test_dims_that_do_not_fit_the_struct_are_refused(matlab_file):
    with pytest.raises(ValueError, match=r"in the shape \(1, 2, 3\), to which dims=\('subject',\) does not fit"):
        cs.brains.read(matlab_file, dims=["subject"])


def test_an_unknown_name_is_answered_with_the_names(matlab_file):
    with pytest.raises(ValueError, match="unknown name 'IT': the allowed values are"):
        cs.brains.read(matlab_file, name="IT")


def test_an_error_lists_the_fields_of_a_struct_without_rdm(tmp_path):
    savemat(tmp_path / "images.mat", {"stimuli": {"image": np.zeros((4, 4, 3), np.uint8), "human": 1}})
    with pytest.raises(ValueError, match=r"no struct has the field 'RDM'.*'stimuli': \['image', 'human'\]"):
        cs.brains.read(tmp_path / "images.mat")


def test_of_two_structs_one_must_be_chosen(tmp_path, drawn):
    one = struct(["a"], [drawn[0, 0]])
    savemat(tmp_path / "both.mat", {"early": one, "late": one})
    with pytest.raises(ValueError, match=r"pass variable=, one of \['early', 'late'\]"):
        cs.brains.read(tmp_path / "both.mat")
    assert cs.brains.read(tmp_path / "both.mat", variable="late").shape == (1, 1, N, N)


def test_an_unknown_variable_is_refused(matlab_file):
    with pytest.raises(ValueError, match=r"unknown variable 'RDM'.*did you mean 'RDMs'"):
        cs.brains.read(matlab_file, variable="RDM")


def test_matrices_of_different_stimuli_are_refused(tmp_path):
    found = np.array([matrices(), matrices(n=4)], dtype=object)
    savemat(tmp_path / "odd.mat", {"RDMs": struct(["a", "b"], found)})
    with pytest.raises(ValueError, match=r"of the same stimuli, got the shapes \[\(4, 4\), \(5, 5\)\]"):
        cs.brains.read(tmp_path / "odd.mat", dims=["subject"])


def test_a_field_that_is_no_matrix_is_refused(tmp_path):
    savemat(tmp_path / "text.mat", {"RDMs": struct(["a"], ["not a matrix"])})
    with pytest.raises(ValueError, match="RDM must be a matrix, or a row of all pairs, got shape"):
        cs.brains.read(tmp_path / "text.mat")


def test_a_file_that_only_claims_to_be_of_version_7_3_is_refused(tmp_path):
    header = b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM"
    (tmp_path / "new.mat").write_bytes(header.ljust(600, b"\0"))
    with pytest.raises(ValueError, match=r"version 7\.3, which cannot be read; save it with '-v7'"):
        cs.brains.read(tmp_path / "new.mat")


def write_7_3(path, fill):
    """Write a MATLAB file of version 7.3 as MATLAB does: HDF5 behind 512 bytes of its own, dimensions reversed."""
    with h5py.File(path, "w", userblock_size=512) as file:
        fill(file)
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file".ljust(124) + bytes([0, 2]) + b"IM")


def put(group, name, values, kind="double"):
    group[name] = values
    group[name].attrs["MATLAB_class"] = np.bytes_(kind)


def test_a_struct_array_of_version_7_3_is_read(tmp_path, drawn):
    def fill(file):
        references = {"RDM": [], "name": []}
        for subject in range(2):
            for session in range(3):
                at = f"{subject}{session}"
                put(file.require_group("#refs#"), f"r{at}", drawn[subject, session].T)
                text = f"IT | S{subject} | Session: {session}"
                put(file["#refs#"], f"n{at}", np.array([[ord(letter)] for letter in text], np.uint16), "char")
                references["RDM"].append(file[f"#refs#/r{at}"].ref)
                references["name"].append(file[f"#refs#/n{at}"].ref)
        struct = file.create_group("RDMs")
        struct.attrs["MATLAB_class"] = np.bytes_("struct")
        for field, listed in references.items():
            # (region, subject, session) reversed
            struct[field] = np.array(listed, dtype=h5py.ref_dtype).reshape(2, 3).T[:, :, None]

    write_7_3(tmp_path / "new.mat", fill)
    read = cs.brains.read(tmp_path / "new.mat")
    assert read["subject"].values.tolist() == ["S0", "S1"]
    np.testing.assert_allclose(read.values, drawn)


def test_plain_arrays_are_read_with_the_subjects_first_or_last(tmp_path, drawn):
    of_subjects = drawn[:, 0]
    last = np.moveaxis(of_subjects, 0, -1)
    savemat(tmp_path / "old.mat", {"first": of_subjects, "last": last})
    for variable in ("first", "last"):
        read = cs.brains.read(tmp_path / "old.mat", variable=variable, dims=["subject"])
        np.testing.assert_allclose(read.values[:, 0], of_subjects)
    write_7_3(tmp_path / "new.mat", lambda file: put(file, "rdms", last.T))
    np.testing.assert_allclose(cs.brains.read(tmp_path / "new.mat", dims=["subject"]).values[:, 0], of_subjects)
    with pytest.raises(ValueError, match=r"new\.mat, rdms has the shape .*: name its dimensions"):
        cs.brains.read(tmp_path / "new.mat")


def test_rows_of_all_pairs_are_read_from_a_plain_array(tmp_path, drawn):
    rows, columns = np.triu_indices(N, 1)
    savemat(tmp_path / "pairs.mat", {"pairs": drawn[:, 0][:, rows, columns]})
    read = cs.brains.read(tmp_path / "pairs.mat", dims=["subject"])
    np.testing.assert_allclose(read.values[:, 0], drawn[:, 0])


def test_a_bit_that_crashes_the_reader_of_matlab_files_ends_no_more_than_a_child(tmp_path):
    savemat(tmp_path / "d.mat", {"RDMs": struct(["IT | a | Session: 1"], [np.ones((6, 6)) - np.eye(6)])})
    written = (tmp_path / "d.mat").read_bytes()
    for at in (256, 257, 252):
        damaged = bytearray(written)
        damaged[at] ^= 1
        (tmp_path / "d.mat").write_bytes(damaged)
        with pytest.raises(ValueError, match=r"d\.mat|RDM"):
            cs.brains.read(tmp_path / "d.mat")


@pytest.mark.parametrize("suffix", [".h5", ".nc", ".mat"])
def test_files_that_read_other_files_are_refused(tmp_path, suffix):
    with h5py.File(tmp_path / "other", "w") as file:
        file["secret"] = np.eye(4)
    path = tmp_path / f"a{suffix}"
    with h5py.File(path, "w") as file:
        file["rdm"] = h5py.ExternalLink(str(tmp_path / "other"), "secret")
    with pytest.raises(ValueError, match="/rdm is a link to a different file"):
        cs.brains.read(path)


# --- rsatoolbox ------------------------------------------------------------------------------------------------------


@pytest.fixture
def rsatoolbox_rdms(drawn):
    """The matrices in an order of rsatoolbox' own: sessions first, then subjects."""
    from rsatoolbox.rdm import RDMs

    who = {"subject": ["BE", "KO"] * 3, "session": np.repeat([1, 2, 3], 2).tolist()}
    names = {"name": [f"image {k}" for k in range(N)]}
    return RDMs(drawn.transpose(1, 0, 2, 3).reshape(6, N, N), rdm_descriptors=who, pattern_descriptors=names)


def test_what_rsatoolbox_saves_is_put_in_order_by_its_descriptors(tmp_path, rsatoolbox_rdms, drawn):
    rsatoolbox_rdms.save(str(tmp_path / "rdms.hdf5"))
    rdms = cs.brains.read(tmp_path / "rdms.hdf5")
    assert rdms.dims == DIMS
    np.testing.assert_allclose(rdms.values, drawn)
    assert rdms["subject"].values.tolist() == ["BE", "KO"]
    assert rdms["stimulus_name"].values.tolist() == [f"image {k}" for k in range(N)]
    assert rdms["stimulus"].values.tolist() == list(range(N))


def test_times_of_rsatoolbox_become_brain_time_without_a_unit_made_up(tmp_path):
    from rsatoolbox.rdm import RDMs

    RDMs(matrices(3), rdm_descriptors={"time": [0.1, 0.2, 0.3]}).save(str(tmp_path / "film.h5"), file_type="hdf5")
    rdms = cs.brains.read(tmp_path / "film.h5")
    assert rdms.dims == ("subject", "session", "time", "stimulus", "other_stimulus")
    assert rdms["time"].values.tolist() == [0.1, 0.2, 0.3]
    assert rdms["time"].attrs["units"] == "units not stated"


def test_a_list_of_matrices_without_descriptors_is_refused(tmp_path):
    from rsatoolbox.rdm import RDMs

    RDMs(matrices(3)).save(str(tmp_path / "list.hdf5"))
    with pytest.raises(ValueError, match=r"contains 3 matrices .* which do not identify them: pass dims="):
        cs.brains.read(tmp_path / "list.hdf5")
    assert cs.brains.read(tmp_path / "list.hdf5", dims=["subject"]).sizes["subject"] == 3


def test_a_missing_session_is_reported(tmp_path, rsatoolbox_rdms):
    rsatoolbox_rdms.subset("index", [0, 1, 2, 3, 4]).save(str(tmp_path / "gap.hdf5"))
    with pytest.raises(ValueError, match="contains 5 matrices, but 2 x 3 are needed, one for each subject and session"):
        cs.brains.read(tmp_path / "gap.hdf5")


class Malicious:
    """What a pickle may hold: it calls whatever it likes when it is opened."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def test_a_pickle_is_not_opened_unless_allowed(tmp_path):
    trap = tmp_path / "sprung"
    (tmp_path / "rdms.pkl").write_bytes(pickle.dumps(Malicious(trap)))
    with pytest.raises(ValueError, match="is a pickle, which can run any code of its author"):
        cs.brains.read(tmp_path / "rdms.pkl")
    assert not trap.exists()


def test_a_pickle_of_ones_own_can_be_opened(tmp_path, rsatoolbox_rdms, drawn):
    with (tmp_path / "rdms.pkl").open("wb") as file:
        rsatoolbox_rdms.save(file, file_type="pkl")
    np.testing.assert_allclose(cs.brains.read(tmp_path / "rdms.pkl", allow_pickle=True).values, drawn)


# --- netCDF and numpy ------------------------------------------------------------------------------------------------


def test_netcdf_keeps_its_names_and_units(tmp_path):
    time = ("time", [80.0, 100.0], {"units": "ms"})
    array = xr.DataArray(matrices(2), {"time": time}, ["time", "stimulus", "other_stimulus"])
    array.to_dataset(name="meg").to_netcdf(tmp_path / "meg.nc", engine="h5netcdf")
    rdms = cs.brains.read(tmp_path / "meg.nc")
    np.testing.assert_array_equal(rdms.values[0, 0], array.values)
    assert rdms["time"].attrs["units"] == "ms"


def test_an_error_lists_the_variables_of_netcdf_without_stimuli(tmp_path):
    xr.Dataset({"meg": ("time", [1.0])}).to_netcdf(tmp_path / "meg.nc", engine="h5netcdf")
    with pytest.raises(ValueError, match=r"must have the dimensions .*; none of \['meg'\] have them"):
        cs.brains.read(tmp_path / "meg.nc")


def test_numpy_arrays_have_named_dimensions_and_times(tmp_path):
    drawn = matrices(2, 3)
    dims = ["subject", "time", "stimulus", "other_stimulus"]
    np.savez(tmp_path / "meg.npz", rdm=drawn, dims=dims, time=[0, 50, 100], time_units="ms")
    rdms = cs.brains.read(tmp_path / "meg.npz")
    np.testing.assert_array_equal(rdms.isel(session=0).values, drawn)
    assert (rdms["time"].values.tolist(), rdms["time"].attrs["units"]) == ([0, 50, 100], "ms")


@pytest.mark.parametrize(
    ("held", "message"),
    [
        ({"rdm": matrices()}, r"lacks \['dims'\]; it has \['rdm'\]"),
        ({"rdm": matrices(2), "dims": ["time", "stimulus", "other_stimulus"]}, "needs an array 'time' with the times"),
        ({"rdm": matrices(2), "dims": ["stimulus", "other_stimulus"]}, "needs as many names of dimensions"),
        ({"rdm": matrices(2), "dims": ["run", "stimulus", "other_stimulus"]}, "needs as many names of dimensions"),
        (
            {"rdm": matrices(2), "dims": ["time", "stimulus", "other_stimulus"], "time": [1, 2, 3]},
            r"'time' must have a value for each of \(2, 5, 5\), got shape \(3,\)",
        ),
        ({"rdm": np.array([{}], dtype=object), "dims": ["stimulus"]}, r"is not an \.npz file of numbers and texts"),
    ],
)
def test_numpy_arrays_that_lack_something_are_refused(tmp_path, held, message):
    np.savez(tmp_path / "odd.npz", **held)
    with pytest.raises(ValueError, match=message):
        cs.brains.read(tmp_path / "odd.npz")


# --- any file --------------------------------------------------------------------------------------------------------


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no file"):
        cs.brains.read(tmp_path / "nothing.mat")


def test_a_foreign_kind_is_answered_with_the_kinds(tmp_path):
    (tmp_path / "brain.txt").write_text("0,1\n1,0\n", encoding="utf-8")
    with pytest.raises(
        ValueError, match=r"cannot read .*brain\.txt: allowed are \.mat, \.npz, \.npy, \.csv, \.tsv, \.h5"
    ):
        cs.brains.read(tmp_path / "brain.txt")


@pytest.mark.parametrize("suffix", [".mat", ".npz", ".nc", ".hdf5"])
def test_a_damaged_file_is_reported(tmp_path, suffix):
    path = tmp_path / f"brain{suffix}"
    path.write_bytes(b"this is a note and no data" * 40)
    with pytest.raises(ValueError, match=r"brain\.\w+ (is not an?|contains no) .* or it is damaged"):
        cs.brains.read(path)


def test_an_option_of_another_kind_of_file_is_refused(tmp_path):
    np.savez(tmp_path / "meg.npz", rdm=matrices(), dims=["stimulus", "other_stimulus"])
    with pytest.raises(ValueError, match=r"name= is for \.mat, not for meg\.npz"):
        cs.brains.read(tmp_path / "meg.npz", name="IT")


def spoilt(change):
    found = matrices()
    change(found)
    return found


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (
            spoilt(lambda m: m.__setitem__((1, 3), 9)),
            r"symmetric, but between stimuli 1 and 3 it is 9 in one direction and",
        ),
        (
            spoilt(lambda m: m.__setitem__((1, 3), np.nan)),
            "symmetric, but between stimuli 1 and 3 it is nan in one direction",
        ),
        (1 - matrices(), r"the diagonal must be 0.* if these are similarities, pass 1 - similarity"),
        (matrices()[:, :4], "must be square, of at least 2 stimuli, got 5 x 4"),
        (spoilt(lambda m: m.__setitem__((slice(None), 1), np.inf)), "must be finite numbers, got infinity"),
        (np.full((5, 5), np.nan), "must be finite numbers"),
        (matrices().astype(str), "must be real numbers, got <U"),
    ],
)
def test_what_is_no_dissimilarity_matrix_is_refused(found, message):
    with pytest.raises(ValueError, match=message):
        labelled_matrices(found, ["stimulus", "other_stimulus"], {}, source="mine")


def test_a_gap_in_both_halves_is_kept_as_a_gap():
    found = matrices()
    found[1, 3] = found[3, 1] = np.nan
    kept = labelled_matrices(found, ["stimulus", "other_stimulus"], {}, source="mine")
    assert int(kept.isnull().sum()) == 2


def test_a_number_of_pairs_that_no_number_of_stimuli_has_is_refused():
    with pytest.raises(ValueError, match="7 is not the number of pairs of any number of stimuli"):
        square(np.arange(7.0), source="mine")


def _with_a_function(whole: bytes) -> bytes:
    """Add a MATLAB function `f` to an uncompressed file, as MATLAB writes it: scipy writes none."""

    def element(kind: int, data: bytes) -> bytes:
        return packed.pack("<II", kind, len(data)) + data + bytes(-len(data) % 8)

    def matrix(kind: int, name: bytes, data: bytes) -> bytes:
        head = element(6, packed.pack("<II", kind, 0)) + element(5, packed.pack("<ii", 1, 1)) + element(1, name)
        return element(14, head + data)

    return whole + matrix(16, b"f", matrix(6, b"", element(9, packed.pack("<d", 1.0))))


def test_variables_of_MATLAB_that_cannot_be_read_are_named(tmp_path):
    file = tmp_path / "a.mat"
    savemat(file, {"d": 1 - np.eye(4)})
    file.write_bytes(_with_a_function(file.read_bytes()))
    with pytest.warns(UserWarning, match=r"a\.mat: the variables \['f'\] are left out, because functions"):
        found = cs.brains.read(file, variable="d", dims=())
    assert np.array_equal(np.squeeze(found.values), 1 - np.eye(4))


# --- plain arrays ----------------------------------------------------------------------------------------------------


def test_a_plain_array_needs_the_names_of_its_dimensions(tmp_path, drawn):
    np.save(tmp_path / "brain.npy", drawn)
    np.testing.assert_array_equal(cs.brains.read(tmp_path / "brain.npy", dims=("subject", "session")), drawn)
    turned = cs.brains.read(tmp_path / "brain.npy", dims=("session", "subject"))
    np.testing.assert_array_equal(turned.transpose("session", "subject", ...), drawn)
    with pytest.raises(ValueError, match=r"shape \(2, 3, 5, 5\) without names .* pass dims=, 2 of"):
        cs.brains.read(tmp_path / "brain.npy")
    with pytest.raises(ValueError, match="no place for the times"):
        cs.brains.read(tmp_path / "brain.npy", dims=("subject", "time"))


def test_one_plain_matrix_needs_no_names(tmp_path, drawn):
    np.save(tmp_path / "one.npy", drawn[0, 0])
    np.testing.assert_array_equal(cs.brains.read(tmp_path / "one.npy").values[0, 0], drawn[0, 0])


def test_an_archive_without_names_takes_them_from_the_call(tmp_path, drawn):
    np.savez(tmp_path / "brain.npz", rdm=drawn)
    np.testing.assert_array_equal(cs.brains.read(tmp_path / "brain.npz", dims=("subject", "session")), drawn)
    np.savez(tmp_path / "named.npz", rdm=drawn[0], dims=["session", "stimulus", "other_stimulus"])
    with pytest.raises(ValueError, match=r"names its dimensions .*'session'.* differ from dims=\('subject',\)"):
        cs.brains.read(tmp_path / "named.npz", dims=("subject",))


@pytest.mark.parametrize(("ending", "between"), [("csv", ","), ("tsv", "\t")])
def test_a_table_is_one_matrix_with_or_without_names(tmp_path, drawn, ending, between):
    rows = [between.join(map(repr, row.tolist())) for row in drawn[0, 0]]
    path = tmp_path / f"brain.{ending}"
    path.write_text("\n".join(rows))
    np.testing.assert_array_equal(cs.brains.read(path).values[0, 0], drawn[0, 0])
    names = ["e", "d", "c", "b", "a"]
    named = [between.join(["", *reversed(names)])] + [
        between.join([name, *map(repr, row[::-1].tolist())]) for name, row in zip(names, drawn[0, 0], strict=True)
    ]
    path.write_text("\n".join(named))
    found = cs.brains.read(path)
    # the columns are put in the order of the rows
    np.testing.assert_array_equal(found.values[0, 0], drawn[0, 0])
    assert found["stimulus_name"].values.tolist() == names


@pytest.mark.parametrize("text", ["", "0,1\n1", "0,x\n1,0"])
def test_a_table_that_is_no_matrix_is_refused(tmp_path, text):
    (tmp_path / "brain.csv").write_text(text)
    with pytest.raises(ValueError, match=r"brain\.csv is not a table of one dissimilarity matrix"):
        cs.brains.read(tmp_path / "brain.csv")


@pytest.mark.parametrize("word", ["no", "False", 0])
def test_a_word_does_not_allow_a_pickle(tmp_path, word):
    (tmp_path / "rdm.pkl").write_bytes(b"cos\nsystem\n(S'exit 1'\ntR.")
    with pytest.raises(ValueError, match="allow_pickle must be True or False, got"):
        cs.brains.read(tmp_path / "rdm.pkl", allow_pickle=word)


def test_dims_and_names_are_texts(tmp_path, drawn):
    np.save(tmp_path / "brain.npy", drawn[0])
    for dims, message in (
        ("session", r"dims must be a list of values, such as \('subject',\), got 'session'"),
        (3, "dims must be a list of values"),
        ([3], "each of dims must be text, got 3"),
    ):
        with pytest.raises(TypeError, match=message):
            cs.brains.read(tmp_path / "brain.npy", dims=dims)
    assert cs.brains.read(tmp_path / "brain.npy", dims=np.array(["session"])).sizes["session"] == len(drawn[0])
    with pytest.raises(TypeError, match=r"variable must be text, got \['a'\]"):
        cs.brains.read(tmp_path / "brain.npy", variable=["a"])
